//! HTTP targets: build the request, send it through the guarded client, judge the answer.

mod answer;
mod connect;
pub(crate) mod failure;
mod request;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use domain::target::HttpTarget;
use domain::{Outcome, Verdict};
use engine::{Call, Clock, Entropy};
use http::HeaderValue;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use tokio_util::sync::CancellationToken;

use crate::http::answer::Answer;
use crate::http::connect::Connector;
use crate::{Config, SigningSecrets};

/// Carries out HTTP targets. Keeps connections open between calls, each to an address that was checked.
pub(crate) struct Http {
    client: Client<Connector, Full<Bytes>>,
    secrets: SigningSecrets,
    user_agent: HeaderValue,
    /// Where runs are, for targets that report; the id follows.
    runs_url: Option<String>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Http {
    pub(crate) fn new(config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let client = connect::client(config.allow, connect::system_lookup, connect::system_roots());
        let http = Self::with_client(client, config.secrets, &config.user_agent, clock, entropy);
        Self { runs_url: config.runs_url, ..http }
    }

    fn with_client(
        client: Client<Connector, Full<Bytes>>,
        secrets: SigningSecrets,
        user_agent: &str,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let user_agent = HeaderValue::from_str(user_agent).unwrap_or(HeaderValue::from_static("scheduler"));
        Self { client, secrets, user_agent, runs_url: None, clock, entropy }
    }

    /// One attempt. Ends at once when `cancel` fires, with the request and what of the answer had arrived.
    pub(crate) async fn execute(
        &self,
        call: &Call,
        target: &HttpTarget,
        cancel: CancellationToken,
    ) -> Outcome {
        let (request, record) = match self.prepare(call, target) {
            Ok(prepared) => prepared,
            Err(verdict) => return verdict.into(),
        };
        let mut answer = None;
        let verdict = cancel.run_until_cancelled(self.exchange(request, target, &mut answer)).await;
        Outcome {
            verdict: verdict.unwrap_or(Verdict::Cancelled),
            request: Some(record),
            response: answer.map(|answer| answer.into_record(call.token.as_ref())),
            details: None,
        }
    }

    /// Sends `request` and reads the answer into `answer` as it arrives.
    async fn exchange(
        &self,
        request: http::Request<Full<Bytes>>,
        target: &HttpTarget,
        answer: &mut Option<Answer>,
    ) -> Verdict {
        let uri = request.uri().clone();
        let (head, body) = match self.client.request(request).await {
            Ok(response) => response.into_parts(),
            Err(error) => return failure::of_request(&error, &uri),
        };
        let answer = answer.insert(Answer::new(head));
        let complete = answer.read(body).await;
        match answer.verdict(target, self.clock.now()) {
            // A status that says failure counts even where the body broke off; success must be complete.
            Verdict::Succeeded | Verdict::Accepted if !complete => {
                Verdict::retryable("body", "the connection broke before the target's answer was complete")
            }
            verdict => verdict,
        }
    }
}
