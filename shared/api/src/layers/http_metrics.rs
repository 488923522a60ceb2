//! How long requests take, by route.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use metrics::histogram;
use tokio::time::Instant;

/// Records the duration of a request. Labels are bounded: routes as they are declared, standard methods, statuses.
pub async fn measure(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    histogram!(
        "http_server_request_duration_seconds",
        "http_request_method" => method,
        "http_route" => route,
        "http_response_status_code" => response.status().as_str().to_owned(),
    )
    .record(began.elapsed().as_secs_f64());
    response
}

/// Callers may invent methods; OpenTelemetry's convention calls those `_OTHER`.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use metrics::{
        Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    };

    use crate::testing::TestApp;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    struct Ignored;

    impl HistogramFn for Ignored {
        fn record(&self, _: f64) {}
    }

    impl Recorder for Seen {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            Counter::noop()
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            let labels: Vec<String> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            self.0.lock().unwrap().push(format!("{} {}", key.name(), labels.join(" ")));
            Histogram::from_arc(Arc::new(Ignored))
        }
    }

    /// Neither ids nor invented methods nor unknown paths become labels.
    #[test]
    fn labels_are_bounded() {
        let seen = Seen::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        metrics::with_local_recorder(&seen, || {
            runtime.block_on(async {
                let app = TestApp::new();
                app.get("/api/v1/jobs/some-job").await;
                app.send("BREW", "/api/v1/jobs", &[], "").await;
                app.get("/some/where").await;
                app.get("/healthz").await;
            });
        });
        let seen = seen.0.lock().unwrap().join("\n");
        insta::assert_snapshot!(seen.replace("http_server_request_duration_seconds ", ""), @r"
        http_request_method=GET http_route=/api/v1/jobs/{id} http_response_status_code=404
        http_request_method=_OTHER http_route=/api/v1/jobs http_response_status_code=405
        http_request_method=GET http_route= http_response_status_code=404
        http_request_method=GET http_route=/healthz http_response_status_code=200
        ");
    }
}
