//! `GET /docs/errors/{code}`: what the `type` of a problem leads to.

use std::fmt::Write;

use axum::extract::Path;
use axum::response::Html;

use crate::problem::{Code, Problem};

/// Explains one kind of problem.
pub async fn explain(
    code: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Html<String>, Problem> {
    let known = code.ok().and_then(|Path(text)| Code::ALL.into_iter().find(|code| code.as_str() == text));
    let code = known.ok_or_else(|| Problem::not_found("there is no such kind of problem"))?;
    Ok(page(code.title(), &entry(code)))
}

/// Explains every kind of problem.
pub async fn list() -> Html<String> {
    page("Problems", &Code::ALL.map(entry).concat())
}

/// Nothing in here comes from users, so nothing needs to be escaped but our own code quotes.
fn entry(code: Code) -> String {
    let mut advice = String::new();
    for (index, part) in code.advice().split('`').enumerate() {
        let (open, close) = if index % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        // Writing to a string does not fail.
        let _ = write!(advice, "{open}{part}{close}");
    }
    format!(
        "<h2><code>{}</code> ({})</h2>\n<p>{}.</p>\n<p>{advice}</p>\n",
        code.as_str(),
        code.status(),
        code.title()
    )
}

fn page(title: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <p><a href=\"/docs/\">API documentation</a>, <a href=\"/docs/errors\">all problems</a></p>\n{content}</html>\n"
    ))
}

#[cfg(test)]
mod tests {
    use crate::problem::Code;
    use crate::testing::TestApp;

    #[tokio::test]
    async fn every_type_leads_somewhere() {
        let app = TestApp::new();
        for code in Code::ALL {
            let answer = app.get(&format!("/docs/errors/{}", code.as_str())).await;
            assert!(String::from_utf8_lossy(&answer.body).contains(code.as_str()), "{code:?}");
        }
        assert_eq!(app.get("/docs/errors").await.status, 200);
        assert_eq!(app.get("/docs/errors/none").await.gist(), "404 not_found");
    }
}
