//! One request's way to an answer: profile after profile until one answers or none is left.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::answer::Answer;
use super::attempt::{self, AttemptResult};
use super::conversion::{self, Conversion};
use super::own_answer::{self, OwnAnswer};
use super::report::Report;
use super::request::IncomingRequest;
use super::service::GatewayState;
use super::spans::RequestSpans;
use super::wire::Endpoint;
use crate::domain::agent::Ending;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Dialect, ProfileName, ProviderKind};
use crate::domain::route::{Call, Foreign, NothingLeft, Run};

/// Says that tokens were not counted by the model's vendor.
const ESTIMATED: HeaderName = HeaderName::from_static("x-tundra-estimated");

/// Whom a request has been with so far.
#[derive(Debug, Default)]
pub struct Progress {
    pub attempts: usize,
    pub profile: Option<ProfileName>,
}

/// Carries a request out and tells `report` of it. Dropping the future closes whatever connection is open and settles its
/// call.
pub async fn dispatch(
    state: Arc<GatewayState>,
    request: IncomingRequest,
    progress: Arc<Mutex<Progress>>,
    mut report: Report,
) -> Answer {
    let mut spans = RequestSpans::begin(state.tracer.get(), &request);
    let found = find(&state, request, &progress, &mut report, &mut spans);
    let mut answer = Box::pin(found).await;
    let attempts = progress
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .attempts;
    spans.told(answer.status.as_u16(), attempts);
    answer.trace(spans);
    answer.tell(report);
    answer
}

/// Asks profile after profile until one answers or none is left.
async fn find(
    state: &GatewayState,
    request: IncomingRequest,
    progress: &Mutex<Progress>,
    report: &mut Report,
    spans: &mut RequestSpans,
) -> Answer {
    let mut call = request.call();
    let mut run = Run::default();
    let mut asked: Option<ProfileName> = None;
    let mut has_looked = false;
    let mut kept: Option<(Box<Answer>, ProfileName)> = None;
    let mut refusals = Refusals::default();
    // Who failed before the one that is asked now, for whoever tells people.
    let mut failed = Vec::new();
    loop {
        spans.plan();
        let upstream = match state.router.admit(&call, &mut run).await {
            Ok(upstream) => {
                report.admitted();
                upstream
            }
            Err(_) if !has_looked && run.met_unreachable() => {
                // It may have been started since.
                state.look_for_guesses().await;
                has_looked = true;
                continue;
            }
            Err(left) => {
                spans.leave(Some(left.to_string()));
                if look_closer(&mut call, &request) {
                    continue;
                }
                if kept.is_none() {
                    state.router.tell_passed_over(failed, None);
                }
                if let Some(mut answer) = refusals.of_all(&left) {
                    warn!(caller = ?call.caller, model = %call.model, reasons = %left, "every provider refused");
                    answer.mark(run.attempts(), asked.as_ref());
                    return answer;
                }
                return match kept {
                    Some((mut own, name)) => {
                        info!(profile = %name, reasons = %left, "its own answer is the caller's");
                        own.mark(run.attempts(), Some(&name));
                        if own.status == StatusCode::TOO_MANY_REQUESTS {
                            own.ending = refused_by(&name, &left);
                        }
                        *own
                    }
                    None => nobody_left(&request, &call, &run, asked.as_ref(), &left),
                };
            }
        };
        let conversion = match Conversion::between(&request, upstream.profile(), upstream.dialect())
        {
            Ok(conversion) => conversion,
            Err(error) => {
                // Nothing has left: the profile is as good as not asked.
                drop(upstream);
                run.not_tried();
                if look_closer(&mut call, &request) {
                    continue;
                }
                return refused(call.dialect, &run, asked.as_ref(), &error);
            }
        };
        let provider = upstream.profile().provider;
        let name = upstream.profile().name.clone();
        note(progress, &run, &name);
        debug!(profile = %name, attempt = run.attempts(), choice = ?upstream.choice(), "asking");
        spans.attempt(name.as_str(), run.attempts(), upstream.dialect().as_str());
        let error = match attempt::send(state, &request, conversion, upstream).await {
            AttemptResult::Answered(mut answer) => {
                if has_no_counter(&request, provider, answer.status) {
                    answer = estimated(&request, &run, Some(&name));
                }
                answer.mark(run.attempts(), Some(&name));
                spans.answered(answer.status.as_u16());
                state.router.tell_passed_over(failed, Some(&name));
                return answer;
            }
            AttemptResult::Failed { error, own } => {
                kept = own.map(|own| (own, name.clone())).or(kept);
                error
            }
            AttemptResult::Refused(error, answer) => {
                refusals.last = Some(answer);
                refusals.by.push(name.clone());
                error
            }
        };
        spans.leave(Some(error.to_string()));
        run.failed(&error);
        if error.fails_over() {
            info!(profile = %name, error = %error, "failing over");
            failed.push((name.clone(), error));
            asked = Some(name);
            continue;
        }
        let answer = refused(call.dialect, &run, Some(&name), &error);
        failed.push((name, error));
        state.router.tell_passed_over(failed, None);
        return answer;
    }
}

