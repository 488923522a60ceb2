//! Who asks: from the token a request brings to the [`Principal`] behind it.

use std::fmt;

use domain::{Principal, Reach, Role};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::StoreError;

/// Knows whom tokens stand for.
#[derive(Clone)]
pub struct Access {
    /// The digest of the operator's key; `None` where whoever asks may do everything.
    admin: Option<[u8; 32]>,
}

/// Why nobody is known by a token.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// There is none.
    #[error("there is no token")]
    Missing,
    /// It is not valid, or no longer.
    #[error("the token is not valid")]
    Invalid,
    /// It cannot be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.admin.is_some() { "Access(***)" } else { "Access(open)" })
    }
}

impl Access {
    /// Whoever asks may do everything.
    pub fn open() -> Self {
        Self { admin: None }
    }

    /// Only who has a key may do anything; this one opens everything.
    pub fn with_admin_key(key: &str) -> Self {
        Self { admin: Some(digest(key)) }
    }

    /// Whom `token` stands for.
    ///
    /// # Errors
    /// [`Denied`] where it is nobody.
    #[expect(clippy::unused_async, reason = "keys are looked up in a store")]
    pub async fn principal(&self, token: Option<&str>) -> Result<Principal, Denied> {
        let everything = |name: &str| Principal { name: name.into(), role: Role::Admin, reach: Reach::All };
        let Some(admin) = &self.admin else { return Ok(everything("anonymous")) };
        let token = digest(token.ok_or(Denied::Missing)?);
        if bool::from(admin.ct_eq(&token)) { Ok(everything("admin")) } else { Err(Denied::Invalid) }
    }
}

/// Of what is compared, so that neither length nor contents show in how long that takes.
fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_key_opens() {
        let access = Access::with_admin_key("k-0123456789");
        assert_eq!(access.principal(Some("k-0123456789")).await.unwrap().role, Role::Admin);
        for bad in ["", "k-012345678", "k-0123456789 ", "K-0123456789"] {
            assert!(matches!(access.principal(Some(bad)).await, Err(Denied::Invalid)), "{bad:?}");
        }
        assert!(matches!(access.principal(None).await, Err(Denied::Missing)));
        assert_eq!(format!("{access:?}"), "Access(***)");
    }

    #[tokio::test]
    async fn without_a_key_everything_is_open() {
        for token in [None, Some("x")] {
            assert!(Access::open().principal(token).await.unwrap().may_everywhere(Role::Admin));
        }
    }
}
