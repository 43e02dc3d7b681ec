//! One request's way to an answer: profile after profile until one answers or none is left.

use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use tracing::{debug, info, warn};

use super::answer::Answer;
use super::attempt::{self, AttemptResult};
use super::own_answer::OwnAnswer;
use super::request::IncomingRequest;
use super::service::GatewayState;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Dialect, ProfileName};
use crate::domain::route::{Call, NothingLeft, Run};

/// Whom a request has been with so far.
#[derive(Debug, Default)]
pub struct Progress {
    pub attempts: usize,
    pub profile: Option<ProfileName>,
}

/// Carries a request out. Dropping the future closes whatever connection is open and settles its call.
pub async fn dispatch(
    state: Arc<GatewayState>,
    request: IncomingRequest,
    progress: Arc<Mutex<Progress>>,
) -> Answer {
    let call = request.call();
    let mut run = Run::default();
    let mut asked: Option<ProfileName> = None;
    loop {
        let upstream = match state.router.admit(&call, &mut run).await {
            Ok(upstream) => upstream,
            Err(left) => return nobody_left(&call, &run, asked.as_ref(), &left),
        };
        let name = upstream.profile().name.clone();
        note(&progress, &run, &name);
        debug!(profile = %name, attempt = run.attempts(), choice = ?upstream.choice(), "asking");
        let error = match attempt::send(&state, &request, upstream).await {
            AttemptResult::Answered(mut answer) => {
                answer.mark(run.attempts(), Some(&name));
                return answer;
            }
            AttemptResult::Failed(error) => error,
        };
        run.failed(&error);
        if !error.fails_over() {
            return refused(call.dialect, &run, &name, &error);
        }
        info!(profile = %name, error = %error, "failing over");
        asked = Some(name);
    }
}

fn nobody_left(call: &Call, run: &Run, asked: Option<&ProfileName>, left: &NothingLeft) -> Answer {
    warn!(caller = ?call.caller, model = %call.model, reasons = %left, "no provider is left");
    let status = if left.all_rate {
        StatusCode::TOO_MANY_REQUESTS
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    OwnAnswer {
        dialect: call.dialect,
        status,
        message: &left.to_string(),
        attempts: run.attempts(),
        profile: asked,
    }
    .with_reasons(left)
}

/// The answer to a call whose failure the next profile could not mend.
fn refused(dialect: Dialect, run: &Run, name: &ProfileName, error: &CallError) -> Answer {
    OwnAnswer {
        dialect,
        status: StatusCode::BAD_GATEWAY,
        message: &error.to_string(),
        attempts: run.attempts(),
        profile: Some(name),
    }
    .into_answer()
}

fn note(progress: &Mutex<Progress>, run: &Run, name: &ProfileName) {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    progress.attempts = run.attempts();
    progress.profile = Some(name.clone());
}
