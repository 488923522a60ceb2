//! The text of an API key: `sk_`, thirty random characters, and a checksum over both, so that what was mistyped or never
//! was a key is told without asking anybody.

use std::fmt;

const PREFIX: &str = "sk_";
const RANDOM: usize = 30;
const CHECKSUM: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key as its owner has it. Kept nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

impl ApiKey {
    /// The key made of 256 random bits, of which it holds 178.
    pub fn new(random: [u128; 2]) -> Self {
        let mut text = PREFIX.to_owned();
        for number in random {
            text.extend(digits(number, RANDOM / 2));
        }
        let checksum = checksum(&text);
        text.extend(checksum);
        Self(text)
    }

    /// The key that `text` has the form of.
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?;
        let sound =
            random.len() == RANDOM + CHECKSUM && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (body, sum) = text.split_at_checked(PREFIX.len() + RANDOM).filter(|_| sound)?;
        checksum(body).eq(sum.chars()).then(|| Self(text.to_owned()))
    }

    /// The key itself, for its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// So much of it that its owner recognises it, and nobody else gets anywhere.
    pub fn hint(&self) -> String {
        format!("{}…", &self.0[..PREFIX.len() + 4])
    }
}

fn checksum(text: &str) -> impl Iterator<Item = char> + use<> {
    digits(crc32fast::hash(text.as_bytes()).into(), CHECKSUM)
}

/// The last `count` digits of `number` in base 62, the lowest first.
fn digits(mut number: u128, count: usize) -> impl Iterator<Item = char> {
    std::iter::repeat_with(move || {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        number /= 62;
        char::from(DIGITS[digit])
    })
    .take(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_read_back_and_no_slip_of_one_character(random: [u128; 2], place in 0_usize..39, slip in "[ -~]") {
            let key = ApiKey::new(random);
            prop_assert_eq!(key.reveal().len(), 39);
            prop_assert_eq!(ApiKey::parse(key.reveal()), Some(key.clone()));
            let mut slipped = key.reveal().to_owned();
            slipped.replace_range(place..=place, &slip);
            prop_assert!(slipped == key.reveal() || ApiKey::parse(&slipped).is_none());
            prop_assert!(key.hint().starts_with(&key.reveal()[..7]) && key.hint().chars().count() == 8);
        }

        #[test]
        fn no_other_text_is_a_key(text in ".{0,60}") {
            prop_assert_eq!(ApiKey::parse(&text), None);
            let with_prefix = format!("sk_{text}");
            prop_assert_eq!(ApiKey::parse(&with_prefix), None);
        }
    }

    #[test]
    fn it_is_shown_nowhere() {
        assert_eq!(format!("{:?}", ApiKey::new([1, 2])), "ApiKey(***)");
    }
}
