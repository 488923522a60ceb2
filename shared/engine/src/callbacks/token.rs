//! The token a target reports with: good for one attempt of one run. It is computed, never stored.

use std::borrow::Cow;
use std::fmt::{self, Write};

use domain::RunId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::access::DEFAULT_PROJECT;

const PREFIX: &str = "srt_";
/// Before the name of the project, so that a report finds its run; it proves nothing, and need not.
const PROJECT: char = '.';

/// What tokens are computed with. The same on every replica.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(***)")
    }
}

/// A token. Shown nowhere but to its target.
#[derive(Clone, PartialEq, Eq)]
pub struct RunToken(String);

impl fmt::Debug for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunToken(***)")
    }
}

impl TokenKey {
    /// The key that belongs to a secret of the service.
    pub fn derived(secret: &[u8]) -> Self {
        let key = Mac::chain_update(keyed(secret), b"scheduler: tokens of runs").finalize().into_bytes();
        Self(keyed(key.as_slice()))
    }

    /// The token for the attempt of `run` that is made under the lease `token`.
    pub fn token(&self, run: RunId, token: u64) -> RunToken {
        let mac = self.mac(run, token).finalize().into_bytes();
        let mut text = format!("{PREFIX}{token}_");
        for byte in mac.as_slice() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        RunToken(text)
    }

    /// The lease that `text` is a token of, if it is one of `run`'s.
    pub fn read(&self, run: RunId, text: &str) -> Option<u64> {
        let text = text.split_once(PROJECT).map_or(text, |(text, _)| text);
        let (token, mac) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let token = token.parse().ok()?;
        let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let mac: Vec<u8> = mac.as_bytes().chunks(2).map(hex).collect::<Option<_>>()?;
        self.mac(run, token).verify_slice(&mac).ok()?;
        Some(token)
    }

    /// A key for something else, from which this one cannot be told.
    pub(crate) fn for_another_use(&self, what: &[u8]) -> Hmac<Sha256> {
        keyed(Mac::chain_update(self.0.clone(), what).finalize().into_bytes().as_slice())
    }

    fn mac(&self, run: RunId, token: u64) -> Hmac<Sha256> {
        Mac::chain_update(Mac::chain_update(self.0.clone(), run.0.as_bytes()), token.to_be_bytes())
    }
}

/// The project that a token says its run is of.
pub fn project_of(token: &str) -> Option<&str> {
    token.split_once(PROJECT).map(|(_, project)| project)
}

impl RunToken {
    /// The same token, of a run in `project`.
    #[must_use]
    pub fn of_project(self, project: &str) -> Self {
        if project == DEFAULT_PROJECT { self } else { Self(format!("{}{PROJECT}{project}", self.0)) }
    }

    /// The token itself, for its target.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without the token, should it be in there.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.contains(&self.0) { text.replace(&self.0, "***").into() } else { text.into() }
    }
}

/// Hashed first: then it is of one length, whatever it is.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(Sha256::digest(key).as_slice());
    Hmac::new(&block.into())
}

#[cfg(test)]
mod tests {
    use domain::{JobId, RunKind};

    use super::*;

    fn run(nonce: u64) -> RunId {
        RunId::derive(JobId::NIL, chrono::DateTime::UNIX_EPOCH, RunKind::Manual, nonce)
    }

    #[test]
    fn a_token_is_good_for_one_lease_of_one_run() {
        let key = TokenKey::derived(b"secret");
        let token = key.token(run(1), 3);
        assert_eq!(key.read(run(1), token.reveal()), Some(3));
        assert_eq!(TokenKey::derived(b"secret").read(run(1), token.reveal()), Some(3), "on every replica");
        assert_eq!(key.read(run(2), token.reveal()), None);
        assert_eq!(TokenKey::derived(b"other").read(run(1), token.reveal()), None);
        assert_eq!(key.read(run(1), &token.reveal().replace("srt_3", "srt_4")), None);
    }

    #[test]
    fn it_says_which_project_its_run_is_of() {
        let key = TokenKey::derived(b"secret");
        let token = key.token(run(1), 3).of_project("billing");
        assert_eq!(
            (key.read(run(1), token.reveal()), project_of(token.reveal())),
            (Some(3), Some("billing"))
        );
        let token = key.token(run(1), 3).of_project("default");
        assert_eq!((token.clone(), project_of(token.reveal())), (key.token(run(1), 3), None));
    }

    #[test]
    fn anything_else_is_none() {
        let key = TokenKey::derived(b"secret");
        let token = key.token(run(1), 3);
        let token = token.reveal();
        let short = &token[..token.len() - 2];
        for text in
            ["", "srt_", "srt_3_", "srt__00", "srt_-3_00", "srt_3_zz", "srt_3_é", "x", short, &token[4..]]
        {
            assert_eq!(key.read(run(1), text), None, "{text}");
        }
        assert_eq!(key.read(run(1), &format!("{token}00")), None);
    }

    #[test]
    fn it_is_shown_nowhere() {
        let token = TokenKey::derived(b"secret").token(run(1), 3);
        assert_eq!(format!("{token:?} {:?}", TokenKey::derived(b"x")), "RunToken(***) TokenKey(***)");
        let said = format!("token={}!", token.reveal());
        assert_eq!((token.hide(&said).as_ref(), token.hide("no").as_ref()), ("token=***!", "no"));
    }
}
