//! The guarded connector: resolves a host, checks every address it leads to, and connects to a checked one.
//!
//! Names and IP literals take the same way, and no connection is opened by any other, so there is no gap between
//! check and use (DNS rebinding) and no notation that is not looked at. Built on hyper's own client rather than
//! reqwest because what is dangerous is then absent rather than switched off: it knows no redirects, no proxies, no
//! decompression, and its connector sees the port, which `SCHEDULER_ALLOW_TARGETS` may name.

use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::AllowList;

/// For name, TCP and TLS together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Less than the 5 s after which Node and uvicorn close idle connections: a request sent on a connection the
/// target is closing is lost, and it is not known whether it was seen.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a connection may be silent before the peer is asked whether it is there, and how long it has to answer.
/// An HTTP/2 connection to a peer that has vanished would otherwise swallow every call for a quarter of an hour.
const KEEPALIVE: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most an answer's status line and headers may take.
pub(super) const MAX_HEAD: usize = 64 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Finds the addresses of a host name.
pub(super) type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// A client that connects to permitted addresses only.
pub(super) fn client<B>(allow: AllowList, lookup: Lookup, roots: RootCertStore) -> Client<Connector, B>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(Guard { allow: Arc::new(allow), lookup });
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http1_max_buf_size(MAX_HEAD)
        .timer(TokioTimer::new())
        .http2_keep_alive_interval(KEEPALIVE)
        .http2_keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .build(Connector(connector))
}

/// The operating system's certificates, or Mozilla's where there are none, as in an empty container image.
pub(super) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// Asks the operating system.
pub(super) fn system_lookup(host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    Box::pin(async move {
        let addresses = tokio::net::lookup_host((host, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    })
}

/// Why there is no connection, apart from what TCP and TLS report themselves.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the address is not permitted")]
    Forbidden,
    #[error("the name does not resolve")]
    Unresolved(#[source] Option<io::Error>),
    #[error("no connection in time")]
    TimedOut,
}

/// All of connecting, within [`CONNECT_TIMEOUT`].
#[derive(Clone)]
pub(super) struct Connector(HttpsConnector<Guard>);

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<Guard> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.0.call(uri));
        Box::pin(async move { connecting.await.unwrap_or_else(|_| Err(ConnectError::TimedOut.into())) })
    }
}

/// Opens TCP connections to permitted addresses.
#[derive(Clone)]
pub(super) struct Guard {
    allow: Arc<AllowList>,
    lookup: Lookup,
}

impl Guard {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, BoxError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let addresses = match host.parse() {
            Ok(literal) => vec![literal],
            Err(_) => {
                (self.lookup)(host.to_owned()).await.map_err(|error| ConnectError::Unresolved(Some(error)))?
            }
        };
        if addresses.is_empty() {
            return Err(ConnectError::Unresolved(None).into());
        }
        // One address that is not permitted spoils the name: were we to choose among them, an attacker who
        // controls a name could tell from our choice what is reachable.
        if !addresses.iter().all(|address| self.allow.permits(host, port, *address)) {
            return Err(ConnectError::Forbidden.into());
        }
        let checked = addresses.iter().map(|address| SocketAddr::new(*address, port)).collect();
        let mut tcp = HttpConnector::new_with_resolver(Checked(checked));
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE_TIMEOUT));
        tcp.set_keepalive_retries(Some(3));
        // A name in place of the host, so that hyper cannot read an address out of it and pass the check by.
        let uri =
            Uri::builder().scheme("http").authority(format!("checked:{port}")).path_and_query("/").build()?;
        Ok(tcp.call(uri).await?)
    }
}

impl Service<Uri> for Guard {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Resolves every name to the addresses that were checked. Hyper then tries IPv6 and IPv4 side by side.
#[derive(Clone)]
struct Checked(Vec<SocketAddr>);

impl Service<Name> for Checked {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}
