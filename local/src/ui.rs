//! The web UI, compiled in from `frontend/dist` where that was built; without Node.js there is none, and all else works.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../frontend/dist"]
#[allow_missing = true]
struct Dist;

/// The files of the UI; `None` where it was not built.
pub(crate) fn assets() -> Option<api::Assets> {
    Dist::get("index.html")?;
    Some(Arc::new(|path: &str| {
        Dist::get(path).map(|file| match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        })
    }))
}
