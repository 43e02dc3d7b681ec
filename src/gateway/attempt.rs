//! One attempt: a profile is asked, and what comes back is judged before any of it reaches the caller.

mod hold;
mod refusal;
mod upstream_answer;
mod whole;

use std::sync::Arc;

use http::header::LOCATION;

use super::conversion::Conversion;
use super::request::IncomingRequest;
use super::service::GatewayState;
use super::upstream::headers;
use super::upstream::{Post, PostError};
use super::upstream_call::UpstreamCall;
use crate::domain::cooldown::remaining;
use crate::domain::outcome::CallError;

pub use upstream_answer::AttemptResult;
use upstream_answer::UpstreamAnswer;

/// Asks the profile that `call` is to, by way of `conversion`, and settles the call or hands it to the stream that it became.
///
/// Dropping the future closes the connection and settles the call as left.
pub async fn send(
    state: &GatewayState,
    request: &IncomingRequest,
    conversion: Conversion,
    mut call: UpstreamCall,
) -> AttemptResult {
    let profile = Arc::clone(call.profile());
    let upstream_dialect = call.dialect();
    let Some(endpoint) = request.endpoint.in_dialect(upstream_dialect) else {
        let error = CallError::Unsupported(request.endpoint.path().to_owned());
        return fail(call, error);
    };
    let connection = match state.connections.of(&profile.name) {
        Ok(connection) => connection,
        Err(reason) => return fail(call, CallError::Http(reason)),
    };
    let across = conversion.is_translation();
    let mut sent_headers = if across {
        headers::across(&request.headers, upstream_dialect)
    } else {
        request.headers.clone()
    };
    headers::sign(&mut sent_headers, &profile, connection.key.as_ref());
    let model = profile.upstream_model(&request.summary.model, across);
    let body = conversion.request(request, &model);
    call.leaving_out(conversion.without());
    call.sending(model.into());
    let post = Post {
        path: endpoint.path(),
        query: request.query.as_deref().filter(|_| !across),
        headers: &sent_headers,
        body: &body,
    };
    let sent = connection
        .upstream
        .post(post, || call.may_reconnect())
        .await;
    let (head, source) = match sent {
        Ok(response) => response.into_parts(),
        Err(PostError::NeverLeft(error)) => {
            call.never_left();
            return fail(call, error);
        }
        Err(PostError::Sent(error)) => return fail(call, error),
    };
    call.first_byte();
    call.learn(remaining(|name| head.headers.get(name)?.to_str().ok()));
    let key = connection.key.clone();
    let answer = UpstreamAnswer::new(state, request, conversion, call, (head, source), key);
    judge(answer).await
}

async fn judge(answer: UpstreamAnswer<'_>) -> AttemptResult {
    let code = answer.status.as_u16();
    match code {
        200..300
            if answer.has_media("text/event-stream")
                && answer.conversion.is_translation()
                && !answer.request.streams() =>
        {
            answer.fail(CallError::Parse("the provider streamed unasked".to_owned()))
        }
        200..300 if answer.has_media("text/event-stream") => hold::until_content(answer).await,
        200..300 if answer.has_media("text/html") => {
            answer.fail(CallError::Http("the answer is a web page".to_owned()))
        }
        200..300 => whole::judge(answer).await,
        429 => refusal::rate_limited(answer).await,
        400..500 => refusal::passed_through(answer).await,
        500.. => refusal::server_error(answer).await,
        _ => {
            let what = if answer.headers.contains_key(LOCATION) {
                "a redirect, which is not followed"
            } else {
                "an answer of no use"
            };
            answer.fail(CallError::Http(format!("{what} (status {code})")))
        }
    }
}

fn fail(call: UpstreamCall, error: CallError) -> AttemptResult {
    call.fail(&error);
    AttemptResult::Failed(error)
}
