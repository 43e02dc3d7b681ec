//! Bodies of requests.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::domain::code::Code;
use crate::remote::answer::Refusal;
use crate::remote::protocol::MAX_MESSAGE;
use crate::remote::service::REQUEST_TIMEOUT;

/// A body is at most as long as a message on a socket, in bytes.
const MAX_BODY: usize = MAX_MESSAGE;

/// Reads a JSON body; an empty one is an empty object.
///
/// # Errors
/// The refusal of a body that is too long, late, cut short, or not what `T` takes.
pub(super) async fn json<T: DeserializeOwned>(
    request: &mut Request<Incoming>,
) -> Result<T, Refusal> {
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    let reading = Limited::new(request.body_mut(), MAX_BODY).collect();
    let bytes = match timeout(REQUEST_TIMEOUT, reading).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(too_large());
        }
        Ok(Err(_)) => return Err(Refusal::bad_request("the body was cut short")),
        Err(_) => {
            let message = "the body did not arrive within 5 s";
            let status = StatusCode::REQUEST_TIMEOUT;
            return Err(Refusal::new(status, Code::BadRequest, message));
        }
    };
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) {
        Bytes::from_static(b"{}")
    } else {
        bytes
    };
    // Serde would take an array for an object, by position.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|byte| b"[\"".contains(byte) || byte.is_ascii_alphanumeric()) {
        return Err(Refusal::bad_request("body: must be a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let read = serde_path_to_error::deserialize(&mut reader);
    read.map_err(|error| {
        let (key, fault) = (error.path().to_string(), error.inner());
        Refusal::bad_request(match key.as_str() {
            "." | "?" => format!("body: {fault}"),
            key => format!("{key}: {fault}"),
        })
    })
}

fn too_large() -> Refusal {
    let message = "a body is at most 1 MiB long";
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BadRequest, message)
}
