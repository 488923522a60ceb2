//! `GET /healthz`

use axum::Json;
use serde::Serialize;

/// That the process answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process is alive
///
/// Says nothing about its store: a process that cannot reach its store must not be restarted for it.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "getHealth",
    tag = "service",
    responses((status = 200, description = "It is", body = Health))
)]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

#[cfg(test)]
mod tests {
    use testkit::Fault;

    use crate::testing::TestApp;

    #[tokio::test]
    async fn it_is_alive_without_its_store() {
        let app = TestApp::new();
        app.store.fail_by(|_, _| Fault::Before);
        let answer = app.get("/healthz").await;
        assert_eq!((answer.status.as_u16(), answer.value()["status"].as_str()), (200, Some("ok")));
    }
}
