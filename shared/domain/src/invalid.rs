//! What is wrong with a request, field by field, in words its author can act on.

use std::fmt;

use serde::Serialize;

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field, `""` for the whole document.
    #[schema(example = "/schedule/expression")]
    pub pointer: String,
    /// A stable word for programs, such as `out_of_range`.
    #[schema(example = "out_of_range")]
    pub code: String,
    /// A sentence for people.
    #[schema(example = "hour 25 is outside 0–23")]
    pub detail: String,
}

impl FieldError {
    /// A field error; `pointer` is relative to whoever collects it.
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() }
    }
}

/// A request that is well-formed but means nothing we can carry out. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub Vec<FieldError>);

impl Invalid {
    /// A single thing wrong.
    pub fn one(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self(vec![FieldError::new(pointer, code, detail)])
    }

    /// The same, of a part of a document, moved below `prefix`.
    #[must_use]
    pub fn below(self, prefix: &str) -> Self {
        let moved = |error: FieldError| FieldError { pointer: format!("{prefix}{}", error.pointer), ..error };
        Self(self.0.into_iter().map(moved).collect())
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", error.pointer, error.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Collects everything wrong with a document, so that its author sees all of it at once.
#[derive(Default)]
pub struct Findings(Vec<FieldError>);

impl Findings {
    /// Records an error at `pointer` unless `holds`.
    pub fn require(&mut self, holds: bool, pointer: &str, code: &str, detail: impl FnOnce() -> String) {
        if !holds {
            self.0.push(FieldError::new(pointer, code, detail()));
        }
    }

    /// Records what a part of the document found, moved below `prefix`; hands back the part's value.
    pub fn nest<T>(&mut self, prefix: &str, result: Result<T, Invalid>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.0.extend(invalid.below(prefix).0);
                None
            }
        }
    }

    /// Ok if nothing was found.
    pub fn finish(self) -> Result<(), Invalid> {
        if self.0.is_empty() { Ok(()) } else { Err(Invalid(self.0)) }
    }
}
