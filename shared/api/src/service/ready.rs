//! `GET /readyz`

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::state::{ApiState, Shared};

/// A store that takes longer is not one to send requests to.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether this process can do its work, check by check.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    /// `ready`, or `not_ready` if any check is not ok.
    status: &'static str,
    /// The checks.
    checks: Checks,
}

/// What is checked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Checks {
    /// The store answers, and its schema is the one this program needs.
    store: StoreCheck,
    /// The loop has looked for due jobs lately; absent where this process serves the API only.
    #[serde(skip_serializing_if = "Option::is_none")]
    dispatcher: Option<DispatcherCheck>,
    /// The time zone data compiled in.
    tzdb: TzdbCheck,
}

/// The store.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StoreCheck {
    /// Whether it is fine.
    ok: bool,
    /// How long it took to answer, in milliseconds.
    latency_ms: u64,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// The loop that looks for due jobs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DispatcherCheck {
    /// Whether it is fine.
    ok: bool,
    /// How long ago its last look was, in milliseconds.
    last_look_ms: u64,
}

/// The time zone database.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TzdbCheck {
    /// Always true: the data is compiled in.
    ok: bool,
    /// Its version.
    #[schema(example = "2026a")]
    version: &'static str,
}

/// Whether the process can do its work
///
/// For load balancers: while the answer is 503, send requests elsewhere.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "service",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot at the moment", body = Readiness)
    )
)]
pub async fn ready(State(state): State<Shared>) -> (StatusCode, Json<Readiness>) {
    let store = store(&state).await;
    let dispatcher = dispatcher(&state);
    let tzdb = TzdbCheck { ok: true, version: domain::time::tzdb_version() };
    let ok = store.ok && dispatcher.as_ref().is_none_or(|check| check.ok);
    let (code, status) =
        if ok { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    (code, Json(Readiness { status, checks: Checks { store, dispatcher, tzdb } }))
}

async fn store(state: &ApiState) -> StoreCheck {
    let began = Instant::now();
    let error = match timeout(PATIENCE, state.store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the store is not ready");
            Some("does not answer as it should; the service's log says why")
        }
        Err(_elapsed) => Some("does not answer in time"),
    };
    let latency_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    StoreCheck { ok: error.is_none(), latency_ms, error }
}

fn dispatcher(state: &ApiState) -> Option<DispatcherCheck> {
    let last_look = state.last_look.as_ref()?();
    let age = (state.scheduler.now() - last_look).to_std().unwrap_or_default();
    let last_look_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    Some(DispatcherCheck { ok: age <= state.options.stale_look, last_look_ms })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;
    use testkit::Fault;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn ready_when_everything_is() {
        let answer = TestApp::new().get("/readyz").await;
        assert_eq!(answer.status, 200);
        let mut readiness = answer.value();
        readiness["checks"]["store"]["latency_ms"] = json!(0);
        readiness["checks"]["tzdb"]["version"] = json!("…");
        insta::assert_snapshot!(readiness, @r#"{"checks":{"dispatcher":{"last_look_ms":0,"ok":true},"store":{"latency_ms":0,"ok":true},"tzdb":{"ok":true,"version":"…"}},"status":"ready"}"#);
    }

    #[tokio::test]
    async fn not_ready_without_the_store() {
        let app = TestApp::new();
        app.store.fail_by(|_, _| Fault::Before);
        let answer = app.get("/readyz").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (503, "application/json"));
        assert_eq!(answer.value()["status"], "not_ready");
        assert_eq!(answer.value()["checks"]["store"]["ok"], false);
        app.store.heal();
        assert_eq!(app.get("/readyz").await.status, 200);
    }

    #[tokio::test]
    async fn not_ready_when_the_loop_stands_still() {
        let begin = testkit::at("2026-11-24T00:00:00Z");
        let app = TestApp::with(|state| state.last_look = Some(std::sync::Arc::new(move || begin)));
        app.clock.advance(TimeDelta::minutes(1));
        let answer = app.get("/readyz").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.value()["checks"]["dispatcher"]["ok"]),
            (503, &false.into())
        );
    }

    #[tokio::test]
    async fn a_process_without_a_loop_is_ready_without_it() {
        let answer = TestApp::with(|state| state.last_look = None).get("/readyz").await;
        assert_eq!((answer.status.as_u16(), answer.value()["checks"].get("dispatcher")), (200, None));
    }
}
