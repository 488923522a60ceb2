//! Starts the real `scheduler` binary, talks to it over HTTP, and kills it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::Value;

/// A running `scheduler` process. Killed when dropped.
pub(crate) struct Service {
    child: Child,
    port: u16,
    http: reqwest::Client,
    log: PathBuf,
}

/// How to start one.
pub(crate) struct Options<'a> {
    /// `DATABASE_URL`.
    pub(crate) database: &'a str,
    /// Where it logs, and its working directory.
    pub(crate) directory: &'a Path,
    /// Further environment variables.
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

/// A port nobody uses at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The URL of a database in a file of `directory`.
pub(crate) fn sqlite_in(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("jobs.db").display())
}

impl Service {
    /// Starts a process on a free port and waits until it is ready.
    pub(crate) async fn start(options: Options<'_>) -> Self {
        Self::start_on(free_port(), options).await
    }

    /// Starts a process on `port` and waits until it is ready.
    pub(crate) async fn start_on(port: u16, options: Options<'_>) -> Self {
        let service = Self::spawn(port, &options);
        service.wait_until_ready().await;
        service
    }

    /// Starts a process and waits for nothing.
    pub(crate) fn spawn(port: u16, options: &Options<'_>) -> Self {
        Self::spawn_in(&["env"], port, options)
    }

    /// Starts a process by a program that becomes the one it is given, such as `env` or `ip netns exec`.
    pub(crate) fn spawn_in(wrapper: &[&str], port: u16, options: &Options<'_>) -> Self {
        let log = options.directory.join(format!("service-{port}.log"));
        let output = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let child = Command::new(wrapper[0])
            .args(&wrapper[1..])
            .arg(env!("CARGO_BIN_EXE_scheduler"))
            .current_dir(options.directory)
            .env("DATABASE_URL", options.database)
            .env("SCHEDULER_LISTEN", format!("127.0.0.1:{port}"))
            .env("SCHEDULER_ALLOW_TARGETS", "127.0.0.1")
            .envs(options.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, port, http: client(), log }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) async fn wait_until_ready(&self) {
        let began = Instant::now();
        loop {
            let ready = self.http.get(self.url("/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "not ready after 30 s:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it says that it is ready: in a network of its own it cannot be asked.
    pub(crate) async fn wait_until_it_says_so(&self) {
        let began = Instant::now();
        while !self.log().contains("ready at") {
            assert!(began.elapsed() < Duration::from_secs(30), "not ready after 30 s:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a request; the answer's status and JSON body.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, self.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.log()));
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Sends a request that must succeed.
    pub(crate) async fn ok(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method.clone(), path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}\n{}", self.log());
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.ok(Method::POST, path, Some(body)).await
    }

    /// The status of a GET; 0 if there is no answer.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.http.get(self.url(path)).send().await.map_or(0, |answer| answer.status().as_u16())
    }

    /// The job's runs, newest first, once there are at least `count` that `matches`.
    pub(crate) async fn runs_of(
        &self,
        job: &str,
        count: usize,
        matches: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let page = self.get(&format!("/api/v1/jobs/{job}/runs?limit=200")).await;
            let runs: Vec<Value> =
                page["data"].as_array().unwrap().iter().filter(|run| matches(run)).cloned().collect();
            if runs.len() >= count {
                return runs;
            }
            assert!(began.elapsed() < Duration::from_secs(40), "{job}: {page:#}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A number from `/metrics`: the sum over all labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.http.get(self.url("/metrics")).send().await.unwrap().text().await.unwrap();
        text.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        let status =
            Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// SIGTERM; waits for the end and says how long it took and whether it was clean.
    pub(crate) fn terminate(&mut self) -> (Duration, bool) {
        let began = Instant::now();
        self.signal("TERM");
        let clean = self.child.wait().unwrap().success();
        (began.elapsed(), clean)
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test client for loopback; the guard is for targets")]
pub(crate) fn client() -> reqwest::Client {
    targets::install_crypto();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

/// The machine's time, for comparing with what the service recorded.
#[expect(clippy::disallowed_methods, reason = "an end-to-end test lives in real time")]
pub(crate) fn wall_clock() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
