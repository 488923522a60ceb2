//! Signed-in browsers: what stands in a cookie for a key, and is computed, never stored.

use std::fmt;

use chrono::TimeDelta;
use domain::Instant;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Digest, hex};
use crate::callbacks::TokenKey;

/// How long a session lasts.
pub const SESSION_LASTS: TimeDelta = TimeDelta::hours(12);

const ADMIN: &str = "admin";

/// What sessions are computed with. The same on every replica.
#[derive(Clone)]
pub struct SessionKey(Hmac<Sha256>);

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(***)")
    }
}

impl From<&TokenKey> for SessionKey {
    fn from(key: &TokenKey) -> Self {
        Self(key.for_another_use(b"scheduler: sessions"))
    }
}

impl SessionKey {
    /// A session for the key of this digest: until when, whose, and a proof. The operator's key is not told by its digest,
    /// which might be guessed from.
    pub(super) fn write(&self, digest: &Digest, is_admin: bool, now: Instant) -> String {
        let until = (now + SESSION_LASTS).timestamp_millis();
        let whose = if is_admin { ADMIN.to_owned() } else { hex(digest) };
        let proof = self.mac(until, digest).finalize().into_bytes();
        format!("{until}.{whose}.{}", hex(&proof.into()))
    }

    /// The digest of the key that `text` is a session for, if it still is at `now`.
    pub(super) fn read(&self, text: &str, admin: Option<&Digest>, now: Instant) -> Option<Digest> {
        let mut parts = text.splitn(3, '.');
        let (until, whose, proof) = (parts.next()?.parse().ok()?, parts.next()?, unhex(parts.next()?)?);
        let digest = if whose == ADMIN { *admin? } else { unhex(whose)? };
        self.mac(until, &digest).verify_slice(&proof).ok()?;
        (now.timestamp_millis() < until).then_some(digest)
    }

    fn mac(&self, until: i64, digest: &Digest) -> Hmac<Sha256> {
        Mac::chain_update(Mac::chain_update(self.0.clone(), until.to_be_bytes()), digest)
    }
}

fn unhex(text: &str) -> Option<Digest> {
    let digit = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let plain = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes: Vec<u8> = text.as_bytes().chunks(2).filter(|_| plain).map(digit).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &[u8]) -> SessionKey {
        SessionKey::from(&TokenKey::derived(secret))
    }

    #[test]
    fn a_session_stands_for_its_key_while_it_lasts() {
        let (now, digest, admin) = (Instant::UNIX_EPOCH, [7; 32], [9; 32]);
        let session = key(b"secret").write(&digest, false, now);
        let read = |text: &str, at| key(b"secret").read(text, Some(&admin), at);
        let last = now + SESSION_LASTS - TimeDelta::milliseconds(1);
        assert_eq!(read(&session, last), Some(digest), "on every replica");
        assert_eq!(read(&session, last + TimeDelta::milliseconds(1)), None);
        assert_eq!(key(b"other").read(&session, None, now), None);
        let other = session.replace("0707", "0708");
        let later = session.replacen(|it: char| it.is_ascii_digit(), "9", 1);
        for text in
            ["", "a", "1.2.3", "..", &other, &later, &session[1..], &format!("{session}0"), "9.admin."]
        {
            assert_eq!(read(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_session_of_the_operator_ends_with_the_operators_key() {
        let (now, admin) = (Instant::UNIX_EPOCH, [9; 32]);
        let session = key(b"secret").write(&admin, true, now);
        assert!(!session.contains(&hex(&admin)));
        assert_eq!(key(b"secret").read(&session, Some(&admin), now), Some(admin));
        assert_eq!(key(b"secret").read(&session, Some(&[8; 32]), now), None);
        assert_eq!(key(b"secret").read(&session, None, now), None);
    }
}
