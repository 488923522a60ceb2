//! Who may pass: before a handler sees a request, its sender is known, may do what it asks, and it is clear in which project.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::Response;
use domain::{Principal, Reach};
use engine::access::DEFAULT_PROJECT;
use engine::callbacks::project_of;
use engine::{Denied, Proof};
use metrics::counter;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use super::origin;
use crate::access::{Least, least};
use crate::extract::{Project, bearer};
use crate::problem::{Code, Problem};
use crate::session;
use crate::state::Shared;

/// Says which project a request is about, for those who reach all of them.
pub(crate) const X_PROJECT: HeaderName = HeaderName::from_static("x-project");

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

    /// Whom a request comes from.
    async fn principal(&self, method: &Method, headers: &HeaderMap) -> Result<Principal, Problem> {
        let proof = match bearer::token(headers) {
            Ok(Some(token)) => Proof::Key(token),
            Ok(None) => session::of(headers).map_or(Proof::None, Proof::Session),
            // What cannot be read is a key that is nobody's.
            Err(bearer::Unreadable) => Proof::Key(""),
        };
        let principal = self.state.access.principal(proof).await.map_err(refuse)?;
        // Browsers add cookies by themselves, and reach an open service without; a key is sent on purpose.
        let unasked = !matches!(proof, Proof::Key(_)) && !method.is_safe();
        if unasked && origin::is_foreign(headers, &self.state.options.cors_origins) {
            counter!("scheduler_requests_refused_total", "reason" => "foreign").increment(1);
            return Err(Problem::new(Code::Forbidden, "a page of another site may not do this"));
        }
        Ok(principal)
    }

    /// The project that a request of `principal` is about. One that it does not reach is one that is not there.
    async fn project(&self, principal: &Principal, headers: &HeaderMap) -> Result<Project, Problem> {
        let missing = || Problem::not_found("there is no such project");
        let mut values = headers.get_all(X_PROJECT).iter();
        let asked = values.next().map(|value| value.to_str().map_err(|_| missing())).transpose()?;
        if values.next().is_some() {
            return Err(Problem::header("X-Project", "is given more than once"));
        }
        let project = match (&principal.reach, asked) {
            (Reach::All, None) => DEFAULT_PROJECT,
            (Reach::All, Some(asked)) => asked,
            (Reach::Project(own), asked) => {
                return if asked.is_none_or(|asked| asked == own) {
                    Ok(Project(own.clone()))
                } else {
                    Err(missing())
                };
            }
        };
        let exists = self.state.access.project_exists(project).await?;
        if exists { Ok(Project(project.to_owned())) } else { Err(missing()) }
    }
}

/// Lets a request pass whose sender may do what it asks, and tells the handler who that is.
pub async fn admit(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let least = match gate.asks(&request) {
        None => return Ok(next.run(request).await),
        Some(least) => least?,
    };
    match least {
        Least::Open => (),
        Least::RunToken => {
            let token = bearer::token(request.headers()).ok().flatten();
            if let Some(project) = token.and_then(project_of) {
                let project = Project(project.to_owned());
                request.extensions_mut().insert(project);
            }
        }
        Least::In(_) | Least::Everywhere(_) => {
            let principal = gate.principal(request.method(), request.headers()).await?;
            check(&principal, least)?;
            let project = gate.project(&principal, request.headers()).await?;
            request.extensions_mut().insert(project);
            request.extensions_mut().insert(principal);
        }
    }
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
    let yours = match &principal.reach {
        Reach::All => principal.role.as_str().to_owned(),
        Reach::Project(project) => format!("{} in the project {project}", principal.role.as_str()),
    };
    Err(Problem::new(Code::Forbidden, format!("this takes {takes}; yours is {yours}")))
}

/// What somebody is told who is nobody.
pub(crate) fn refuse(denied: Denied) -> Problem {
    let (code, reason, detail) = match denied {
        Denied::Missing => (Code::Unauthorized, "missing", "send Authorization: Bearer and a key"),
        Denied::Invalid => (Code::InvalidToken, "invalid", "the key or session is not valid, or no longer"),
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
    let known = |(method, operation): (Method, &Option<Operation>)| {
        let operation = operation.as_ref()?;
        Some((method, operation.operation_id.as_deref().and_then(least)))
    };
    methods.into_iter().filter_map(known).collect()
}
