//! Another body in place of the target's own.

use serde_json::Value;

use super::{HttpTarget, LogTarget, MAX_BODY, Target};
use crate::invalid::Invalid;

impl Target {
    /// The target with `payload` in place of its body, or of a log line's message. It is filled in like the body.
    ///
    /// # Errors
    /// Where the target has no body, or `payload` cannot be it; below `/payload`.
    pub fn with_payload(&self, payload: &Value) -> Result<Self, Invalid> {
        let refuse = |code, detail: &str| Err(Invalid::one("/payload", code, detail));
        let target = match (self, payload) {
            (Self::Http(http), payload) => {
                Self::Http(HttpTarget { body: Some(payload.clone()), ..http.clone() })
            }
            (Self::Log(_), Value::String(message)) => Self::Log(LogTarget { message: message.clone() }),
            (Self::Log(_), _) => return refuse("invalid_type", "a log target takes a string"),
            (Self::Email(_) | Self::Command(_) | Self::Noop(_), _) => {
                return refuse("unsupported", "the job's target has no body that it could replace");
            }
        };
        // The rest of the target was sound before, so it is the payload that is not.
        match target.check() {
            Ok(()) => Ok(target),
            Err(_) => refuse("too_long", &format!("longer than the target takes, {MAX_BODY} bytes at most")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(json: Value) -> Target {
        crate::parse::from_value(json).unwrap()
    }

    #[test]
    fn it_takes_the_place_of_the_body_and_of_nothing_else() {
        let http =
            target(json!({"type": "http", "url": "https://example.com/", "headers": {"a": "b"}, "body": 1}));
        let with = http.with_payload(&json!({"full": false})).unwrap();
        let Target::Http(with) = with else { panic!("{with:?}") };
        assert_eq!((with.body, with.headers["a"].as_str()), (Some(json!({"full": false})), "b"));
        let log = target(json!({"type": "log", "message": "old"}));
        let with = log.with_payload(&json!("new")).unwrap();
        assert_eq!(with, Target::Log(LogTarget { message: "new".to_owned() }));
    }

    #[test]
    fn what_cannot_be_replaced_is_refused() {
        let log = target(json!({"type": "log", "message": "old"}));
        let http = target(json!({"type": "http", "url": "https://example.com/"}));
        let too_much = json!("x".repeat(MAX_BODY));
        let cases = [
            (target(json!({"type": "noop"})), json!({}), "unsupported"),
            (target(json!({"type": "command", "argv": ["sh"]})), json!("rm"), "unsupported"),
            (
                target(json!({"type": "email", "to": ["a@example.com"], "subject": "s", "text": "t"})),
                json!("t"),
                "unsupported",
            ),
            (log.clone(), json!({}), "invalid_type"),
            (log, json!("x".repeat(9_000)), "too_long"),
            (http, too_much, "too_long"),
        ];
        for (target, payload, code) in cases {
            let Invalid(errors) = target.with_payload(&payload).unwrap_err();
            assert_eq!(
                (errors[0].pointer.as_str(), errors[0].code.as_str()),
                ("/payload", code),
                "{target:?}"
            );
        }
    }
}
