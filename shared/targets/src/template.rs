//! Fills `{{run.id}}`, `{{scheduled_for}}`, `{{attempt}}` and `{{job.name}}` into what a job sends.

use std::borrow::Cow;

use chrono::SecondsFormat;
use engine::Call;
use serde_json::Value;

/// No placeholder is longer, so none is looked for further: a text full of braces is read in linear time.
const LONGEST: usize = 32;

/// What placeholders stand for, as text.
pub(crate) struct Values<'a> {
    pub(crate) run_id: String,
    pub(crate) scheduled_for: String,
    pub(crate) attempt: String,
    pub(crate) job_name: &'a str,
}

impl<'a> Values<'a> {
    pub(crate) fn new(call: &'a Call) -> Self {
        Self {
            run_id: call.run_id.to_string(),
            scheduled_for: call.scheduled_for.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            attempt: call.attempt.to_string(),
            job_name: &call.job_name,
        }
    }

    /// Fills in `text`. Unknown placeholders stay as they are; values are never filled in again.
    pub(crate) fn fill<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.fill_encoded(text, |value| Cow::Borrowed(value))
    }

    /// Like [`Self::fill`], each value first passed through `encode`.
    pub(crate) fn fill_encoded<'t>(
        &self,
        text: &'t str,
        encode: impl Fn(&str) -> Cow<'_, str>,
    ) -> Cow<'t, str> {
        if !text.contains("{{") {
            return Cow::Borrowed(text);
        }
        let mut filled = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let inside = &rest[start + 2..];
            let end = inside.as_bytes().windows(2).take(LONGEST).position(|it| it == b"}}");
            let known = end.and_then(|end| Some((end, self.value(inside[..end].trim())?)));
            filled.push_str(&rest[..start]);
            if let Some((end, value)) = known {
                filled.push_str(&encode(value));
                rest = &inside[end + 2..];
            } else {
                // One brace only: `{{{attempt}}` holds a placeholder that begins at the second one.
                filled.push('{');
                rest = &rest[start + 1..];
            }
        }
        filled.push_str(rest);
        Cow::Owned(filled)
    }

    /// Fills in every string inside `value`; keys and everything else stay.
    pub(crate) fn fill_json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text).into_owned()),
            Value::Array(items) => items.iter().map(|item| self.fill_json(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.fill_json(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        match name {
            "run.id" => Some(&self.run_id),
            "scheduled_for" => Some(&self.scheduled_for),
            "attempt" => Some(&self.attempt),
            "job.name" => Some(self.job_name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values(job_name: &str) -> Values<'_> {
        Values {
            run_id: "run_1".to_owned(),
            scheduled_for: "2026-11-24T01:00:00Z".to_owned(),
            attempt: "2".to_owned(),
            job_name,
        }
    }

    #[test]
    fn fills_in_what_it_knows_and_nothing_else() {
        for (text, filled) in [
            ("", ""),
            ("plain", "plain"),
            ("{{run.id}}/{{scheduled_for}}/{{attempt}}/{{job.name}}", "run_1/2026-11-24T01:00:00Z/2/nightly"),
            ("{{ attempt }}", "2"),
            ("{{attempt}}{{attempt}}", "22"),
            ("{{{attempt}}}", "{2}"),
            ("{{{{attempt}}}}", "{{2}}"),
            ("{{unknown}} {{attempt}}", "{{unknown}} 2"),
            ("{{unknown {{attempt}}", "{{unknown 2"),
            ("{{secrets.TOKEN}}", "{{secrets.TOKEN}}"),
            ("{{Attempt}}", "{{Attempt}}"),
            ("{{attempt", "{{attempt"),
            ("{attempt}", "{attempt}"),
            ("{{}}", "{{}}"),
            ("ü{{attempt}}ü", "ü2ü"),
        ] {
            assert_eq!(values("nightly").fill(text), filled, "{text}");
        }
    }

    #[test]
    fn a_text_full_of_braces_is_read_in_linear_time() {
        let text = format!("{}é}}}}{{{{attempt}}}}", "{".repeat(256 * 1024));
        assert_eq!(values("x").fill(&text), text.replace("{{attempt}}", "2"));
    }

    #[test]
    fn a_value_is_not_a_template() {
        assert_eq!(values("{{attempt}}").fill("{{job.name}}"), "{{attempt}}");
    }

    #[test]
    fn only_strings_of_json_are_filled_in() {
        let body = json!({"{{attempt}}": ["{{attempt}}", 1, null, {"a": "{{job.name}}"}]});
        let filled = json!({"{{attempt}}": ["2", 1, null, {"a": "say \"hi\""}]});
        assert_eq!(values("say \"hi\"").fill_json(&body), filled);
    }

    proptest! {
        #[test]
        fn text_without_known_placeholders_is_untouched(text in "[{}a. ü]{0,40}") {
            prop_assert_eq!(values("x").fill(&text), text.as_str());
        }
    }
}
