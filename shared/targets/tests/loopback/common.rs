//! A caller and the servers it calls, all on loopback.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use domain::run::AttemptError;
use domain::{HumanDuration, Instant, JobId, Outcome, RunId, RunKind, Target, Verdict};
use engine::{Call, Clock, Entropy, Executor};
use serde_json::{Value, json};
use targets::{Config, Targets};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

pub(crate) const NOW: &str = "2026-11-24T01:00:02.345Z";

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Instant {
        NOW.parse().unwrap()
    }
}

impl Entropy for Fixed {
    fn random(&self) -> u128 {
        0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978
    }
}

/// An executor that may call what `allow` says and signs with `secrets`.
pub(crate) fn targets(allow: &str, secrets: &str) -> Targets {
    with(Config { allow: allow.parse().unwrap(), secrets: secrets.parse().unwrap(), ..Config::default() })
}

pub(crate) fn with(config: Config) -> Targets {
    Targets::new(config, Arc::new(Fixed), Arc::new(Fixed))
}

/// An executor that may call servers on loopback.
pub(crate) fn local() -> Targets {
    targets("127.0.0.1", "")
}

/// The second attempt of the run of 01:00, of a job named `name`.
pub(crate) fn call_of(name: &str, target: Value) -> Call {
    let target: Target = serde_json::from_value(target).unwrap();
    let job_id = JobId::new(NOW.parse().unwrap(), 7);
    let scheduled_for = "2026-11-24T01:00:00Z".parse().unwrap();
    Call {
        run_id: RunId::derive(job_id, scheduled_for, RunKind::Schedule, 0),
        job_id,
        job_name: name.to_owned(),
        scheduled_for,
        kind: RunKind::Schedule,
        attempt: 2,
        target,
        timeout: HumanDuration::from_secs(30),
        journal: engine::Journal::nowhere(),
        token: None,
    }
}

pub(crate) fn call(target: Value) -> Call {
    call_of("nightly report", target)
}

/// An HTTP target with `more` fields.
pub(crate) fn http(url: &str, more: Value) -> Value {
    let mut target = json!({"type": "http", "url": url});
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    target.as_object_mut().unwrap().extend(more);
    target
}

pub(crate) async fn execute(targets: &Targets, target: Value) -> Outcome {
    targets.execute(&call(target), CancellationToken::new()).await
}

pub(crate) async fn get(targets: &Targets, url: &str) -> Outcome {
    execute(targets, http(url, json!({"method": "GET"}))).await
}

/// What a failed outcome says: code, message, whether to try again, when.
pub(crate) fn failure(outcome: &Outcome) -> (&str, &str, bool, Option<HumanDuration>) {
    match &outcome.verdict {
        Verdict::Failed { error: AttemptError { code, message }, retryable, retry_after } => {
            (code, message, *retryable, *retry_after)
        }
        other => panic!("not a failure: {other:?}"),
    }
}

/// A request as a server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A well-behaved server: keeps every request, answers `/status/NNN` with NNN and everything else with 200 and the
/// request's body. A `?location=`, `?retry-after=` … becomes a header of the answer.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let seen = Arc::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request so far.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1);
        seen[0].clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }
}

async fn answer(
    State(seen): State<Arc<Mutex<Vec<Seen>>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, Bytes) {
    let status = uri.path().strip_prefix("/status/").map_or(200, |code| code.parse().unwrap());
    let mut answer = HeaderMap::new();
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(&*name), HeaderValue::try_from(&*value)) {
            answer.append(name, value);
        }
    }
    seen.lock().unwrap().push(Seen { method, uri, headers, body: body.clone() });
    (StatusCode::from_u16(status).unwrap(), answer, body)
}

/// A server that does with each connection what `serve` says, and counts them.
pub(crate) async fn raw<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream));
        }
    });
    (address, connections)
}

/// Reads a request that has no body.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap() == 0 {
            break;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}
