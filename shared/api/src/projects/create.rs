//! `POST /projects`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::access::ProjectDraft;
use serde::Deserialize;

use super::ProjectView;
use crate::extract::JsonBody;
use crate::layers::idempotency::IdempotencyKeyHeader;
use crate::problem::Problem;
use crate::state::Shared;

/// What whoever makes a project chooses.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectDraft)]
pub struct CreateProject {
    /// 1 to 63 of a–z, 0–9 and -, beginning with a letter or digit.
    #[schema(example = "billing", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 4096)]
    description: String,
}

/// Create a project
///
/// Its jobs, runs, calendars and keys are apart from those of every other. A key of all projects says in the header `X-Project`
/// which one a request is about; without it that is `default`.
#[utoipa::path(
    post,
    path = "/projects",
    operation_id = "createProject",
    tag = "access",
    params(IdempotencyKeyHeader),
    request_body(content = CreateProject, example = json!({"name": "billing"})),
    responses((status = 201, description = "The project", body = ProjectView))
)]
pub async fn create_project(
    State(state): State<Shared>,
    JsonBody(CreateProject { name, description }): JsonBody<CreateProject>,
) -> Result<(StatusCode, Json<ProjectView>), Problem> {
    let project = state.access.create_project(ProjectDraft { name, description }).await?;
    Ok((StatusCode::CREATED, Json(project.into())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn a_project_has_jobs_of_its_own() {
        let app = TestApp::new();
        app.create("nightly").await;
        let of = ("x-project", "billing");
        assert_eq!(app.send("GET", "/api/v1/jobs", &[of], "").await.gist(), "404 not_found");
        let made = app.json("POST", "/api/v1/projects", &json!({"name": "billing"})).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(app.send("GET", "/api/v1/jobs", &[of], "").await.value()["data"], json!([]));
        let job = app.json_with("POST", "/api/v1/jobs", of, &draft("nightly")).await;
        assert_eq!((job.status.as_u16(), &job.value()["project"]), (201, &json!("billing")));
        let id = job.value()["id"].as_str().unwrap().to_owned();
        assert_eq!(app.get(&format!("/api/v1/jobs/{id}")).await.gist(), "404 not_found");
        let names: Vec<_> = app.get("/api/v1/projects").await.value()["data"].as_array().unwrap().clone();
        assert_eq!(
            names.iter().map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>(),
            ["billing", "default"]
        );
    }

    #[tokio::test]
    async fn names_are_plain_and_taken_once() {
        let app = TestApp::new();
        for name in ["", "A", "a b", "-a", "ä", &"a".repeat(64)] {
            let answer = app.json("POST", "/api/v1/projects", &json!({"name": name})).await;
            assert_eq!(answer.gist(), "422 invalid_request [/name invalid_value]", "{name}");
        }
        assert_eq!(app.json("POST", "/api/v1/projects", &json!({"name": "a"})).await.status, 201);
        for taken in ["a", "default"] {
            let answer = app.json("POST", "/api/v1/projects", &json!({"name": taken})).await;
            assert_eq!(answer.gist(), "409 conflict", "{taken}");
        }
    }
}
