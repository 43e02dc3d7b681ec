//! `/api/push`: browsers that want to be told while no page is open.

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;

use super::body;
use crate::domain::code::Code;
use crate::push::{PushError, Subscription};
use crate::remote::answer::{Answer, Refusal, bare, json as answer};
use crate::remote::service::Service;

/// Answers with the key that a browser subscribes with.
///
/// # Errors
/// The refusal of a key that cannot be kept.
pub(super) fn key(service: &Service) -> Result<Answer, Refusal> {
    let key = service.push.public_key().map_err(|error| refusal(&error))?;
    Ok(answer(StatusCode::OK, &json!({"key": key})))
}

/// Takes a browser in, as its `PushSubscription` tells of itself.
///
/// # Errors
/// The refusal of a body that is no subscription, or of one too many.
pub(super) async fn subscribe(
    service: &Service,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    let subscription: Subscription = body::json(request).await?;
    service
        .push
        .subscribe(subscription)
        .map_err(|error| refusal(&error))?;
    Ok(bare(StatusCode::NO_CONTENT))
}

/// Forgets a browser; one that is not known is forgotten already.
///
/// # Errors
/// The refusal of a body that names none.
pub(super) async fn unsubscribe(
    service: &Service,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        endpoint: String,
    }
    let body: Body = body::json(request).await?;
    service
        .push
        .unsubscribe(&body.endpoint)
        .map_err(|error| refusal(&error))?;
    Ok(bare(StatusCode::NO_CONTENT))
}

fn refusal(error: &PushError) -> Refusal {
    let code = Code::from(error);
    let status = match error {
        PushError::Malformed(_) => StatusCode::BAD_REQUEST,
        PushError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        PushError::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, code, error.to_string())
}
