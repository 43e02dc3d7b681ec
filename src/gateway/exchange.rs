//! One request's way to an answer: profile after profile until one answers or none is left.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use tracing::{debug, info, warn};

use super::attempt::{self, AttemptResult};
use super::body::Body;
use super::reply::{self, OwnAnswer};
use super::service::Shared;
use super::summary::RequestSummary;
use super::upstream_call::UpstreamCall;
use super::wire::Endpoint;
use crate::domain::outcome::CallError;
use crate::domain::profile::ProfileName;
use crate::domain::route::{Call, Caller, Run};

/// A request as it came in, read and found sound.
#[derive(Debug)]
pub struct Inbound {
    pub endpoint: Endpoint,
    pub caller: Caller,
    pub query: Option<String>,
    /// Without key, host and what concerns the connection.
    pub headers: HeaderMap,
    pub body: Bytes,
    pub summary: RequestSummary,
    /// The one profile to ask, where the caller names it.
    pub only: Option<ProfileName>,
}

impl Inbound {
    /// How many tokens to reserve: all input, and as much output as was asked for within reason.
    fn reservation(&self) -> u64 {
        /// Callers ask for far more than they get; what is missing is debited when the answer tells its usage.
        const MOST_OUTPUT: u64 = 4_096;
        if !self.endpoint.generates() {
            return 0;
        }
        self.summary.input_tokens
            + self
                .summary
                .max_output
                .unwrap_or(MOST_OUTPUT)
                .min(MOST_OUTPUT)
    }
}

/// Whom a request has been with so far.
#[derive(Debug, Default)]
pub struct Progress {
    pub attempts: usize,
    pub profile: Option<ProfileName>,
}

/// What a request came to.
#[derive(Debug)]
pub struct Answer(Response<Body>);

impl Answer {
    pub fn into_response(self) -> Response<Body> {
        self.0
    }
}

/// Carries a request out. Dropping the future closes whatever connection is open and settles its call.
pub async fn dispatch(
    shared: Arc<Shared>,
    inbound: Inbound,
    progress: Arc<Mutex<Progress>>,
) -> Answer {
    let call = Call {
        caller: inbound.caller,
        model: Arc::from(inbound.summary.model.as_str()),
        dialect: inbound.endpoint.dialect(),
        capabilities: inbound.summary.needs,
        tokens: inbound.reservation(),
        only: inbound.only.clone(),
    };
    let mut run = Run::default();
    let mut asked: Option<ProfileName> = None;
    loop {
        let permit = match shared.router.admit(&call, &mut run).await {
            Ok(permit) => permit,
            Err(left) => {
                let status = if left.all_rate {
                    StatusCode::TOO_MANY_REQUESTS
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                };
                warn!(caller = ?call.caller, model = %call.model, reasons = %left, "no provider is left");
                let answer = OwnAnswer {
                    dialect: call.dialect,
                    status,
                    message: &left.to_string(),
                    attempts: run.attempts(),
                    profile: asked.as_ref(),
                };
                return Answer(answer.with_reasons(&left));
            }
        };
        let name = permit.profile().name.clone();
        note(&progress, &run, &name);
        let model = sent_model(&inbound, permit.profile());
        debug!(profile = %name, model = %model, attempt = run.attempts(), choice = ?permit.choice(), "asking");
        let upstream = UpstreamCall::new(permit, model, inbound.summary.input_tokens);
        let error = match attempt::send(&shared, &inbound, upstream).await {
            AttemptResult::Answered(mut response) => {
                reply::mark(response.headers_mut(), run.attempts(), Some(&name));
                return Answer(response);
            }
            AttemptResult::Failed(error) => error,
        };
        run.failed(&error);
        if !error.fails_over() {
            return Answer(refused(&call, &run, &name, &error));
        }
        info!(profile = %name, error = %error, "failing over");
        asked = Some(name);
    }
}

/// The answer to a call whose failure the next profile could not mend.
fn refused(call: &Call, run: &Run, name: &ProfileName, error: &CallError) -> Response<Body> {
    OwnAnswer {
        dialect: call.dialect,
        status: StatusCode::BAD_GATEWAY,
        message: &error.to_string(),
        attempts: run.attempts(),
        profile: Some(name),
    }
    .into_response()
}

fn note(progress: &Mutex<Progress>, run: &Run, name: &ProfileName) {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    progress.attempts = run.attempts();
    progress.profile = Some(name.clone());
}

fn sent_model(inbound: &Inbound, profile: &crate::domain::profile::Profile) -> Arc<str> {
    let asked = &inbound.summary.model;
    let dialect = inbound.endpoint.dialect();
    let across = profile.upstream_dialect(dialect) != Some(dialect);
    profile.upstream_model(asked, across).into()
}
