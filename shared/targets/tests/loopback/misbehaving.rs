//! Targets that refuse, hang, lie, flood and break off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::common::{call, execute, failure, get, http, local, raw, read_head};
use domain::{Outcome, Verdict};
use engine::Executor;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A server that answers each request with `answer` and closes.
async fn saying(answer: &'static [u8]) -> String {
    let (address, _) = raw(async move |mut stream| {
        read_head(&mut stream).await;
        // The client may have hung up by then.
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    })
    .await;
    format!("http://{address}/")
}

/// Executes a call that is cancelled after a moment; it must end then.
async fn cancelled(url: &str) -> Outcome {
    let cancel = CancellationToken::new();
    let trigger = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        trigger.cancel();
    });
    let call = call(http(url, json!({"method": "GET"})));
    let outcome = tokio::time::timeout(Duration::from_secs(5), local().execute(&call, cancel)).await;
    outcome.expect("ends when cancelled")
}

#[tokio::test]
async fn a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = get(&local(), &format!("http://{address}/")).await;
    let message = format!("no connection to {address}: it was refused; is the target running?");
    assert_eq!(failure(&outcome), ("connect", message.as_str(), true, None));
    assert_eq!(outcome.request.unwrap().method, "GET");
    assert_eq!(outcome.response, None);
}

#[tokio::test]
async fn a_target_that_hangs_is_left_when_the_call_is_cancelled() {
    let (address, connections) = raw(async |mut stream| {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let outcome = cancelled(&format!("http://{address}/")).await;
    assert_eq!(outcome.verdict, Verdict::Cancelled);
    assert!(outcome.request.is_some());
    assert_eq!(outcome.response, None);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_call_cancelled_before_it_starts_is_not_made() {
    let (address, connections) = raw(async |_| ()).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = local().execute(&call(http(&format!("http://{address}/"), json!({}))), cancel).await;
    assert_eq!(outcome.verdict, Verdict::Cancelled);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_slow_body_is_recorded_as_far_as_it_came() {
    let (address, _) = raw(async |mut stream| {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
        while stream.write_all(b"drip ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let outcome = cancelled(&format!("http://{address}/")).await;
    assert_eq!(outcome.verdict, Verdict::Cancelled);
    let response = outcome.response.unwrap();
    assert_eq!(response.status, 200);
    assert!(response.body.unwrap().starts_with("drip "));
}

#[tokio::test]
async fn class_17_a_gigabyte_costs_neither_memory_nor_time() {
    const SIZE: usize = 1_000_000_000;
    for head in ["content-length: 1000000000\r\n\r\n", "\r\n"] {
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        let (address, _) = raw(move |mut stream| {
            let counter = Arc::clone(&counter);
            async move {
                read_head(&mut stream).await;
                stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).await.unwrap();
                let chunk = vec![b'x'; 1 << 16];
                while counter.load(Ordering::SeqCst) < SIZE && stream.write_all(&chunk).await.is_ok() {
                    counter.fetch_add(chunk.len(), Ordering::SeqCst);
                }
            }
        })
        .await;
        let started = Instant::now();
        let outcome = get(&local(), &format!("http://{address}/")).await;
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(outcome.verdict, Verdict::Succeeded);
        let response = outcome.response.unwrap();
        assert_eq!(response.body.unwrap().len(), 65_536);
        assert!(response.body_truncated);
        // Give the server time to notice, then see that the connection was dropped, not drained.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(sent.load(Ordering::SeqCst) < SIZE / 10, "{} bytes sent", sent.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn answers_that_are_not_http() {
    let garbage: [&'static [u8]; 7] = [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\0\x01\x02\x03\xff\xfe",
        b"HTTP/1.1 OK 200\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    ];
    for answer in garbage {
        let outcome = get(&local(), &saying(answer).await).await;
        let (code, message, retryable, _) = failure(&outcome);
        assert_eq!((code, retryable), ("protocol", true), "{}", answer.escape_ascii());
        assert!(message.starts_with("the target's answer is not valid HTTP"), "{message}");
    }
}

#[tokio::test]
async fn a_connection_closed_without_an_answer() {
    for answer in [b"".as_slice(), b"HTTP/1.1 200 OK\r\ncontent-"] {
        let outcome = get(&local(), &saying(answer).await).await;
        let message = "the target closed the connection without an answer";
        assert_eq!(failure(&outcome), ("protocol", message, true, None));
    }
}

#[tokio::test]
async fn endless_headers() {
    let (address, _) = raw(async |mut stream| {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x-more: and more and more and more and more and more\r\n").await.is_ok() {}
    })
    .await;
    let outcome = get(&local(), &format!("http://{address}/")).await;
    assert_eq!(failure(&outcome).0, "protocol");
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    for (answer, expected) in [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".as_slice(), "body"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "body"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n", "body"),
        (b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nhalf", "http_status"),
    ] {
        let outcome = get(&local(), &saying(answer).await).await;
        let (code, _, retryable, _) = failure(&outcome);
        assert_eq!((code, retryable), (expected, true));
        assert_eq!(outcome.response.unwrap().body.unwrap(), "half");
    }
}

#[tokio::test]
async fn binary_and_compressed_bodies_are_kept_as_text_that_can_be_stored() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\n\x1f\x8b\x08\0gz";
    let outcome = get(&local(), &saying(answer).await).await;
    assert_eq!(outcome.verdict, Verdict::Succeeded);
    assert_eq!(outcome.response.unwrap().body.unwrap(), "\u{1f}\u{fffd}\u{8}\u{fffd}gz");
}

#[tokio::test]
async fn an_answer_before_the_request_is_complete_counts() {
    let (address, _) = raw(async |mut stream| {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    })
    .await;
    let body = "x".repeat(200_000);
    let outcome = execute(&local(), http(&format!("http://{address}/"), json!({"body": body}))).await;
    assert_eq!(outcome.response.as_ref().map(|it| it.status), Some(413));
    assert_eq!(failure(&outcome).0, "http_status");
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let (address, connections) = raw(async |mut stream| {
        loop {
            if read_head(&mut stream).await.is_empty() {
                return;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let targets = local();
    for _ in 0..5 {
        assert_eq!(get(&targets, &format!("http://{address}/")).await.verdict, Verdict::Succeeded);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
