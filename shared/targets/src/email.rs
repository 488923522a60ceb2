//! E-mail targets: write the letter, hand it to the mail server, judge the reply.
//!
//! The mail server is the operator's setting, not the user's, so it may have any address, private ones included.

mod dialogue;
mod letter;
mod server;

use std::sync::Arc;
use std::time::Duration;

use domain::target::{EmailTarget, Mailbox};
use domain::{Details, Outcome, Verdict};
use engine::{Call, Clock};
use tokio_util::sync::CancellationToken;

pub use self::server::{MailServer, MailServerError, Security};

use self::dialogue::Dialogue;
use self::letter::Letter;

/// Carries out e-mail targets, each on a connection of its own.
pub(crate) struct Email {
    server: Option<MailServer>,
    from: Option<Mailbox>,
    clock: Arc<dyn Clock>,
}

impl Email {
    pub(crate) fn new(server: Option<MailServer>, from: Option<Mailbox>, clock: Arc<dyn Clock>) -> Self {
        Self { server, from, clock }
    }

    /// One attempt. Ends at once when `cancel` fires.
    pub(crate) async fn execute(
        &self,
        call: &Call,
        target: &EmailTarget,
        cancel: CancellationToken,
    ) -> Outcome {
        let Some(server) = &self.server else {
            return not_configured(
                "no mail server is configured; an operator can name one",
                "SCHEDULER_SMTP_URL",
            );
        };
        let Some(from) = target.from.as_ref().or(self.from.as_ref()) else {
            return not_configured(
                "the job names no sender; give it `from`, or an operator can set one",
                "SCHEDULER_SMTP_FROM",
            );
        };
        let letter = match Letter::write(call, target, from, self.clock.now()) {
            Ok(letter) => letter,
            Err(verdict) => return verdict.into(),
        };
        let mut dialogue = Dialogue::new(server);
        let sent = cancel.run_until_cancelled(dialogue.send(&letter)).await;
        let verdict = match sent {
            Some(Ok(())) => Verdict::Succeeded,
            Some(Err(verdict)) => verdict,
            None => Verdict::Cancelled,
        };
        let record = domain::details::EmailRecord { reply: dialogue.reply, ..letter.record };
        Outcome { details: Some(Details::Email(record)), ..verdict.into() }
    }
}

fn not_configured(problem: &str, setting: &str) -> Outcome {
    Verdict::fatal("email_not_configured", format!("{problem} with {setting}")).into()
}

/// Whether the mail server can be reached and lets us in; sends nothing. Says what is wrong otherwise.
pub async fn probe(server: &MailServer) -> Result<(), String> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let mut dialogue = Dialogue::new(server);
    match tokio::time::timeout(PATIENCE, dialogue.open("localhost")).await {
        Ok(Ok(connection)) => {
            dialogue::part(connection);
            Ok(())
        }
        Ok(Err(Verdict::Failed { error, .. })) => Err(error.message),
        Ok(Err(_)) | Err(_) => Err(format!("no answer within {}s", PATIENCE.as_secs())),
    }
}
