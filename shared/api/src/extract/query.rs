//! Query strings, strictly: a misspelt filter must not answer with everything.

use domain::{Instant, is_in_range, whole_millis};
use url::form_urlencoded;

use crate::problem::{Code, PartProblem, Problem};

/// A query string being read. Whatever is left over at the end was unknown.
pub struct QueryString {
    pairs: Vec<(String, String)>,
    errors: Vec<PartProblem>,
}

impl QueryString {
    /// Splits and decodes a query string.
    pub fn parse(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        Self { pairs, errors: Vec::new() }
    }

    /// The value of a parameter that may be given once.
    pub fn one<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let mut values = self.take(name);
        if values.len() > 1 {
            self.errors.push(PartProblem::parameter(name, "duplicate", "may be given once only"));
            return None;
        }
        let parsed = parse(&values.pop()?);
        self.keep(name, parsed)
    }

    /// The values of a parameter that may be given again and again.
    pub fn many<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let values = self.take(name);
        values.iter().filter_map(|value| self.keep(name, parse(value))).collect()
    }

    /// The values of a parameter that may be given again and again, or once with commas.
    pub fn words<T: Copy>(&mut self, name: &str, known: &[(&str, T)]) -> Vec<T> {
        let values = self.take(name);
        let words = values.iter().flat_map(|value| value.split(','));
        words.filter_map(|word| self.keep(name, one_of(known, word))).collect()
    }

    /// A number of rows.
    pub fn limit(&mut self) -> u32 {
        const DEFAULT: u32 = 50;
        let parse = |text: &str| match text.parse() {
            Ok(limit @ 1..=200) => Ok(limit),
            _ => Err("is a whole number from 1 to 200".to_owned()),
        };
        self.one("limit", parse).unwrap_or(DEFAULT)
    }

    /// Refuses the query if anything in it was wrong or unknown.
    pub fn finish(mut self) -> Result<(), Problem> {
        let unknown = std::mem::take(&mut self.pairs);
        self.errors.extend(unknown.iter().map(|(name, _)| {
            PartProblem::parameter(&shorten(name), "unknown_parameter", "is not a parameter of this address")
        }));
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::with_parts(Code::InvalidQuery, self.errors))
        }
    }

    fn take(&mut self, name: &str) -> Vec<String> {
        let taken = self.pairs.extract_if(.., |(key, _)| key == name).map(|(_, value)| value);
        // No text with control characters is stored anywhere, and some stores refuse to look for it.
        let (odd, plain): (Vec<_>, Vec<_>) = taken.partition(|value| value.chars().any(char::is_control));
        if !odd.is_empty() {
            self.errors.push(PartProblem::parameter(name, "invalid_value", "holds a control character"));
        }
        plain
    }

    fn keep<T>(&mut self, name: &str, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|detail| self.errors.push(PartProblem::parameter(name, "invalid_value", detail))).ok()
    }
}

/// An instant of the time the service knows.
pub fn instant(text: &str) -> Result<Instant, String> {
    // A plus sign that was not encoded has become a space.
    let at = chrono::DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
    let at = at.map_err(|_| "is an instant such as 2026-12-01T09:00:00Z".to_owned())?;
    let at = whole_millis(at.to_utc());
    if is_in_range(at) { Ok(at) } else { Err("lies outside 1970–2100".to_owned()) }
}

/// The value `word` stands for.
pub fn one_of<T: Copy>(known: &[(&str, T)], word: &str) -> Result<T, String> {
    known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        format!("“{}” is none of {}", shorten(word), names.join(", "))
    })
}

/// Enough of a user's text to recognise it.
fn shorten(text: &str) -> String {
    const KEEP: usize = 60;
    if text.chars().count() <= KEEP {
        text.to_owned()
    } else {
        text.chars().take(KEEP).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: [(&str, char); 2] = [("left", 'l'), ("right", 'r')];

    #[test]
    fn words_may_be_repeated_or_joined() {
        let mut query = QueryString::parse(Some("side=left,right&side=left"));
        assert_eq!(query.words("side", &SIDES), ['l', 'r', 'l']);
        assert_eq!(query.finish(), Ok(()));
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let mut query = QueryString::parse(Some("limit=0&side=up&cursor=a&cursor=b&q=%00&lable=x"));
        query.limit();
        query.words("side", &SIDES);
        query.one("cursor", |text| Ok(text.to_owned()));
        query.one("q", |text| Ok(text.to_owned()));
        let problem = query.finish().unwrap_err();
        insta::assert_snapshot!(problem.detail.replace("; ", "\n"), @r"
        limit: is a whole number from 1 to 200
        side: “up” is none of left, right
        cursor: may be given once only
        q: holds a control character
        lable: is not a parameter of this address
        ");
    }
}
