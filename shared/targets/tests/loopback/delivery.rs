//! What a target sees, and what its answer means.

use crate::common::{Server, call, call_of, execute, failure, get, http, local, targets};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{HumanDuration, Verdict};
use engine::Executor;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// 2026-11-24T01:00:02Z.
const TIMESTAMP: i64 = 1_795_482_002;

fn signature(secret: &str, id: &str, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = <Hmac<Sha256>>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{TIMESTAMP}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_call_says_who_calls_and_why() {
    let server = Server::start().await;
    let other = format!("whsec_{}", STANDARD.encode([7; 32]));
    let targets = targets("127.0.0.1", &format!("{SECRET} {other}"));
    let call = call(http(
        &server.url("/hook?a=1"),
        json!({"body": {"b": [1, "zwei"]}, "headers": {"X-Mine": "yes"}}),
    ));
    let outcome = targets.execute(&call, CancellationToken::new()).await;

    assert_eq!(outcome.verdict, Verdict::Succeeded);
    let seen = server.only();
    let run_id = call.run_id.to_string();
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.uri, "/hook?a=1");
    assert_eq!(seen.text(), r#"{"b":[1,"zwei"]}"#);
    let both =
        format!("{} {}", signature(SECRET, &run_id, &seen.body), signature(&other, &run_id, &seen.body));
    for (name, expected) in [
        ("host", server.address.to_string().as_str()),
        ("accept", "*/*"),
        ("content-type", "application/json"),
        ("content-length", "16"),
        ("idempotency-key", &run_id),
        ("traceparent", "00-0123456789abcdef0f1e2d3c4b5a6978-0123456789abcdef-01"),
        ("user-agent", concat!("scheduler/", env!("CARGO_PKG_VERSION"))),
        ("webhook-id", &run_id),
        ("webhook-signature", &both),
        ("webhook-timestamp", &TIMESTAMP.to_string()),
        ("x-mine", "yes"),
        ("x-scheduler-attempt", "2"),
        ("x-scheduler-job-id", &call.job_id.to_string()),
        ("x-scheduler-job-name", "nightly report"),
        ("x-scheduler-run-id", &run_id),
        ("x-scheduler-scheduled-for", "2026-11-24T01:00:00Z"),
    ] {
        assert_eq!(seen.header(name), expected, "{name}");
    }
    assert_eq!(seen.headers.len(), 16);
    assert!(!run_id.contains('.'), "Standard Webhooks forbids dots in ids");
}

#[tokio::test]
async fn without_secrets_there_is_no_signature() {
    let server = Server::start().await;
    get(&local(), &server.url("/")).await;
    assert!(!server.only().headers.contains_key("webhook-signature"));
    assert!(server.only().headers.contains_key("webhook-id"));
}

#[tokio::test]
async fn the_record_tells_what_was_sent_and_received_without_secrets() {
    let server = Server::start().await;
    let url = server.url("/hook?api_token=s3cret&x-answer=42&set-cookie=s3cret");
    let headers =
        json!({"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Cookie": "s3cret", "X-Team": "a"});
    let outcome =
        execute(&targets("127.0.0.1", SECRET), http(&url, json!({"headers": headers, "body": "hello"})))
            .await;

    let request = outcome.request.unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.url, server.url("/hook?api_token=***&x-answer=42&set-cookie=s3cret"));
    assert_eq!((request.body.as_deref(), request.body_truncated), (Some("hello"), false));
    for masked in ["authorization", "x-api-key", "cookie", "webhook-signature"] {
        assert_eq!(request.headers[masked], "***", "{masked}");
    }
    assert_eq!(request.headers["x-team"], "a");
    assert_eq!(request.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(request.headers["idempotency-key"], server.only().header("webhook-id"));

    let response = outcome.response.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!((response.body.as_deref(), response.body_truncated), (Some("hello"), false));
    assert_eq!(response.headers["x-answer"], "42");
    assert_eq!(response.headers["set-cookie"], "***");
    // The secret did arrive.
    assert_eq!(server.only().header("authorization"), "Bearer s3cret");
}

#[tokio::test]
async fn body_forms() {
    let server = Server::start().await;
    let targets = local();
    let long = "x".repeat(100_000);
    for (body, content_type, sent) in [
        (json!({"a": null}), Some("application/json"), r#"{"a":null}"#),
        (json!([]), Some("application/json"), "[]"),
        (json!(7), Some("application/json"), "7"),
        (json!(false), Some("application/json"), "false"),
        (json!("grün"), Some("text/plain; charset=utf-8"), "grün"),
        (json!(""), Some("text/plain; charset=utf-8"), ""),
        (json!(long), Some("text/plain; charset=utf-8"), &long),
        (Value::Null, None, ""),
    ] {
        let outcome = execute(&targets, http(&server.url("/"), json!({"body": body}))).await;
        assert_eq!(outcome.verdict, Verdict::Succeeded);
        let seen = server.last();
        assert_eq!(seen.headers.get("content-type").map(|it| it.to_str().unwrap()), content_type);
        assert_eq!(seen.text(), sent);
        assert_eq!(seen.header("content-length"), sent.len().to_string());
        for (recorded, truncated) in [
            outcome.request.map(|it| (it.body, it.body_truncated)).unwrap(),
            outcome.response.map(|it| (it.body, it.body_truncated)).unwrap(),
        ] {
            let kept = &sent[..sent.len().min(65_536)];
            assert_eq!(recorded.as_deref().unwrap_or_default(), kept);
            assert_eq!(truncated, kept.len() < sent.len());
        }
    }
    let own_type = json!({"body": {}, "headers": {"Content-Type": "application/cloudevents+json"}});
    execute(&targets, http(&server.url("/"), own_type)).await;
    assert_eq!(server.last().header("content-type"), "application/cloudevents+json");
}

#[tokio::test]
async fn placeholders_are_filled_in_everywhere_and_break_out_nowhere() {
    let server = Server::start().await;
    let name = "a/b?c=d&e#f \"ü\"\r\nX-Evil: 1";
    let url = server.url("/jobs/{{job.name}}?n={{attempt}}&name={{job.name}}&{{unknown}}");
    let fields = json!({
        "body": {"at": "{{scheduled_for}}", "name": "{{job.name}}"},
        "headers": {"X-Run": "{{run.id}}/{{attempt}}", "X-Name": "<{{job.name}}>"},
    });
    let call = call_of(name, http(&url, fields));
    let outcome = local().execute(&call, CancellationToken::new()).await;
    assert_eq!(outcome.verdict, Verdict::Succeeded);

    let seen = server.only();
    let encoded = "a%2Fb%3Fc%3Dd%26e%23f%20%22%C3%BC%22%0D%0AX-Evil%3A%201";
    assert_eq!(seen.uri.path(), format!("/jobs/{encoded}"));
    assert_eq!(seen.uri.query().unwrap(), format!("n=2&name={encoded}&{{{{unknown}}}}"));
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body, json!({"at": "2026-11-24T01:00:00Z", "name": name}));
    assert_eq!(seen.header("x-run"), format!("{}/2", call.run_id));
    let in_header = "a/b?c=d&e#f \"%C3%BC\"%0D%0AX-Evil: 1";
    assert_eq!(seen.header("x-name"), format!("<{in_header}>"));
    assert_eq!(seen.header("x-scheduler-job-name"), in_header);
    assert!(!seen.headers.contains_key("x-evil"));
}

#[tokio::test]
async fn a_placeholder_never_chooses_the_host() {
    let server = Server::start().await;
    let port = server.address.port();
    for url in [
        format!("http://{{{{job.name}}}}:{port}/"),
        format!("http:{{{{job.name}}}}:{port}/"),
        format!("http:\\\\{{{{job.name}}}}:{port}/"),
        "http://127.0.0.1:{{attempt}}/".to_owned(),
        "{{job.name}}://127.0.0.1/".to_owned(),
        format!("http://{{{{job.name}}}}@127.0.0.1:{port}/"),
    ] {
        for name in ["127.0.0.1", "http", "evil.example/"] {
            let call = call_of(name, http(&url, json!({})));
            let outcome = targets("127.0.0.1,localhost", "").execute(&call, CancellationToken::new()).await;
            let (code, _, retryable, _) = failure(&outcome);
            assert_eq!((code, retryable), ("invalid_request", false), "{url}");
        }
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn headers_cannot_be_injected() {
    let server = Server::start().await;
    for (name, value) in [
        ("x-a", "1\r\nX-Evil: 1"),
        ("x-a", "1\nX-Evil: 1"),
        ("x-a", "1\0"),
        ("x-a\r\nX-Evil", "1"),
        ("x a", "1"),
        ("", "1"),
        ("Transfer-Encoding", "chunked"),
        ("content-length", "0"),
        ("host", "evil.example"),
        ("connection", "upgrade"),
        ("webhook-signature", "v1,forged"),
    ] {
        let outcome = execute(&local(), http(&server.url("/"), json!({"headers": {name: value}}))).await;
        assert_eq!(failure(&outcome).0, "invalid_request", "{name}: {value}");
    }
    for method in ["CONNECT", "GET / HTTP/1.1\r\nX-Evil: 1", ""] {
        let outcome = execute(&local(), http(&server.url("/"), json!({"method": method}))).await;
        assert_eq!(failure(&outcome).0, "invalid_request", "{method}");
    }
    assert!(server.seen().is_empty());
    // What domain lets through by mistake is still ours.
    let headers =
        json!({"idempotency-key": "x", "X-Scheduler-Run-Id": "x", "User-Agent": "x", "traceparent": "x"});
    execute(&local(), http(&server.url("/"), json!({"headers": headers}))).await;
    let seen = server.only();
    for name in ["idempotency-key", "x-scheduler-run-id", "user-agent", "traceparent"] {
        assert_eq!(seen.headers.get_all(name).iter().count(), 1, "{name}");
        assert_ne!(seen.header(name), "x", "{name}");
    }
}

#[tokio::test]
async fn what_each_status_means() {
    let server = Server::start().await;
    let targets = local();
    for (status, expected) in [
        (200, None),
        (201, None),
        (202, None),
        (299, None),
        (300, Some(("redirect", false))),
        (301, Some(("redirect", false))),
        (304, Some(("redirect", false))),
        (308, Some(("redirect", false))),
        (400, Some(("http_status", false))),
        (401, Some(("http_status", false))),
        (404, Some(("http_status", false))),
        (408, Some(("http_status", true))),
        (409, Some(("http_status", false))),
        (410, Some(("gone", false))),
        (425, Some(("http_status", true))),
        (429, Some(("http_status", true))),
        (499, Some(("http_status", false))),
        (500, Some(("http_status", true))),
        (501, Some(("http_status", true))),
        (503, Some(("http_status", true))),
        (599, Some(("http_status", true))),
    ] {
        let outcome = get(&targets, &server.url(&format!("/status/{status}"))).await;
        assert_eq!(outcome.response.as_ref().map(|it| it.status), Some(status));
        match expected {
            None => assert_eq!(outcome.verdict, Verdict::Succeeded, "{status}"),
            Some(expected) => {
                let (code, _, retryable, _) = failure(&outcome);
                assert_eq!((code, retryable), expected, "{status}");
            }
        }
    }
}

#[tokio::test]
async fn the_job_says_what_success_is() {
    let server = Server::start().await;
    let ask = async |status: u16, success: Value| {
        let target = http(&server.url(&format!("/status/{status}")), json!({"success": success}));
        execute(&local(), target).await
    };
    assert_eq!(ask(404, json!(["200-204", "404"])).await.verdict, Verdict::Succeeded);
    assert_eq!(ask(302, json!(["3xx"])).await.verdict, Verdict::Succeeded);
    assert_eq!(ask(503, json!(["503"])).await.verdict, Verdict::Succeeded);
    let outcome = ask(200, json!(["202"])).await;
    let message = "the target answered 200 OK, which this job does not count as success";
    assert_eq!(failure(&outcome), ("http_status", message, false, None));
    let outcome = ask(503, json!(["2xx"])).await;
    assert_eq!(failure(&outcome).1, "the target answered 503 Service Unavailable");
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let server = Server::start().await;
    for (status, value, expected) in [
        (429, "17", Some(17_000)),
        (503, "Tue,%2024%20Nov%202026%2001:00:32%20GMT", Some(29_655)),
        (503, "nonsense", None),
        (404, "17", None),
    ] {
        let outcome = get(&local(), &server.url(&format!("/status/{status}?retry-after={value}"))).await;
        assert_eq!(failure(&outcome).3, expected.map(HumanDuration::from_millis), "{status} {value}");
    }
}

#[tokio::test]
async fn redirects_are_shown_and_not_followed() {
    let server = Server::start().await;
    let private = Server::start().await;
    let location = private.url("/admin?token=s3cret");
    let outcome = get(&local(), &server.url(&format!("/status/302?location={location}"))).await;
    let expected = format!(
        "the target answered 302 Found and points to {}; redirects are not followed",
        private.url("/admin?token=***")
    );
    assert_eq!(failure(&outcome), ("redirect", expected.as_str(), false, None));
    assert_eq!(outcome.response.unwrap().headers["location"], private.url("/admin?token=***"));
    assert!(private.seen().is_empty());
}

#[tokio::test]
async fn log_and_noop_succeed_at_once() {
    for target in [json!({"type": "log", "message": "{{job.name}}"}), json!({"type": "noop"})] {
        let outcome = execute(&local(), target).await;
        assert_eq!(outcome, Verdict::Succeeded.into());
    }
}

#[tokio::test]
async fn crypto_can_be_installed_twice() {
    targets::install_crypto();
    targets::install_crypto();
}
