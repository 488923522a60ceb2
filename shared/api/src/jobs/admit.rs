//! What a job may not be in this service, sound as it is.

use domain::{Invalid, JobDraft, Target};
use serde_json::Value;

use crate::problem::Problem;
use crate::state::ApiState;

/// Refuses a command where commands are off: its author is here to be told, and will not be when it is due.
/// And a name that is also an address of this API: the job could not be reached by it.
pub(super) fn admit(state: &ApiState, draft: &JobDraft) -> Result<(), Problem> {
    name(Some(&draft.name))?;
    commands(state, matches!(draft.target, Target::Command(_)))
}

/// The same for what a patch makes of a job.
pub(super) fn admit_patch(state: &ApiState, patch: &Value) -> Result<(), Problem> {
    name(patch.get("name").and_then(Value::as_str))?;
    commands(state, patch.pointer("/target/type").is_some_and(|it| it == "command"))
}

fn name(wanted: Option<&str>) -> Result<(), Problem> {
    if wanted == Some("bulk") {
        return Err(Invalid::one("/name", "reserved", "is a word of the API's own addresses").into());
    }
    Ok(())
}

fn commands(state: &ApiState, wanted: bool) -> Result<(), Problem> {
    if wanted && !state.options.commands {
        let remedy = "commands are off; an operator can allow them with SCHEDULER_ENABLE_COMMAND=true";
        return Err(Invalid::one("/target/type", "command_disabled", remedy).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{TestApp, draft};

    #[tokio::test]
    async fn commands_are_refused_where_they_are_off() {
        let app = TestApp::new();
        app.create("nightly").await;
        let mut with_command = draft("other");
        with_command["target"] = json!({"type": "command", "argv": ["true"]});
        let refused = "422 invalid_request [/target/type command_disabled]";
        assert_eq!(app.json("POST", "/api/v1/jobs", &with_command).await.gist(), refused);
        assert_eq!(app.json("PUT", "/api/v1/jobs/nightly", &with_command).await.gist(), refused);
        let patch = json!({"target": with_command["target"]});
        assert_eq!(app.json("PATCH", "/api/v1/jobs/nightly", &patch).await.gist(), refused);

        let app = TestApp::with(|state| state.options.commands = true);
        let job = app.json("POST", "/api/v1/jobs", &with_command).await;
        assert_eq!(job.status, 201, "{job:?}");
        let target =
            json!({"type": "command", "argv": ["true"], "working_dir": null, "env": {}, "stdin": null});
        assert_eq!(job.value()["target"], target);
    }
}
