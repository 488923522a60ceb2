//! `GET /version`

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::state::Shared;

/// Which program answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Version {
    /// The service.
    #[schema(example = "scheduler")]
    name: &'static str,
    /// Its version.
    #[expect(clippy::struct_field_names, reason = "it is the name of the JSON field")]
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// The commit it was built from, where known.
    #[schema(required)]
    git_sha: Option<&'static str>,
    /// The version of the time zone data compiled in.
    #[schema(example = "2026a")]
    tzdb: &'static str,
}

/// Which version this is
#[utoipa::path(
    get,
    path = "/version",
    operation_id = "getVersion",
    tag = "service",
    responses((status = 200, description = "The version", body = Version))
)]
pub async fn version(State(state): State<Shared>) -> Json<Version> {
    Json(Version {
        name: "scheduler",
        version: state.build.version,
        git_sha: state.build.git_sha,
        tzdb: domain::time::tzdb_version(),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    #[tokio::test]
    async fn names_the_build_and_its_time_zones() {
        let version = TestApp::new().get("/version").await.value();
        assert_eq!(
            (version["version"].as_str(), version["git_sha"].as_str()),
            (Some("0.0.0-test"), Some("abc123"))
        );
        assert_eq!(version["tzdb"], domain::time::tzdb_version());
    }
}
