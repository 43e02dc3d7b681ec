//! One attempt: a profile is asked, and what comes back is judged before any of it reaches the caller.

mod gather;
mod hold;
mod refusal;
mod upstream_answer;
mod whole;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HeaderMap, LOCATION};

use super::conversion::Conversion;
use super::request::{BroughtLogin, IncomingRequest};
use super::service::GatewayState;
use super::upstream::headers;
use super::upstream::{Post, PostError};
use super::upstream_call::UpstreamCall;
use crate::domain::cooldown::remaining;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Auth, Dialect, Profile};
use crate::domain::route::ServerState;

pub use upstream_answer::AttemptResult;
use upstream_answer::{Content, UpstreamAnswer};

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
        let error = CallError::Unsupported(request.endpoint.name().to_owned());
        return fail(call, error);
    };
    let connection = match state.connections.of(&profile.name) {
        Ok(connection) => connection,
        Err(reason) => return fail(call, CallError::Http(reason)),
    };
    let across = conversion.is_translation();
    let model = profile.upstream_model(&request.summary.model, across);
    let (sent_headers, body) = match &request.brought {
        Some(brought) if profile.auth == Auth::Caller => {
            own_login(request, brought, &conversion, &profile, &model)
        }
        _ => {
            let mut headers = if across {
                headers::across(&request.headers, upstream_dialect)
            } else {
                request.headers.clone()
            };
            headers.remove(CONTENT_ENCODING);
            headers::sign(&mut headers, &profile, connection.key.as_ref());
            (headers, conversion.request(request, &model))
        }
    };
    let upstream = connection.upstream_for(call.login());
    call.leaving_out(conversion.without());
    call.sending(model.as_ref().into());
    let path = endpoint.path_at(&profile, &model);
    let post = Post {
        path: &path,
        query: request.query.as_deref().filter(|_| !across),
        headers: &sent_headers,
        body: &body,
    };
    let sent = upstream.post(post, || call.may_reconnect()).await;
    let (head, source) = match sent {
        Ok(response) => response.into_parts(),
        Err(PostError::NeverLeft(error)) => {
            call.never_left();
            if profile.is_guess {
                state
                    .router
                    .set_server(&profile.name, ServerState::Unreachable);
            }
            return fail(call, error);
        }
        Err(PostError::Sent(error)) => return fail(call, error),
    };
    call.first_byte();
    state.open_ahead(&upstream);
    let left = remaining(|name| head.headers.get(name)?.to_str().ok());
    call.learn(left, &head.headers);
    let cleaner = Arc::clone(&connection.cleaner);
    let answer = UpstreamAnswer::new(state, request, conversion, call, (head, source), cleaner);
    judge(answer).await
}

/// What goes to a profile for callers: the caller's own headers and, where nothing of it has to change, its very bytes.
fn own_login(
    request: &IncomingRequest,
    brought: &BroughtLogin,
    conversion: &Conversion,
    profile: &Profile,
    model: &str,
) -> (HeaderMap, Bytes) {
    let mut headers = brought.headers.clone();
    headers::sign(&mut headers, profile, None);
    let text = conversion.request(request, model);
    if text == request.text {
        return (headers, request.body.clone());
    }
    headers.remove(CONTENT_ENCODING);
    (headers, text)
}

async fn judge(answer: UpstreamAnswer<'_>) -> AttemptResult {
    let code = answer.status.as_u16();
    match code {
        200..300 => good(answer).await,
        // A caller's own login gets its answer back, since its client renews it.
        401..=403 if !answer.is_own_login() => refusal::rejected(answer).await,
        429 => refusal::rate_limited(answer).await,
        // Google answers so to a key that it does not know.
        400 if answer.call.dialect() == Dialect::Generate && !answer.is_own_login() => {
            refusal::bad_request(answer).await
        }
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

/// What the body is decides, and not what it is called.
async fn good(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let named_stream = answer.has_media("text/event-stream");
    let web_page = || CallError::Http("the answer is a web page".to_owned());
    match answer.content().await {
        Ok(Content::Events) if answer.conversion.is_translation() && !answer.request.streams() => {
            gather::whole(answer).await
        }
        Ok(Content::Events) => hold::until_content(answer).await,
        Ok(Content::Page) => answer.fail(web_page()),
        Ok(Content::Other) if answer.has_media("text/html") => answer.fail(web_page()),
        Ok(Content::Other) if named_stream => hold::until_content(answer).await,
        Ok(Content::Json | Content::Other) => whole::judge(answer).await,
        Err(error) => answer.fail(error),
    }
}

fn fail(call: UpstreamCall, error: CallError) -> AttemptResult {
    call.fail(&error);
    AttemptResult::failed(error)
}
