//! The log target: a line in the service's own log.

use std::fmt::Write;

use domain::Verdict;
use domain::target::LogTarget;
use engine::Call;

use crate::template::Values;

pub(crate) fn execute(call: &Call, target: &LogTarget) -> Verdict {
    let values = Values::new(call);
    let message = one_line(&values.fill(&target.message));
    tracing::info!(
        target: "job",
        { job.id = %call.job_id, job.name = call.job_name, run.id = values.run_id, run.attempt = call.attempt },
        "{message}"
    );
    Verdict::Succeeded
}

/// `text` with control characters written out: a message must not be able to forge another log line.
fn one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, char| {
        if char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') {
            // Writing to a string cannot fail.
            let _ = write!(line, "{}", char.escape_default());
        } else {
            line.push(char);
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_its_line() {
        assert_eq!(one_line("plain ünï \"x\""), "plain ünï \"x\"");
        assert_eq!(
            one_line("a\n{\"level\":\"error\"}\r\u{1b}[31m\u{2028}"),
            "a\\n{\"level\":\"error\"}\\r\\u{1b}[31m\\u{2028}"
        );
    }
}
