//! Where the safe client does not connect, however the address is written.

use std::process::Command;
use std::sync::atomic::Ordering;

use crate::common::{Server, failure, get, raw, targets};
use domain::Verdict;

/// 127.0.0.1 in many spellings, with `{port}` for a port that listens.
const LOOPBACK: [&str; 18] = [
    "http://127.0.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127。0。0。1:{port}/",
    "http://１２７.0.0.1:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://localhost:{port}/",
    "http:\\\\LOCALHOST:{port}\\",
];

#[tokio::test]
async fn class_20_loopback_is_forbidden_in_every_spelling_and_no_socket_is_opened() {
    let (address, connections) = raw(async |_| ()).await;
    let targets = targets("", "");
    for url in LOOPBACK {
        let url = url.replace("{port}", &address.port().to_string());
        let outcome = get(&targets, &url).await;
        let (code, message, retryable, _) = failure(&outcome);
        assert_eq!((code, retryable), ("target_forbidden", false), "{url}: {message}");
        assert!(message.contains("SCHEDULER_ALLOW_TARGETS"), "{message}");
        assert!(outcome.request.is_some(), "the record shows what would have been sent");
        assert_eq!(outcome.response, None);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn addresses_that_are_not_public_are_forbidden() {
    let targets = targets("", "");
    for host in [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "2852039166",
        "0xa9fea9fe",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
    ] {
        for scheme in ["http", "https"] {
            let outcome = get(&targets, &format!("{scheme}://{host}/")).await;
            assert_eq!(failure(&outcome).0, "target_forbidden", "{scheme}://{host}");
        }
    }
}

#[tokio::test]
async fn a_message_does_not_tell_where_a_name_leads() {
    let outcome = get(&targets("", ""), "http://localhost/").await;
    let message = failure(&outcome).1;
    assert!(message.contains("“localhost”"), "{message}");
    assert!(!message.contains("127.0.0.1"), "{message}");
}

#[tokio::test]
async fn the_allow_list_opens_exactly_what_it_says() {
    let (open, closed) = (Server::start().await, Server::start().await);
    let (open, closed) = (open.address.port(), closed.address.port());
    let port = format!("127.0.0.1:{open}");
    for (allow, url, allowed) in [
        ("127.0.0.1", format!("http://127.0.0.1:{open}/"), true),
        ("127.0.0.0/8", format!("http://127.0.0.1:{closed}/"), true),
        ("127.0.0.1", format!("http://[::ffff:127.0.0.1]:{open}/"), true),
        ("127.0.0.1", format!("http://2130706433:{open}/"), true),
        ("127.0.0.1", format!("http://[::1]:{open}/"), false),
        ("127.0.0.1", format!("http://127.0.0.2:{open}/"), false),
        (&port, format!("http://127.0.0.1:{open}/"), true),
        (&port, format!("http://127.0.0.1:{closed}/"), false),
        ("localhost", format!("http://localhost:{open}/"), true),
        ("localhost", format!("http://127.0.0.1:{open}/"), false),
        (&format!("localhost:{open}"), format!("http://localhost:{open}/"), true),
        (&format!("localhost:{open}"), format!("http://localhost:{closed}/"), false),
        ("*.localhost", format!("http://localhost:{open}/"), false),
        ("10.0.0.0/8", format!("http://127.0.0.1:{open}/"), false),
    ] {
        let outcome = get(&targets(allow, ""), &url).await;
        if allowed {
            assert_eq!(outcome.verdict, Verdict::Succeeded, "{allow}: {url}");
        } else {
            assert_eq!(failure(&outcome).0, "target_forbidden", "{allow}: {url}");
        }
    }
}

#[tokio::test]
async fn only_http_without_credentials_is_sent() {
    for (url, problem) in [
        ("ftp://127.0.0.1/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1/", "scheme"),
        ("http://user:s3cret@127.0.0.1/", "user name"),
        ("http://", "not valid"),
        ("/relative", "not valid"),
    ] {
        let outcome = get(&targets("0.0.0.0/0", ""), url).await;
        let (code, message, retryable, _) = failure(&outcome);
        assert_eq!((code, retryable), ("invalid_request", false), "{url}");
        assert!(message.contains(problem) && !message.contains("s3cret"), "{message}");
    }
}

/// Where a proxy is named in the environment of a process, that process must not use it: a proxy resolves names by
/// itself, unchecked. Runs itself again with such an environment.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the environment is what is tested")]
async fn proxies_of_the_environment_are_ignored() {
    const TEST: &str = "forbidden::proxies_of_the_environment_are_ignored";
    const URL: &str = "TARGETS_TEST_URL";
    if let Ok(url) = std::env::var(URL) {
        assert_eq!(get(&targets("127.0.0.1", ""), &url).await.verdict, Verdict::Succeeded);
        let outcome = get(&targets("", ""), &url).await;
        assert_eq!(failure(&outcome).0, "target_forbidden");
        return;
    }
    let server = Server::start().await;
    let (proxy, connections) = raw(async |_| ()).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", TEST, "--nocapture"]).env(URL, server.url("/")).env_remove("NO_PROXY");
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(variable, format!("http://{proxy}"));
    }
    let status = tokio::task::spawn_blocking(move || child.status()).await.unwrap().unwrap();
    assert!(status.success());
    assert_eq!(server.seen().len(), 1);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}
