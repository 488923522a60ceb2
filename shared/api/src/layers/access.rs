//! Who may pass: before a handler sees a request, its sender is known and may do what it asks.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use domain::Principal;
use engine::Denied;
use metrics::counter;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

use crate::access::{Least, least};
use crate::extract::bearer;
use crate::problem::{Code, Problem};
use crate::state::Shared;

/// What every operation takes, by its route.
pub struct Gate {
    state: Shared,
    routes: HashMap<String, Vec<(Method, Option<Least>)>>,
}

impl Gate {
    /// The gate before all operations of `document`.
    pub fn new(state: Shared, document: &OpenApi) -> Self {
        let routes = &document.paths.paths;
        Self { state, routes: routes.iter().map(|(path, item)| (path.clone(), operations(item))).collect() }
    }

    /// What a request takes; `None` where its route does not have the method, which it will be told. A route that the
    /// document does not have is nobody's.
    fn asks(&self, request: &Request) -> Option<Result<Least, Problem>> {
        let nobody = || Problem::new(Code::Forbidden, "nobody may do this");
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let Some(methods) = path.and_then(|path| self.routes.get(path)) else { return Some(Err(nobody())) };
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let (_, least) = methods.iter().find(|(declared, _)| declared == method)?;
        Some(least.ok_or_else(nobody))
    }
}

/// Lets a request pass whose sender may do what it asks, and tells the handler who that is.
pub async fn admit(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let least = match gate.asks(&request) {
        None | Some(Ok(Least::Open | Least::RunToken)) => return Ok(next.run(request).await),
        Some(least) => least?,
    };
    // What cannot be read is a token that is nobody's.
    let token = bearer::token(request.headers()).unwrap_or(Some(""));
    let principal = gate.state.access.principal(token).await.map_err(refuse)?;
    check(&principal, least)?;
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

fn check(principal: &Principal, least: Least) -> Result<(), Problem> {
    let (may, takes) = match least {
        Least::Open | Least::RunToken => return Ok(()),
        Least::In(role) => (principal.may(role), format!("the role {}", role.as_str())),
        Least::Everywhere(role) => {
            (principal.may_everywhere(role), format!("the role {} in all projects", role.as_str()))
        }
    };
    if may {
        return Ok(());
    }
    counter!("scheduler_requests_refused_total", "reason" => "forbidden").increment(1);
    Err(Problem::new(Code::Forbidden, format!("this takes {takes}; yours is {}", principal.role.as_str())))
}

fn refuse(denied: Denied) -> Problem {
    let (code, reason, detail) = match denied {
        Denied::Missing => (Code::Unauthorized, "missing", "send Authorization: Bearer and a key"),
        Denied::Invalid => (Code::InvalidToken, "invalid", "the key is not valid, or no longer"),
        Denied::Store(error) => return error.into(),
    };
    counter!("scheduler_requests_refused_total", "reason" => reason).increment(1);
    Problem::new(code, detail)
}

fn operations(item: &PathItem) -> Vec<(Method, Option<Least>)> {
    let methods = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    let known = |(method, operation): (Method, &Option<_>)| {
        let operation: &utoipa::openapi::path::Operation = operation.as_ref()?;
        Some((method, operation.operation_id.as_deref().and_then(least)))
    };
    methods.into_iter().filter_map(known).collect()
}
