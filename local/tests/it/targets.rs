//! Targets that need a setting: what their users see with it and without.

use reqwest::Method;
use serde_json::{Value, json};

use super::service::{Options, Service, sqlite_in};

fn job(name: &str, target: &Value, more: &Value) -> Value {
    let mut job = json!({
        "name": name,
        "schedule": {"type": "interval", "every": "1h"},
        "target": target,
        "retry": {"max_attempts": 1}
    });
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    job
}

/// Runs a job by hand, to its end; the run.
async fn run(service: &Service, name: &str) -> Value {
    service.post(&format!("/api/v1/jobs/{name}/run"), &json!({})).await;
    service.runs_of(name, 1, |run| !run["finished_at"].is_null()).await.remove(0)
}

#[tokio::test]
async fn a_command_runs_where_commands_are_on_and_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let database = &sqlite_in(directory.path());
    let environment = &[
        ("SCHEDULER_ENABLE_COMMAND", "true"),
        ("SCHEDULER_COMMAND_ENV", "GREETING"),
        ("GREETING", "hello"),
        ("UNNAMED", "secret"),
    ];
    let service = Service::start(Options { database, directory: directory.path(), environment }).await;
    let script = "echo $GREETING $UNNAMED $SCHEDULER_JOB_NAME; echo oops >&2; exit 3";
    let target = json!({"type": "command", "argv": ["sh", "-c", script]});
    service.post("/api/v1/jobs", &job("greet", &target, &json!({}))).await;
    let greeted = run(&service, "greet").await;
    let attempt = &greeted["attempts"][0];
    assert_eq!((&greeted["status"], &attempt["error"]["code"]), (&json!("failed"), &json!("exit_status")));
    assert_eq!(
        attempt["details"],
        json!({
            "type": "command", "exit_code": 3, "signal": null, "stdout": "hello greet\n",
            "stdout_truncated": false, "stderr": "oops\n", "stderr_truncated": false
        })
    );
    assert_eq!((&attempt["request"], &attempt["response"]), (&Value::Null, &Value::Null));

    // It ignores SIGTERM; what it had said by then is on record all the same.
    let stubborn =
        json!({"type": "command", "argv": ["sh", "-c", "trap '' TERM; echo begun; sleep 100 & wait"]});
    service.post("/api/v1/jobs", &job("stubborn", &stubborn, &json!({"timeout": "500ms"}))).await;
    let killed = run(&service, "stubborn").await;
    assert_eq!(killed["status"], "timed_out", "{killed:#}");
    assert_eq!(killed["attempts"][0]["details"]["stdout"], "begun\n");
    assert_eq!(killed["attempts"][0]["details"]["signal"], 9);
}

#[tokio::test]
async fn without_settings_users_are_told_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let database = &sqlite_in(directory.path());
    let service = Service::start(Options { database, directory: directory.path(), environment: &[] }).await;
    let command = json!({"type": "command", "argv": ["true"]});
    let (status, problem) =
        service.call(Method::POST, "/api/v1/jobs", Some(&job("command", &command, &json!({})))).await;
    assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/target/type")));

    let email = json!({"type": "email", "to": ["ada@example.com"], "subject": "s", "text": "t"});
    service.post("/api/v1/jobs", &job("email", &email, &json!({}))).await;
    let failed = run(&service, "email").await;
    assert_eq!(failed["attempts"][0]["error"]["code"], "email_not_configured", "{failed:#}");
}
