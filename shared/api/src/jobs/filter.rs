//! What lists of jobs are filtered by.

/// A label, as it is written in queries.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once(':').ok_or("is written key:value, as in team:billing")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A piece of a name; an empty one is none.
pub(crate) fn searched(text: &str) -> Result<Option<String>, String> {
    match text.chars().count() {
        0 => Ok(None),
        1..=128 => Ok(Some(text.to_owned())),
        _ => Err("is longer than any name".to_owned()),
    }
}
