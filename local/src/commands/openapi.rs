//! `scheduler openapi`: the API's description, as it is committed in `openapi.json`.

use std::process::ExitCode;

pub(crate) fn run() -> ExitCode {
    println!("{}", api::openapi_json());
    ExitCode::SUCCESS
}
