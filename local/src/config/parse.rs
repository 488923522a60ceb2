//! From the text of a setting to what it means.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::{Context, bail};
use domain::HumanDuration;

pub(super) fn from_str<T: FromStr<Err: fmt::Display>>(text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|error: T::Err| anyhow::anyhow!("{error}"))
}

pub(super) fn optional<T: FromStr<Err: fmt::Display>>(text: &str) -> anyhow::Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { from_str(text).map(Some) }
}

pub(super) fn database_url(text: &str) -> anyhow::Result<String> {
    let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    if !known {
        bail!("expected sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE");
    }
    Ok(text.to_owned())
}

/// Without any of the text in its errors.
pub(super) fn secret_key(text: &str) -> anyhow::Result<Option<String>> {
    const SHORTEST: usize = 32;
    match text.chars().count() {
        0 => Ok(None),
        SHORTEST.. => Ok(Some(text.to_owned())),
        length => bail!(
            "it has {length} characters; expected {SHORTEST} or more, such as from `openssl rand -hex 32`"
        ),
    }
}

/// A secret that fits into a header.
pub(super) fn admin_key(text: &str) -> anyhow::Result<Option<String>> {
    let key = secret_key(text)?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!(
            "it has other characters than letters, digits and signs of printable ASCII; take one from `openssl rand -hex 32`"
        );
    }
    Ok(key)
}

pub(super) fn public_url(text: &str) -> anyhow::Result<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    let url: url::Url = text.parse().ok().context("expected https://HOST")?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        bail!("expected https://HOST, perhaps with a path, without user name, ? and #");
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

pub(super) fn listen(text: &str) -> anyhow::Result<SocketAddr> {
    let address = text.replace("localhost:", "127.0.0.1:");
    address.parse().ok().context("expected ADDRESS:PORT, such as 127.0.0.1:8000")
}

pub(super) fn duration(text: &str, shortest: &str, longest: &str) -> anyhow::Result<HumanDuration> {
    let value: HumanDuration = from_str(text)?;
    let (shortest, longest): (HumanDuration, HumanDuration) = (from_str(shortest)?, from_str(longest)?);
    if value < shortest || longest < value {
        bail!("{value} is outside {shortest}–{longest}");
    }
    Ok(value)
}

/// A duration, or `off`.
pub(super) fn duration_or_off(
    text: &str,
    shortest: &str,
    longest: &str,
) -> anyhow::Result<Option<HumanDuration>> {
    if text == "off" {
        Ok(None)
    } else {
        duration(text, shortest, longest).map(Some).context("expected a duration such as 90d, or off")
    }
}

/// A number up to a billion, or `off`.
pub(super) fn count_or_off(text: &str) -> anyhow::Result<Option<u32>> {
    if text == "off" {
        return Ok(None);
    }
    let count = text.parse().ok().filter(|count| (1..=1_000_000_000).contains(count));
    count.map(Some).context("expected a number from 1 to 1000000000, or off")
}

pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> anyhow::Result<T> {
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.with_context(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("“{text}” is not one of {}", names.join(", "))
    })
}
