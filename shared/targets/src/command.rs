//! Command targets: a program run on this machine, where the operator allows it.

#[cfg(unix)]
mod output;
#[cfg(unix)]
mod process;
#[cfg(target_os = "linux")]
mod strays;

use std::collections::BTreeMap;
use std::fmt;

use domain::target::CommandTarget;
use domain::{Outcome, Verdict};
use engine::Call;
use tokio_util::sync::CancellationToken;

/// What the operator lets commands have.
#[derive(Clone, Default)]
pub struct Commands {
    environment: BTreeMap<String, String>,
}

impl Commands {
    /// Commands that get the variables of `environment` beside their own, and nothing else of the service's.
    pub fn new(environment: BTreeMap<String, String>) -> Self {
        Self { environment }
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.environment.keys()).finish()
    }
}

/// One attempt, or the reason why none is made.
pub(crate) async fn execute(
    commands: Option<&Commands>,
    call: &Call,
    target: &CommandTarget,
    cancel: CancellationToken,
) -> Outcome {
    let Some(commands) = commands else {
        return Verdict::fatal(
            "command_disabled",
            "commands are off; an operator can allow them with SCHEDULER_ENABLE_COMMAND=true",
        )
        .into();
    };
    run(commands, call, target, cancel).await
}

#[cfg(unix)]
use self::process::run;

#[cfg(not(unix))]
async fn run(_: &Commands, _: &Call, _: &CommandTarget, _: CancellationToken) -> Outcome {
    Verdict::fatal("command_unsupported", "commands run on Unix only, and this is another system").into()
}
