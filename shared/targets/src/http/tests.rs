//! What needs a resolver or certificates of its own; everything else is tested from outside, in `tests/`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::run::AttemptError;
use domain::{HumanDuration, Instant, JobId, RunId, RunKind, Target};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::http::connect::Lookup;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Instant {
        Instant::UNIX_EPOCH
    }
}

impl Entropy for Fixed {
    fn random(&self) -> u128 {
        0
    }
}

fn client(allow: &str, lookup: Lookup, roots: RootCertStore) -> Http {
    let client = connect::client(allow.parse().unwrap(), lookup, roots);
    Http::with_client(client, SigningSecrets::default(), "test", Arc::new(Fixed), Arc::new(Fixed))
}

async fn get(http: &Http, url: &str) -> Outcome {
    let target = serde_json::from_value(json!({"type": "http", "method": "GET", "url": url})).unwrap();
    let job_id = JobId::new(Instant::UNIX_EPOCH, 1);
    let call = Call {
        run_id: RunId::derive(job_id, Instant::UNIX_EPOCH, RunKind::Manual, 1),
        job_id,
        job_name: "job".to_owned(),
        scheduled_for: Instant::UNIX_EPOCH,
        kind: RunKind::Manual,
        attempt: 1,
        target,
        timeout: HumanDuration::from_secs(30),
        journal: engine::Journal::nowhere(),
        token: None,
    };
    let Target::Http(target) = &call.target else { unreachable!() };
    http.execute(&call, target, CancellationToken::new()).await
}

fn error(outcome: &Outcome) -> (&str, &str) {
    match &outcome.verdict {
        Verdict::Failed { error: AttemptError { code, message }, .. } => (code, message),
        other => panic!("not a failure: {other:?}"),
    }
}

/// Resolves every name to public and private addresses alike, by the name's first letter.
#[expect(clippy::needless_pass_by_value, reason = "must be a `Lookup`")]
fn lookup(host: String) -> futures::future::BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
    let addresses: &[&str] = match &host[..1] {
        "h" => return Box::pin(std::future::pending()),
        "f" => return Box::pin(async { Err(std::io::Error::other("no such name")) }),
        "m" => &["93.184.216.34", "127.0.0.1"],
        "r" => &["127.0.0.1", "93.184.216.34"],
        "p" => &["127.0.0.1"],
        "n" => &["64:ff9b::7f00:1"],
        _ => &[],
    };
    let addresses = addresses.iter().map(|it| it.parse().unwrap()).collect();
    Box::pin(async { Ok(addresses) })
}

async fn listener() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let read = stream.read(&mut [0; 4096]).await.unwrap();
            assert!(read > 0);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    });
    (address, connections)
}

#[tokio::test]
async fn a_name_with_one_forbidden_address_is_forbidden() {
    let (address, connections) = listener().await;
    let http = client("", lookup, RootCertStore::empty());
    for name in ["mixed", "reversed", "private", "nat64"] {
        let outcome = get(&http, &format!("http://{name}.example:{}/", address.port())).await;
        assert_eq!(error(&outcome).0, "target_forbidden", "{name}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    for name in ["failing", "empty"] {
        let outcome = get(&http, &format!("http://{name}.example/")).await;
        assert_eq!(
            error(&outcome),
            ("dns", format!("the host name “{name}.example” does not resolve").as_str())
        );
    }
}

#[tokio::test]
async fn a_name_is_connected_to_at_the_address_that_was_checked() {
    let (address, connections) = listener().await;
    let url = format!("http://private.example:{}/", address.port());
    for allow in ["private.example", "*.example", "127.0.0.1", &format!("*.example:{}", address.port())] {
        let outcome = get(&client(allow, lookup, RootCertStore::empty()), &url).await;
        assert_eq!(outcome.verdict, Verdict::Succeeded, "{allow}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 4);
    let outcome = get(&client("*.example:1", lookup, RootCertStore::empty()), &url).await;
    assert_eq!(error(&outcome).0, "target_forbidden");
}

#[tokio::test(start_paused = true)]
async fn connecting_takes_ten_seconds_at_most() {
    let started = tokio::time::Instant::now();
    let outcome = get(&client("", lookup, RootCertStore::empty()), "https://hanging.example/").await;
    assert_eq!(error(&outcome), ("timeout", "no connection to hanging.example:443 within 10s"));
    assert_eq!(started.elapsed().as_secs(), 10);
}

/// A TLS server for `name` that offers `protocols` and answers with the one in use; and its certificate.
async fn tls_server(name: &str, protocols: &[&[u8]]) -> (SocketAddr, CertificateDer<'static>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
    config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = service_fn(async |request: http::Request<Incoming>| {
        let body = Full::new(Bytes::from(format!("{:?} {}", request.version(), request.uri())));
        Ok::<_, std::convert::Infallible>(http::Response::new(body))
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let server = Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
                }
            });
        }
    });
    (address, cert.der().clone())
}

#[tokio::test]
async fn http_2_is_spoken_with_those_who_offer_it() {
    for (protocols, expected) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], "HTTP/2.0 https://private.example:{port}/a?b"),
        (&[b"http/1.1"], "HTTP/1.1 /a?b"),
        (&[], "HTTP/1.1 /a?b"),
    ] {
        let (address, certificate) = tls_server("private.example", protocols).await;
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let port = address.port().to_string();
        let url = format!("https://private.example:{port}/a?b");
        let outcome = get(&client("127.0.0.1", lookup, roots), &url).await;
        assert_eq!(outcome.verdict, Verdict::Succeeded);
        assert_eq!(outcome.response.unwrap().body.unwrap(), expected.replace("{port}", &port));
    }
}

#[tokio::test]
async fn https_is_verified() {
    let (address, certificate) = tls_server("private.example", &[]).await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = client("127.0.0.1", lookup, roots);
    let port = address.port();
    let outcome = get(&trusting, &format!("https://private.example:{port}/")).await;
    assert_eq!(outcome.verdict, Verdict::Succeeded);

    let outcome = get(&trusting, &format!("https://p.example:{port}/")).await;
    let message = format!("no secure connection to p.example:{port}: its certificate is for another name");
    assert_eq!(error(&outcome), ("tls", message.as_str()));

    let outcome = get(
        &client("127.0.0.1", lookup, RootCertStore::empty()),
        &format!("https://private.example:{port}/"),
    )
    .await;
    let message = "its certificate was not issued by an authority known here";
    assert!(error(&outcome).1.ends_with(message), "{:?}", error(&outcome));

    let (plain, _) = listener().await;
    let outcome = get(&trusting, &format!("https://{plain}/")).await;
    let message = format!("no secure connection to {plain}: it does not speak TLS");
    assert_eq!(error(&outcome), ("tls", message.as_str()));
}

#[test]
fn there_are_certificates_to_trust() {
    assert!(!connect::system_roots().is_empty());
}
