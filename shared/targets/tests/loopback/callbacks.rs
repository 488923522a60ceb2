//! Targets that take the work and report: what they are given, and what stays out of the record.

use domain::Verdict;
use engine::{Call, Executor, TokenKey};
use serde_json::json;
use targets::Config;
use tokio_util::sync::CancellationToken;

use crate::common::{Server, call, http, local, with};

fn reporting(url: &str, body: &str) -> Call {
    let call = call(http(url, json!({"callback": true, "body": body})));
    let token = TokenKey::derived(b"test").token(call.run_id, 3);
    Call { token: Some(token), ..call }
}

#[tokio::test]
async fn an_answer_of_202_means_that_the_work_is_taken() {
    let server = Server::start().await;
    for (status, verdict) in [(202, Verdict::Accepted), (200, Verdict::Succeeded)] {
        let call = reporting(&server.url(&format!("/status/{status}")), "x");
        let outcome = local().execute(&call, CancellationToken::new()).await;
        assert_eq!(outcome.verdict, verdict, "{status}");
        assert_eq!(outcome.response.unwrap().status, status);
    }
    // Without `callback`, 202 is one of 2xx.
    let plain = call(http(&server.url("/status/202"), json!({})));
    assert_eq!(local().execute(&plain, CancellationToken::new()).await.verdict, Verdict::Succeeded);
    let last = server.last();
    assert!(!last.headers.contains_key("x-scheduler-token"));
    assert!(!last.headers.contains_key("x-scheduler-callback-url"));
}

#[tokio::test]
async fn the_token_reaches_the_target_and_no_record() {
    let server = Server::start().await;
    let runs_url = Some("https://scheduler.example.com/api/v1/runs/".to_owned());
    let targets = with(Config { allow: "127.0.0.1".parse().unwrap(), runs_url, ..Config::default() });
    let call = reporting(&server.url("/hook"), "");
    let token = call.token.as_ref().unwrap().reveal();
    // A target that sends back what it was given.
    let echo = reporting(&server.url(&format!("/status/202?x-back={token}")), &format!("<{token}>"));
    for call in [&call, &echo] {
        let outcome = targets.execute(call, CancellationToken::new()).await;
        let seen = server.last();
        assert_eq!(seen.header("x-scheduler-token"), token);
        let url = format!("https://scheduler.example.com/api/v1/runs/{}", call.run_id);
        assert_eq!(seen.header("x-scheduler-callback-url"), url);
        let request = outcome.request.as_ref().unwrap();
        assert_eq!(request.headers["x-scheduler-token"], "***");
        let response = outcome.response.as_ref().unwrap();
        assert!(!format!("{response:?}").contains(token), "{response:?}");
    }
    let outcome = targets.execute(&echo, CancellationToken::new()).await;
    assert_eq!(outcome.response.unwrap().body.as_deref(), Some("<***>"));
}
