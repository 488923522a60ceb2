//! Who may do what: every operation, asked by everybody.

use std::collections::{BTreeMap, BTreeSet};

use api::access::{Least, OPERATIONS};
use axum::http::StatusCode;
use domain::Role;
use engine::Access;
use serde_json::Value;

use crate::testing::{Answer, TestApp};

const KEY: &str = "the-operators-key-0123456789abcdef";

/// Method, path and id of every operation of the document, with ids that name nothing.
pub(crate) fn operations() -> Vec<(String, String, String)> {
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("/jobs/{id}", "/jobs/nobody")
            .replace("/backfills/{id}", "/backfills/backfill_01kc0000000000000000000000")
            .replace("/runs/{id}", "/runs/run_01kc0000000000000000000000")
            .replace("{name}", "nothing");
        assert!(!path.contains('{'), "{path} needs a line here");
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            found.push((method.to_uppercase(), path.clone(), id));
        }
    }
    found
}

#[test]
fn the_table_has_every_operation_and_no_other() {
    let documented: BTreeSet<String> = operations().into_iter().map(|(_, _, id)| id).collect();
    let table: BTreeMap<&str, Least> = OPERATIONS.into_iter().collect();
    assert_eq!(table.len(), OPERATIONS.len(), "each is there once");
    let listed: BTreeSet<String> = table.keys().map(|&id| id.to_owned()).collect();
    assert_eq!(documented, listed, "shared/api/src/access.rs says what each operation takes");
}

/// Anything but a refusal by the gate: what follows depends on the request.
fn is_let_in(answer: &Answer) -> bool {
    ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status)
}

#[tokio::test]
async fn without_a_key_nothing_but_the_open_operations_answers() {
    let app = TestApp::with(|state| {
        state.access = Access::with_admin_key(KEY);
        // Streams end at once, and can be read like other answers.
        state.closing.cancel();
    });
    let table: BTreeMap<&str, Least> = OPERATIONS.into_iter().collect();
    let bad = "Bearer sk_nobody";
    let basic = "Basic YWRtaW46YWRtaW4=";
    for (method, path, id) in operations() {
        let at = format!("{id}: {method} {path}");
        // Only who reports is asked for a body first.
        let body = match id.as_str() {
            "completeRun" => r#"{"status": "succeeded"}"#,
            "appendRunLog" => r#"{"text": "x"}"#,
            _ => "{}",
        };
        let ask = async |authorization: &[&str]| {
            let authorization = authorization.iter().map(|&value| ("authorization", value));
            let headers: Vec<_> = authorization.chain([("content-type", "application/json")]).collect();
            app.send(&method, &path, &headers, body).await
        };
        let [none, wrong, other] = [ask(&[]).await, ask(&[bad]).await, ask(&[basic]).await];
        let [twice, right] = [ask(&[bad, bad]).await, ask(&[&format!("Bearer {KEY}")]).await];
        match table[id.as_str()] {
            Least::Open => {
                assert!([&none, &wrong, &other, &twice, &right].into_iter().all(is_let_in), "{at}");
            }
            Least::RunToken => {
                for answer in [none, wrong, other, twice, right] {
                    assert_eq!(answer.gist(), "401 unauthorized", "{at}");
                }
            }
            Least::In(_) | Least::Everywhere(_) => {
                assert_eq!(none.gist(), "401 unauthorized", "{at}");
                assert_eq!(none.header("www-authenticate"), "Bearer", "{at}");
                for answer in [wrong, other, twice] {
                    assert_eq!(answer.gist(), "401 invalid_token", "{at}");
                    assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{at}");
                }
                assert!(is_let_in(&right), "{at}: {right:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_comes_before_everything_else() {
    let app = TestApp::with(|state| state.access = Access::with_admin_key(KEY));
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
    let app = TestApp::with(|state| state.access = Access::with_admin_key(KEY));
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
            assert_eq!(operation["responses"].get("401").is_some(), expected.is_some(), "{path} {id}");
        }
    }
}
