//! `/api/providers/{name}/{verb}`: the command that a request is for.

use http::Request;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::body;
use crate::config::parse_duration;
use crate::domain::profile::ProfileName;
use crate::domain::route::{RouterCommand, Verb};
use crate::remote::answer::Refusal;

/// Reads the command. A failover holds the named profile, for the time in the body where one is given.
///
/// # Errors
/// The refusal of a body or a verb that means nothing.
pub(super) async fn command(
    name: &str,
    verb: &str,
    request: &mut Request<Incoming>,
) -> Result<RouterCommand, Refusal> {
    #[derive(Default, Deserialize)]
    struct Body {
        /// How long a failover holds, as the configuration writes durations.
        r#for: Option<String>,
    }
    let verb = Verb::parse(verb).ok_or_else(|| Refusal::not_found("there is nothing here"))?;
    let body: Body = body::json(request).await?;
    let hold = match body.r#for.as_deref() {
        Some(text) => Some(
            parse_duration(text)
                .ok_or_else(|| Refusal::bad_request("for must be a duration, such as \"10m\""))?,
        ),
        None => None,
    };
    let name = percent_decode_str(name).decode_utf8_lossy();
    let profile = ProfileName::from(&*name);
    Ok(RouterCommand::of(verb, Some(profile), hold)?)
}
