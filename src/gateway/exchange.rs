//! One request's way to an answer: profile after profile until one answers or none is left.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use tracing::{debug, info, warn};

use super::attempt::{self, Met};
use super::body::Body;
use super::meeting::Meeting;
use super::reply::{self, OwnAnswer};
use super::service::Shared;
use super::sketch::Sketch;
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
    pub sketch: Sketch,
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
        self.sketch.input_tokens
            + self
                .sketch
                .max_output
                .unwrap_or(MOST_OUTPUT)
                .min(MOST_OUTPUT)
    }
}

/// Whom a request has been with so far.
#[derive(Debug, Default)]
pub struct SoFar {
    pub attempts: usize,
    pub profile: Option<ProfileName>,
}

/// What a request came to.
#[derive(Debug)]
pub struct Found(Response<Body>);

impl Found {
    pub fn into_response(self) -> Response<Body> {
        self.0
    }
}

/// Carries a request out. Dropping the future closes whatever connection is open and settles its call.
pub async fn find(shared: Arc<Shared>, inbound: Inbound, so_far: Arc<Mutex<SoFar>>) -> Found {
    let call = Call {
        caller: inbound.caller,
        model: Arc::from(inbound.sketch.model.as_str()),
        dialect: inbound.endpoint.dialect(),
        capabilities: inbound.sketch.needs,
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
                return Found(answer.with_reasons(&left));
            }
        };
        let name = permit.profile().name.clone();
        note(&so_far, &run, &name);
        let model = sent_model(&inbound, permit.profile());
        debug!(profile = %name, model = %model, attempt = run.attempts(), choice = ?permit.choice(), "asking");
        let meeting = Meeting::new(permit, model, inbound.sketch.input_tokens);
        let error = match attempt::meet(&shared, &inbound, meeting).await {
            Met::Answered(mut response) => {
                reply::mark(response.headers_mut(), run.attempts(), Some(&name));
                return Found(response);
            }
            Met::Failed(error) => error,
        };
        run.failed(&error);
        if !error.fails_over() {
            return Found(refused(&call, &run, &name, &error));
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

fn note(so_far: &Mutex<SoFar>, run: &Run, name: &ProfileName) {
    let mut so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
    so_far.attempts = run.attempts();
    so_far.profile = Some(name.clone());
}

fn sent_model(inbound: &Inbound, profile: &crate::domain::profile::Profile) -> Arc<str> {
    let asked = &inbound.sketch.model;
    let dialect = inbound.endpoint.dialect();
    let across = profile.upstream_dialect(dialect) != Some(dialect);
    profile.upstream_model(asked, across).into()
}
