//! Signatures of the Standard Webhooks kind, so that a receiver knows who calls.
//!
//! Not the crate `standardwebhooks`: it brings an older base64, a second HMAC and `time` for the ten lines we
//! need, and reads the wall clock.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// The specification's bounds on a secret, in bytes.
const SECRET_LEN: std::ops::RangeInclusive<usize> = 24..=64;

/// Two are enough to exchange one for another without a moment in which receivers refuse us.
const MAX_SECRETS: usize = 2;

/// Reads base64 with and without its trailing `=`: secrets are copied by hand.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secrets calls are signed with: none, one, or two while one replaces the other.
#[derive(Clone, Default)]
pub struct SigningSecrets(Vec<Hmac<Sha256>>);

/// Why a text is not a list of signing secrets. Never holds any of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// One of them is not `whsec_` and base64.
    #[error("signing secret {0} is not “whsec_” followed by base64")]
    Malformed(usize),
    /// One of them has too few or too many bytes.
    #[error("signing secret {0} holds {1} bytes; it must hold 24 to 64")]
    Length(usize, usize),
    /// There are too many.
    #[error("there are {0} signing secrets; at most 2 can be active")]
    TooMany(usize),
}

impl SigningSecrets {
    /// Whether calls are not signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of `webhook-signature`: one signature for each secret, separated by spaces.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut signatures = String::with_capacity(self.0.len() * 48);
        let timestamp = timestamp.to_string();
        for keyed in &self.0 {
            let mut mac = keyed.clone();
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            if !signatures.is_empty() {
                signatures.push(' ');
            }
            signatures.push_str("v1,");
            STANDARD.encode_string(mac.finalize().into_bytes().as_slice(), &mut signatures);
        }
        signatures
    }
}

impl FromStr for SigningSecrets {
    type Err = SecretsError;

    /// Reads secrets separated by white space, each `whsec_` and the base64 of 24 to 64 random bytes.
    fn from_str(text: &str) -> Result<Self, SecretsError> {
        let count = text.split_whitespace().count();
        if MAX_SECRETS < count {
            return Err(SecretsError::TooMany(count));
        }
        let parse = |(index, secret): (usize, &str)| {
            let number = index + 1;
            let key = secret
                .strip_prefix(PREFIX)
                .and_then(|key| LENIENT.decode(key).ok())
                .ok_or(SecretsError::Malformed(number))?;
            if !SECRET_LEN.contains(&key.len()) {
                return Err(SecretsError::Length(number, key.len()));
            }
            Hmac::new_from_slice(&key).map_err(|_| SecretsError::Malformed(number))
        };
        text.split_whitespace().enumerate().map(parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecrets({} hidden)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const AT: i64 = 1_649_367_553;
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn signs_as_the_published_vector_says() {
        let secrets: SigningSecrets = SECRET.parse().unwrap();
        assert_eq!(secrets.sign(ID, AT, BODY), SIGNATURE);
    }

    #[test]
    fn each_secret_signs_during_a_rotation() {
        let other = format!("{PREFIX}{}", STANDARD.encode([7; 64]));
        let both: SigningSecrets = format!(" {SECRET}\n{other} ").parse().unwrap();
        let other: SigningSecrets = other.parse().unwrap();
        assert_eq!(both.sign(ID, AT, BODY), format!("{SIGNATURE} {}", other.sign(ID, AT, BODY)));
    }

    #[test]
    fn no_secret_no_signature() {
        let none: SigningSecrets = " \n".parse().unwrap();
        assert!(none.is_empty());
        assert_eq!(none.sign(ID, AT, BODY), "");
    }

    #[test]
    fn padding_does_not_matter() {
        let padded: SigningSecrets = format!("{PREFIX}{}", STANDARD.encode([7; 25])).parse().unwrap();
        let bare: SigningSecrets =
            format!("{PREFIX}{}", STANDARD.encode([7; 25]).trim_end_matches('=')).parse().unwrap();
        assert_eq!(padded.sign(ID, AT, BODY), bare.sign(ID, AT, BODY));
    }

    #[test]
    fn bad_secrets_are_named_by_their_place_and_never_shown() {
        let of = |bytes: usize| format!("{PREFIX}{}", STANDARD.encode(vec![7; bytes]));
        let cases = [
            (of(23), SecretsError::Length(1, 23)),
            (of(65), SecretsError::Length(1, 65)),
            (format!("{SECRET} {}", of(10)), SecretsError::Length(2, 10)),
            (format!("{SECRET} {SECRET} {SECRET}"), SecretsError::TooMany(3)),
            ("whsec_".to_owned(), SecretsError::Length(1, 0)),
            ("whsec_###".to_owned(), SecretsError::Malformed(1)),
            (SECRET.replace("whsec_", "whsk_"), SecretsError::Malformed(1)),
            (SECRET.replace("whsec_", ""), SecretsError::Malformed(1)),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<SigningSecrets>().unwrap_err(), error, "{text}");
        }
        let secrets: SigningSecrets = SECRET.parse().unwrap();
        assert_eq!(format!("{secrets:?}"), "SigningSecrets(1 hidden)");
    }
}
