//! `scheduler healthcheck`: for containers, which have no curl. Exit code 0 means ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::config::Config;

pub(crate) async fn run(config: &Config) -> ExitCode {
    let url = format!("http://{}/readyz", reachable(config.listen));
    match ask(&url).await {
        Ok(()) => {
            println!("ready: {url}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("not ready: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Where what listens on `listen` answers on this machine: an address that means all is none to call.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(all) if all.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(all) if all.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => (),
    }
    listen
}

#[expect(
    clippy::disallowed_methods,
    reason = "it asks our own address; the guard is for addresses users choose"
)]
async fn ask(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(3)).build()?;
    let answer = client.get(url).send().await.with_context(|| format!("{url} does not answer"))?;
    let status = answer.status();
    if !status.is_success() {
        bail!("{url} answers {status}: {}", answer.text().await.unwrap_or_default());
    }
    Ok(())
}
