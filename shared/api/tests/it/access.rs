//! Who may do what: every operation, asked by everybody.

use std::collections::{BTreeMap, BTreeSet};

use api::access::{Least, OPERATIONS};
use axum::http::StatusCode;
use domain::{CredentialDraft, CredentialId, Instant, Role};
use engine::access::{ProjectDraft, operator};
use serde_json::{Value, json};
use testkit::at;

use crate::testing::{Answer, TestApp, draft};

const KEY: &str = "the-operators-key-0123456789abcdef";

/// An operation of the document, with ids that name nothing, and a body that it can read.
struct Operation {
    method: String,
    path: String,
    id: String,
    least: Least,
}

impl Operation {
    fn body(&self) -> &'static str {
        match self.id.as_str() {
            "completeRun" => r#"{"status": "succeeded"}"#,
            "appendRunLog" => r#"{"text": "x"}"#,
            "createSession" => r#"{"key": "sk_x"}"#,
            _ => "{}",
        }
    }

    async fn ask(&self, app: &TestApp, headers: &[(&str, &str)]) -> Answer {
        let json = ("content-type", "application/json");
        let headers: Vec<_> = headers.iter().copied().chain([json]).collect();
        app.send(&self.method, &self.path, &headers, self.body()).await
    }
}

fn operations() -> Vec<Operation> {
    let table: BTreeMap<&str, Least> = OPERATIONS.into_iter().collect();
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("/jobs/{id}", "/jobs/nobody")
            .replace("/backfills/{id}", "/backfills/backfill_01kc0000000000000000000000")
            .replace("/runs/{id}", "/runs/run_01kc0000000000000000000000")
            .replace("/keys/{id}", "/keys/key_01kc0000000000000000000000")
            .replace("{name}", "nothing");
        assert!(!path.contains('{'), "{path} needs a line here");
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let least = *table.get(id.as_str()).unwrap_or_else(|| panic!("{id} needs a line in api::access"));
            found.push(Operation { method: method.to_uppercase(), path: path.clone(), id, least });
        }
    }
    found
}

#[test]
fn the_table_has_every_operation_and_no_other() {
    let documented: BTreeSet<String> = operations().into_iter().map(|operation| operation.id).collect();
    let listed: BTreeSet<String> = OPERATIONS.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(documented, listed, "shared/api/src/access.rs says what each operation takes");
    assert_eq!(listed.len(), OPERATIONS.len(), "each is there once");
}

/// A closed service with two projects, and a way to make keys.
struct Closed {
    app: TestApp,
}

impl Closed {
    async fn new() -> Self {
        let app = TestApp::with(|state| {
            state.access = state.access.clone().with_admin_key(KEY);
            // Streams end at once, and can be read like other answers.
            state.closing.cancel();
        });
        for name in ["ours", "theirs"] {
            let description = String::new();
            app.access.create_project(ProjectDraft { name: name.into(), description }).await.unwrap();
        }
        Self { app }
    }

    /// The header of a new key, and its id.
    async fn key(
        &self,
        role: Role,
        project: Option<&str>,
        expires_at: Option<Instant>,
    ) -> (String, CredentialId) {
        let draft =
            CredentialDraft { name: "somebody".into(), role, project: project.map(Into::into), expires_at };
        let (credential, key) = self.app.access.create_key(&operator(), draft).await.unwrap();
        (format!("Bearer {}", key.reveal()), credential.id)
    }
}

