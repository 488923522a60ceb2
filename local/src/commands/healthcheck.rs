//! `scheduler healthcheck`: for containers, which have no curl. Exit code 0 means ready.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::config::Config;

pub(crate) async fn run(config: &Config) -> ExitCode {
    let url = format!("http://{}/readyz", config.listen);
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
