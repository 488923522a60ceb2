//! A server on this machine that takes every POST and counts it by run.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

/// A host gets a quarter of a process's attempts at most, so it takes four to keep it busy.
const HOSTS: u8 = 4;

pub(super) struct Sink {
    addresses: Vec<SocketAddr>,
    posts: Arc<Mutex<HashMap<Vec<u8>, usize>>>,
}

impl Sink {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let posts = Arc::<Mutex<HashMap<Vec<u8>, usize>>>::default();
        let mut addresses = Vec::new();
        for host in 1..=HOSTS {
            // Elsewhere than on Linux there is one loopback address only.
            let Ok(listener) = TcpListener::bind((Ipv4Addr::new(127, 0, 0, host), 0)).await else { break };
            addresses.push(listener.local_addr()?);
            let posts = posts.clone();
            let router = Router::new().fallback(move |headers: HeaderMap| {
                let id = headers.get("webhook-id").map(|id| id.as_bytes().to_vec()).unwrap_or_default();
                *posts.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default() += 1;
                std::future::ready(StatusCode::NO_CONTENT)
            });
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        anyhow::ensure!(!addresses.is_empty(), "no loopback address can be listened on");
        Ok(Self { addresses, posts })
    }

    /// Where job `index` calls.
    pub(super) fn url(&self, index: usize) -> String {
        format!("http://{}/hook", self.addresses[index % self.addresses.len()])
    }

    /// What workers must be allowed to call.
    pub(super) fn allowed(&self) -> String {
        self.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    /// Runs that have called, and calls.
    pub(super) fn counts(&self) -> (usize, usize) {
        let posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        (posts.len(), posts.values().sum())
    }
}
