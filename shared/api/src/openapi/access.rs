//! Who may call each operation, as the document says it.

use utoipa::openapi::OpenApi;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

use crate::access::{Least, least};
use crate::openapi::schemas::operations;

/// Adds the schemes, and to every operation what it takes.
pub(super) fn complete(document: &mut OpenApi) {
    for (_, operation) in document.paths.paths.values_mut().flat_map(operations) {
        describe(operation);
    }
    let components = document.components.get_or_insert_default();
    for (name, description) in [
        (
            "api_key",
            "A key of `/keys`, or the operator's (`SCHEDULER_ADMIN_KEY`). Browsers that have signed in send a cookie instead. \
             A key of all projects says in the header `X-Project` which one a request is about, `default` unless it does. \
             Where the service runs open, nothing is asked for",
        ),
        ("run_token", "What the call of a run brought in `X-Scheduler-Token`: good for one attempt"),
    ] {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        components.add_security_scheme(name, SecurityScheme::Http(scheme));
    }
}

fn describe(operation: &mut Operation) {
    let least = operation.operation_id.as_deref().and_then(least);
    let (scheme, role) = match least {
        None | Some(Least::Open) => {
            operation.security = Some(Vec::new());
            return;
        }
        Some(Least::RunToken) => ("run_token", None),
        Some(Least::In(role)) => ("api_key", Some(role.as_str().to_owned())),
        Some(Least::Everywhere(role)) => ("api_key", Some(format!("{} in all projects", role.as_str()))),
    };
    operation.security = Some(vec![SecurityRequirement::new(scheme, Vec::<String>::new())]);
    if let Some(role) = role {
        operation.extensions = Some(ExtensionsBuilder::new().add("x-least-role", role).build());
    }
}
