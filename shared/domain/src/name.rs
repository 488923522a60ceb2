//! Names that users give to things.

use crate::ids::JobId;
use crate::invalid::Invalid;

/// Names appear in URLs, logs and metrics: printable, bounded, and never to be taken for an id.
pub(crate) fn check_name(name: &str) -> Result<(), Invalid> {
    let refuse = |code, detail: &str| Err(Invalid::one("", code, detail));
    if name.trim().is_empty() {
        return refuse("too_short", "must not be empty");
    }
    if name.chars().count() > 128 {
        return refuse("too_long", "longer than 128 characters");
    }
    if name.chars().any(char::is_control) || name.trim() != name {
        return refuse("invalid_value", "must not hold control characters, nor begin or end with a space");
    }
    if name.parse::<JobId>().is_ok() {
        return refuse("invalid_value", "has the form of an id");
    }
    Ok(())
}
