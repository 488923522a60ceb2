//! A command as a target: the program, its arguments, and what it is given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MAX_BODY;
use crate::duration::shorten;
use crate::invalid::{Findings, Invalid};

/// A program, run by the service itself: only where its operator allows it (`SCHEDULER_ENABLE_COMMAND`).
///
/// No shell is involved unless the program is one. Exit status 0 means success. Beside `env` it gets `PATH`, `HOME`,
/// `LANG`, `TZ`, what `SCHEDULER_COMMAND_ENV` names, and `SCHEDULER_RUN_ID`, `SCHEDULER_JOB_NAME`,
/// `SCHEDULER_ATTEMPT` and `SCHEDULER_SCHEDULED_FOR`. Nothing it starts outlives it, apart from what leaves its
/// process group; on timeout or cancellation it gets SIGTERM, and SIGKILL two seconds later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandTarget {
    /// The program and its arguments, as they are. A program without a slash is looked for in `PATH`.
    #[schema(min_items = 1, max_items = 256, example = json!(["/usr/bin/env", "true"]))]
    pub argv: Vec<String>,
    /// An absolute path; where not given, the service's own working directory.
    #[serde(default)]
    pub working_dir: Option<String>,
    /// Environment variables; values are filled in like an HTTP body. Names that begin with `SCHEDULER_` are the
    /// service's.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What it reads from its standard input, filled in like an HTTP body; where not given, nothing.
    #[serde(default)]
    pub stdin: Option<String>,
}

impl CommandTarget {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        // What Linux lets one argument hold, and far less than it lets all of them hold together.
        const MAX_TEXT: usize = 128 * 1024 - 1;
        const MAX_ARGS: usize = 256;
        const MAX_ENV: usize = 100;
        let mut findings = Findings::default();
        findings.require((1..=MAX_ARGS).contains(&self.argv.len()), "/argv", "out_of_range", || {
            format!("needs between 1 and {MAX_ARGS} entries, the first of them the program")
        });
        if self.argv.first().is_some_and(String::is_empty) {
            findings.nest("/argv/0", Err::<(), _>(Invalid::one("", "too_short", "must not be empty")));
        }
        let size: usize = self.argv.iter().chain(self.env.values()).map(String::len).sum();
        findings.require(size <= MAX_TEXT, "/argv", "too_long", || {
            format!("arguments and environment hold more than {MAX_TEXT} bytes")
        });
        for (index, argument) in self.argv.iter().enumerate().take(MAX_ARGS) {
            no_nul(&mut findings, &format!("/argv/{index}"), argument);
        }
        if let Some(directory) = &self.working_dir {
            no_nul(&mut findings, "/working_dir", directory);
            findings.require(directory.starts_with('/'), "/working_dir", "invalid_value", || {
                "is not an absolute path".to_owned()
            });
        }
        findings.require(self.env.len() <= MAX_ENV, "/env", "too_long", || {
            format!("more than {MAX_ENV} variables")
        });
        for (name, value) in self.env.iter().take(MAX_ENV) {
            let pointer = format!("/env/{}", shorten(name).replace('~', "~0").replace('/', "~1"));
            findings.require(
                !name.is_empty() && !name.contains(['=', '\0']),
                &pointer,
                "invalid_value",
                || "is not the name of an environment variable".to_owned(),
            );
            findings.require(!name.starts_with("SCHEDULER_"), &pointer, "reserved", || {
                "is set by the service itself".to_owned()
            });
            no_nul(&mut findings, &pointer, value);
        }
        let stdin = self.stdin.as_ref().map_or(0, String::len);
        findings.require(stdin <= MAX_BODY, "/stdin", "too_long", || format!("longer than {MAX_BODY} bytes"));
        findings.finish()
    }
}

/// The kernel takes NUL for the end of a string: what stands behind it would be lost without a word.
fn no_nul(findings: &mut Findings, pointer: &str, text: &str) {
    findings.require(!text.contains('\0'), pointer, "invalid_value", || "holds a NUL character".to_owned());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(target: serde_json::Value) -> Vec<(String, String)> {
        let checked = crate::parse::from_value::<crate::Target>(target).and_then(|target| target.check());
        let errors = checked.err().map_or(Vec::new(), |invalid| invalid.0);
        errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (change, expected) in [
            (json!({}), vec![]),
            (json!({"argv": ["x", "", "ü 'quoted' $HOME"], "working_dir": "/", "env": {"A": ""}}), vec![]),
            (json!({"argv": []}), vec![("/argv", "out_of_range")]),
            (json!({"argv": [""]}), vec![("/argv/0", "too_short")]),
            (json!({"argv": ["x", "a\0b"]}), vec![("/argv/1", "invalid_value")]),
            (json!({"argv": "ls -l"}), vec![("/argv", "invalid_type")]),
            (json!({"argv": vec!["x"; 257]}), vec![("/argv", "out_of_range")]),
            (json!({"argv": ["x", "y".repeat(128 * 1024)]}), vec![("/argv", "too_long")]),
            (json!({"working_dir": "here"}), vec![("/working_dir", "invalid_value")]),
            (json!({"working_dir": "/a\0"}), vec![("/working_dir", "invalid_value")]),
            (json!({"env": {"A=B": "x"}}), vec![("/env/A=B", "invalid_value")]),
            (json!({"env": {"": "x"}}), vec![("/env/", "invalid_value")]),
            (json!({"env": {"A": "\0"}}), vec![("/env/A", "invalid_value")]),
            (json!({"env": {"SCHEDULER_RUN_ID": "x"}}), vec![("/env/SCHEDULER_RUN_ID", "reserved")]),
            (json!({"stdin": "x".repeat(MAX_BODY + 1)}), vec![("/stdin", "too_long")]),
            (json!({"shell": true}), vec![("/shell", "unknown_field")]),
        ] {
            let mut target = json!({"type": "command", "argv": ["true"]});
            target.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let expected: Vec<_> =
                expected.into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).collect();
            assert_eq!(found(target), expected, "{change}");
        }
    }
}