/// Everybody asks for everything: no exception but the table.
#[tokio::test]
async fn everybody_may_do_what_the_table_says_and_nothing_else() {
    let it = Closed::new().await;
    let (expired, _) = it.key(Role::Admin, None, Some(at("2026-11-24T00:00:01Z"))).await;
    let (revoked, id) = it.key(Role::Admin, None, None).await;
    it.app.access.revoke_key(&operator(), id).await.unwrap();
    it.app.clock.set(at("2026-11-24T00:00:01Z"));
    let bad = ["Bearer sk_nobody", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer", &expired, &revoked];
    let mut known = vec![(Role::Admin, true, format!("Bearer {KEY}"))];
    for role in Role::ALL {
        known.push((role, true, it.key(role, None, None).await.0));
        known.push((role, false, it.key(role, Some("ours"), None).await.0));
    }
    for operation in operations() {
        let Operation { method, path, id, least } = &operation;
        let at = format!("{id}: {method} {path}");
        let ask = async |headers: &[(&str, &str)]| operation.ask(&it.app, headers).await;
        let none = ask(&[]).await;
        let mut nobody = Vec::new();
        for key in bad {
            nobody.push(ask(&[("authorization", key)]).await);
        }
        nobody.push(ask(&[("authorization", &known[0].2), ("authorization", &known[0].2)]).await);
        match least {
            Least::Open if id == "createSession" => assert_eq!(none.gist(), "401 invalid_token", "{at}"),
            Least::Open => {
                for answer in nobody.iter().chain([&none]) {
                    assert!(is_let_in(answer), "{at}: {answer:?}");
                }
            }
            Least::RunToken => {
                for answer in nobody.iter().chain([&none]) {
                    assert_eq!(answer.gist(), "401 unauthorized", "{at}");
                }
            }
            Least::In(_) | Least::Everywhere(_) => {
                assert_eq!(none.gist(), "401 unauthorized", "{at}");
                assert_eq!(none.header("www-authenticate"), "Bearer", "{at}");
                for answer in &nobody {
                    assert_eq!(answer.gist(), "401 invalid_token", "{at}");
                    assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{at}");
                }
            }
        }
        for (role, everywhere, key) in &known {
            let may = match least {
                Least::In(least) => least <= role,
                Least::Everywhere(least) => least <= role && *everywhere,
                Least::Open | Least::RunToken => continue,
            };
            let at = format!("{at}, {role:?}, in all projects: {everywhere}");
            let answer = ask(&[("authorization", key)]).await;
            if may {
                assert!(is_let_in(&answer), "{at}: {answer:?}");
            } else {
                assert_eq!(answer.gist(), "403 forbidden", "{at}");
                assert_eq!(answer.header("www-authenticate"), "Bearer error=\"insufficient_scope\"", "{at}");
            }
            // The key of a project is good for no other, and none but the operators learn which there are.
            let in_project = |project| [("authorization", key.as_str()), ("x-project", project)];
            let (other, nowhere) = (ask(&in_project("theirs")).await, ask(&in_project("nowhere")).await);
            if may {
                assert_eq!(nowhere.gist(), "404 not_found", "{at}");
                assert!(
                    if *everywhere { is_let_in(&other) } else { other.problem() == nowhere.problem() },
                    "{at}"
                );
            }
        }
    }
}

/// Anything but a refusal by the gate: what follows depends on the request.
fn is_let_in(answer: &Answer) -> bool {
    ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status)
}

/// What is of one project is not there for another: each thing by its address, and in every list.
#[tokio::test]
async fn projects_see_nothing_of_each_other() {
    let it = Closed::new().await;
    let app = &it.app;
    let (ours, _) = it.key(Role::Admin, Some("ours"), None).await;
    let (theirs, _) = it.key(Role::Admin, Some("theirs"), None).await;
    let json = ("content-type", "application/json");
    let send = async |key: &str, method: &str, path: &str, body: Value| {
        app.send(method, path, &[("authorization", key), json], body.to_string()).await
    };
    let job = send(&ours, "POST", "/api/v1/jobs", draft("secret-job")).await.value();
    assert_eq!(job["project"], "ours");
    let run = send(&ours, "POST", "/api/v1/jobs/secret-job/run", json!({})).await.value();
    let window = json!({"from": "2026-11-01T00:00:00Z", "to": "2026-11-03T00:00:00Z"});
    let backfill = send(&ours, "POST", "/api/v1/jobs/secret-job/backfill", window).await;
    assert!(backfill.status.is_success(), "{backfill:?}");
    send(&ours, "PUT", "/api/v1/calendars/secret-days", json!({"dates": ["12-25"]})).await;
    let named = json!({"name": "secret-key", "role": "viewer"});
    let key = send(&ours, "POST", "/api/v1/keys", named).await.value();
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let (job, run, backfill, key) = (id(&job), id(&run), id(&backfill.value()), id(&key["info"]));

    let mut asked = 0;
    for operation in operations() {
        let Operation { method, path, least, id } = &operation;
        let Least::In(_) = least else { continue };
        for name in [job.as_str(), "secret-job"] {
            let real = path
                .replace("/jobs/nobody", &format!("/jobs/{name}"))
                .replace("backfill_01kc0000000000000000000000", &backfill)
                .replace("run_01kc0000000000000000000000", &run)
                .replace("key_01kc0000000000000000000000", &key)
                .replace("/calendars/nothing", "/calendars/secret-days");
            let body = match id.as_str() {
                "replaceJob" => draft("secret-job"),
                "backfillJob" => json!({"from": "2026-11-01T00:00:00Z", "to": "2026-11-03T00:00:00Z"}),
                "putCalendar" => continue, // it makes one of their own
                _ => json!({}),
            };
            let answer = send(&theirs, method, &real, body).await;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            for secret in [&job, &run, &backfill, &key, "secret-"] {
                assert!(!text.contains(secret), "{id} {real}: {secret} is told: {text}");
            }
            if real != *path {
                asked += 1;
                assert_eq!(answer.gist(), "404 not_found", "{id} {real}");
            }
        }
    }
    assert!(asked > 20, "things were asked for by their addresses");
    for (path, method) in [("/api/v1/jobs/bulk", "delete"), ("/api/v1/runs/bulk", "cancel")] {
        let ids = if method == "delete" { [&job] } else { [&run] };
        let answer = send(&theirs, "POST", path, json!({"action": method, "ids": ids})).await;
        assert_eq!(answer.value()["failed"], json!(1), "{path} {answer:?}");
    }
    for still in [format!("/api/v1/jobs/{job}"), format!("/api/v1/runs/{run}")] {
        assert_eq!(send(&ours, "GET", &still, json!({})).await.status, 200, "{still}");
    }
    let calendar = send(&theirs, "PUT", "/api/v1/calendars/secret-days", json!({})).await;
    assert_eq!(calendar.status, 201, "the name is free there");
}

