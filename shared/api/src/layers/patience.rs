//! Reads wait out a store that is away for a moment, as a database is that is being restarted or that fails over.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::{Duration, Instant, sleep};

use crate::problem::{Code, Problem};
use crate::state::Shared;

/// How long after a refusal the store is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// Carries out a read again, while the store does not answer and the patience of `Options::read_patience` lasts.
/// Writes pass: whether one was carried out before the store went, nobody knows but the store.
pub async fn wait_for_the_store(State(state): State<Shared>, request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let end = Instant::now() + state.options.read_patience;
    let (parts, body) = request.into_parts();
    let mut response = next.clone().run(Request::from_parts(parts.clone(), body)).await;
    while is_away(&response) && Instant::now() + PAUSE <= end && !state.closing.is_cancelled() {
        sleep(PAUSE).await;
        // The body of a read means nothing.
        response = next.clone().run(Request::from_parts(parts.clone(), Body::empty())).await;
    }
    response
}

fn is_away(response: &Response) -> bool {
    response.extensions().get::<Problem>().is_some_and(|problem| problem.code == Code::Unavailable)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use testkit::Fault;
    use tokio::time::{Duration, Instant, sleep};

    use crate::testing::TestApp;

    fn patient() -> TestApp {
        let app = TestApp::with(|state| state.options.read_patience = Duration::from_secs(4));
        app.store.fail_by(|_, _| Fault::Before);
        app
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_waits_until_the_store_is_back() {
        let app = patient();
        let store = app.store.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(2)).await;
            store.heal();
        });
        let began = Instant::now();
        assert_eq!(app.get("/api/v1/jobs").await.status, 200);
        assert!((2..3).contains(&began.elapsed().as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn its_patience_ends() {
        let app = patient();
        let began = Instant::now();
        assert_eq!(app.get("/api/v1/jobs").await.gist(), "503 unavailable");
        assert!((3..=4).contains(&began.elapsed().as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn writes_and_readiness_are_answered_at_once() {
        let app = patient();
        let began = Instant::now();
        let job = json!({
            "name": "a", "schedule": {"type": "interval", "every": "1m"}, "target": {"type": "noop"}
        });
        assert_eq!(app.json("POST", "/api/v1/jobs", &job).await.status, 503);
        assert_eq!(app.get("/readyz").await.status, 503);
        assert!(began.elapsed() < Duration::from_millis(250));
    }
}
