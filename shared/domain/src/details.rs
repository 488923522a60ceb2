//! What an attempt leaves on record beside a request and its response.

use serde::{Deserialize, Serialize};

use crate::Instant;

/// What an attempt brought beside a request and its response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Details {
    /// An e-mail.
    Email(EmailRecord),
    /// A command.
    Command(CommandRecord),
    /// Work that went on after its call, which the record's `request` and `response` are of.
    Callback(CallbackRecord),
}

/// What a target reported of the end of its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CallbackRecord {
    /// When it took the work.
    #[schema(value_type = String, format = DateTime)]
    pub accepted_at: Instant,
    /// What it had to say of it, 64 KiB at most.
    #[serde(default)]
    #[schema(required)]
    pub output: Option<String>,
    /// Whether it said more than that.
    #[serde(default)]
    pub output_truncated: bool,
}

/// What was sent, and what the mail server said to it. The text is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EmailRecord {
    /// The sender's address.
    pub from: String,
    /// The addresses of all recipients.
    pub recipients: Vec<String>,
    /// The subject, filled in.
    pub subject: String,
    /// The `Message-ID`, the same for all attempts of a run.
    #[schema(example = "<run_01kc0000000000000000000000@example.com>")]
    pub message_id: String,
    /// The last thing the mail server said; `null` where it said nothing.
    #[serde(default)]
    #[schema(required, example = "250 2.0.0 Ok: queued as 4F1d2Z")]
    pub reply: Option<String>,
}

/// How a command ended, and what it wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CommandRecord {
    /// Its exit status; `null` where it was killed, or did not end in time to be heard.
    #[serde(default)]
    #[schema(required)]
    pub exit_code: Option<i32>,
    /// The signal that killed it.
    #[serde(default)]
    #[schema(required)]
    pub signal: Option<i32>,
    /// The beginning of what it wrote to its standard output, 64 KiB at most.
    #[serde(default)]
    #[schema(required)]
    pub stdout: Option<String>,
    /// Whether it wrote more than that.
    pub stdout_truncated: bool,
    /// The beginning of what it wrote to its standard error, 64 KiB at most.
    #[serde(default)]
    #[schema(required)]
    pub stderr: Option<String>,
    /// Whether it wrote more than that.
    pub stderr_truncated: bool,
}