/// A key chosen by one project replays nothing to another.
#[tokio::test]
async fn idempotency_keys_and_cursors_keep_to_their_project() {
    let it = Closed::new().await;
    let (ours, _) = it.key(Role::Editor, Some("ours"), None).await;
    let (theirs, _) = it.key(Role::Editor, Some("theirs"), None).await;
    let create = async |key: &str, name: &str| {
        let headers =
            [("authorization", key), ("content-type", "application/json"), ("idempotency-key", "same")];
        it.app.send("POST", "/api/v1/jobs", &headers, draft(name).to_string()).await
    };
    assert_eq!(create(&ours, "a").await.value()["project"], "ours");
    assert_eq!(create(&theirs, "a").await.value()["project"], "theirs");
    for name in ["b", "c"] {
        it.app.json_with("POST", "/api/v1/jobs", ("authorization", &ours), &draft(name)).await;
    }
    let list =
        async |key: &str, path: &str| it.app.send("GET", path, &[("authorization", key)], "").await.value();
    let cursor = list(&ours, "/api/v1/jobs?limit=1").await["next_cursor"].as_str().unwrap().to_owned();
    let page = list(&theirs, &format!("/api/v1/jobs?limit=9&cursor={cursor}")).await;
    assert!(page["data"].as_array().unwrap().iter().all(|job| job["project"] == "theirs"), "{page}");
}

#[tokio::test]
async fn a_refusal_comes_before_everything_else() {
    let app = TestApp::with(|state| state.access = state.access.clone().with_admin_key(KEY));
    let answers = [
        app.send("HEAD", "/api/v1/jobs", &[], "").await.status,
        app.send("GET", "/api/v1/jobs?surprise=1", &[], "").await.status,
        app.send("POST", "/api/v1/jobs", &[("idempotency-key", "")], "{").await.status,
        app.send("GET", "/metrics", &[], "").await.status,
    ];
    assert_eq!(answers, [StatusCode::UNAUTHORIZED; 4]);
    assert_eq!(app.send("PUT", "/api/v1/jobs", &[], "").await.status, 405);
}

#[tokio::test]
async fn pages_and_documentation_are_open() {
    let app = TestApp::with(|state| state.access = state.access.clone().with_admin_key(KEY));
    for path in ["/", "/openapi.json", "/docs/", "/docs/errors", "/docs/swagger-ui.css"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

/// The document tells what the table says.
#[test]
fn the_document_says_what_each_operation_takes() {
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    let table: BTreeMap<&str, Least> = OPERATIONS.into_iter().collect();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            let scheme = operation["security"][0].as_object().map(|it| it.keys().next().unwrap().as_str());
            let (expected, role) = match table[id] {
                Least::Open => (None, None),
                Least::RunToken => (Some("run_token"), None),
                Least::In(role) | Least::Everywhere(role) => (Some("api_key"), Some(role)),
            };
            assert_eq!(scheme, expected, "{path} {id}");
            let told = operation["x-least-role"].as_str().unwrap_or_default();
            assert!(told.starts_with(role.map_or("", Role::as_str)), "{path} {id}: {told}");
            let refuses = expected.is_some() || id == "createSession";
            assert_eq!(operation["responses"].get("401").is_some(), refuses, "{path} {id}");
        }
    }
}