/// Looks what of the request each other dialect has no words for; false where that is known already.
///
/// Only done once it matters: a request that a profile of its own dialect answers is never read that closely.
fn look_closer(call: &mut Call, request: &IncomingRequest) -> bool {
    let is_news = call.foreign == Foreign::Unknown;
    if is_news {
        call.foreign = conversion::judge(request);
    }
    is_news
}

/// Client errors that were passed over because the next profile might serve.
#[derive(Debug, Default)]
struct Refusals {
    by: Vec<ProfileName>,
    last: Option<Answer>,
}

impl Refusals {
    /// The last one's answer, if everybody who could ever have served has refused.
    fn of_all(self, left: &NothingLeft) -> Option<Answer> {
        let mut able = left.profiles.iter().filter(|profile| profile.able);
        self.last
            .filter(|_| able.all(|profile| self.by.contains(&profile.name)))
    }
}

fn nobody_left(
    request: &IncomingRequest,
    call: &Call,
    run: &Run,
    asked: Option<&ProfileName>,
    left: &NothingLeft,
) -> Answer {
    if request.endpoint == Endpoint::CountTokens {
        return estimated(request, run, asked);
    }
    warn!(caller = ?call.caller, model = %call.model, reasons = %left, "no provider is left");
    let status = if left.all_rate {
        StatusCode::TOO_MANY_REQUESTS
    } else if left.never {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let message = left.to_string();
    let answer = OwnAnswer {
        dialect: call.dialect,
        status,
        message: &message,
        attempts: run.attempts(),
        profile: asked,
    }
    .with_reasons(left);
    answer.ending(if left.all_rate {
        Ending::Refused {
            until: soonest(left.retry_in),
            message,
        }
    } else {
        Ending::Failed { message }
    })
}

/// What it means that a login's own provider refused it for want of quota.
fn refused_by(name: &ProfileName, left: &NothingLeft) -> Ending {
    let mut profiles = left.profiles.iter();
    let reason = profiles.find(|profile| profile.name == *name);
    let why = reason.map_or("rate limited", |profile| &profile.reason);
    Ending::Refused {
        until: soonest(
            reason
                .and_then(|profile| profile.retry_in)
                .or(left.retry_in),
        ),
        message: format!("{name}: {why}"),
    }
}

fn soonest(retry_in: Option<Duration>) -> Option<Timestamp> {
    Timestamp::now().checked_add(retry_in?).ok()
}

/// Whether the provider speaks messages and yet lacks the route that counts tokens. At Anthropic itself a 404 tells of
/// the model.
fn has_no_counter(request: &IncomingRequest, provider: ProviderKind, status: StatusCode) -> bool {
    request.endpoint == Endpoint::CountTokens
        && provider != ProviderKind::Anthropic
        && matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        )
}

/// The tokens of a request that nobody can count.
fn estimated(request: &IncomingRequest, run: &Run, asked: Option<&ProfileName>) -> Answer {
    let count = serde_json::json!({"input_tokens": request.summary.input_tokens});
    let mut answer = own_answer::json(StatusCode::OK, count.to_string().into());
    answer
        .headers
        .insert(ESTIMATED, HeaderValue::from_static("true"));
    answer.mark(run.attempts(), asked);
    answer
}

/// The answer to a call whose failure the next profile could not mend.
fn refused(
    dialect: Dialect,
    run: &Run,
    profile: Option<&ProfileName>,
    error: &CallError,
) -> Answer {
    OwnAnswer {
        dialect,
        status: StatusCode::BAD_GATEWAY,
        message: &error.to_string(),
        attempts: run.attempts(),
        profile,
    }
    .into_answer()
}

fn note(progress: &Mutex<Progress>, run: &Run, name: &ProfileName) {
    let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    progress.attempts = run.attempts();
    progress.profile = Some(name.clone());
}
