//! Replicas on one database, with jobs whose occurrences anybody can work out.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::service::{Options, Service, free_port, wall_clock};

pub(super) const LEASE: Duration = Duration::from_secs(3);
/// A tenth of the jobs is due every tenth of a second, each once a second.
const JOBS: u64 = 150;

/// Replicas that come and go, and what they should have done meanwhile.
pub(super) struct World<'a> {
    pub(super) replicas: Vec<Service>,
    pub(super) receiver: Receiver,
    pub(super) database: &'a str,
    pub(super) directory: &'a Path,
}

/// The settings of every replica. Expired leases are looked for every five seconds at least.
pub(super) const ENVIRONMENT: [(&str, &str); 3] = [
    ("SCHEDULER_LEASE", "3s"),
    ("SCHEDULER_LOG", "warn,scheduler=info"),
    ("SCHEDULER_ALLOW_TARGETS", "127.0.0.1,10.97.0.0/16"),
];

impl<'a> World<'a> {
    /// `count` replicas and no job yet.
    pub(super) async fn start(count: usize, database: &'a str, directory: &'a Path) -> Self {
        let receiver = Receiver::start().await;
        let mut world = Self { replicas: Vec::new(), receiver, database, directory };
        for _ in 0..count {
            let replica = world.another().await;
            world.replicas.push(replica);
        }
        world
    }

    pub(super) fn options(&self) -> Options<'a> {
        Options { database: self.database, directory: self.directory, environment: &ENVIRONMENT }
    }

    /// A new replica, ready.
    pub(super) async fn another(&self) -> Service {
        Service::start(self.options()).await
    }

    /// Kills a replica, and starts another in its place.
    pub(super) fn replace(&mut self, index: usize) {
        let port = free_port();
        let fresh = Service::spawn(port, &self.options());
        let mut doomed = std::mem::replace(&mut self.replicas[index], fresh);
        doomed.kill();
    }

    /// Creates the jobs: each due every second, all of them in time with the misfire policy `all`. Every second one
    /// takes a while, so that at any moment some run is under way.
    pub(super) async fn create_jobs(&self, host: &str) {
        futures::stream::iter(0..JOBS)
            .for_each_concurrent(8, |index| async move {
                let anchor = format!("2026-01-01T00:00:00.{:03}Z", index * 100 % 1_000);
                let takes_ms = if index % 2 == 0 { 0 } else { 700 };
                let job = json!({
                    "name": format!("job-{index}"),
                    "schedule": {"type": "interval", "every": "1s", "anchor": anchor},
                    "target": {"type": "http", "url": self.receiver.url(host, takes_ms)},
                    "timeout": "5s",
                    "overlap": "allow_all",
                    "misfire": {"policy": "all", "max": 1_000},
                    "retry": {"max_attempts": 20, "initial": "100ms", "max": "1s"},
                });
                self.replicas[0].post("/api/v1/jobs", &job).await;
            })
            .await;
    }

    /// Every job as the API shows it.
    pub(super) async fn jobs(&self) -> Vec<Value> {
        self.list("/api/v1/jobs?limit=200").await
    }

    /// Waits until every run of before now has ended, then stops the replicas and reads the whole ledger through a
    /// replica that works on nothing.
    pub(super) async fn settle(&mut self) -> (Vec<Value>, Vec<Value>) {
        for replica in &self.replicas {
            replica.signal("CONT");
        }
        self.replicas[0].wait_until_ready().await;
        let until = wall_clock();
        let unfinished = "/api/v1/runs?limit=200&sort=scheduled_for&status=pending,running";
        let patience = wall_clock() + TimeDelta::seconds(60);
        loop {
            // Those created since do not count.
            let (_, page) = self.replicas[0].call(Method::GET, unfinished, None).await;
            let oldest = page["data"].as_array().and_then(|runs| runs.first()).map(due_for);
            if page["data"].is_array() && oldest.is_none_or(|oldest| until < oldest) {
                break;
            }
            assert!(wall_clock() < patience, "never settled: {page:#}\n{}", self.replicas[0].log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let environment = [("SCHEDULER_ROLE", "api"), ("SCHEDULER_LOG", "warn")];
        let options = Options { environment: &environment, ..self.options() };
        let mut working = std::mem::replace(&mut self.replicas, vec![Service::start(options).await]);
        let mut ended = working.iter_mut().map(Service::terminate);
        assert!(ended.all(|(_, clean)| clean), "a replica did not end cleanly");
        (self.jobs().await, self.list("/api/v1/runs?limit=200&sort=scheduled_for").await)
    }

    /// All pages of a list.
    async fn list(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = path.to_owned();
        loop {
            let mut page = self.replicas[0].get(&next).await;
            rows.append(page["data"].as_array_mut().unwrap());
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{path}&cursor={cursor}"),
                None => return rows,
            }
        }
    }
}

pub(super) fn due_for(run: &Value) -> DateTime<Utc> {
    crate::quickstart::instant(&run["scheduled_for"])
}
