//! `/api/providers/{name}/{action}`.

use http::{Request, StatusCode};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::body;
use crate::config::parse_duration;
use crate::control::shapes::DoneShape;
use crate::domain::profile::ProfileName;
use crate::domain::route::{By, CommandError, DEFAULT_HOLD, RouterCommand};
use crate::providers::SteerError;
use crate::remote::answer::{Answer, Refusal, json};
use crate::remote::server::Service;

/// What `/api/providers/{name}/` may be followed by.
pub(super) const ACTIONS: [&str; 7] = [
    "failover", "restart", "reset", "enable", "disable", "pin", "unpin",
];

/// Does to a provider what the command of that name does.
pub(super) async fn steer(
    service: &Service,
    name: &str,
    action: &str,
    request: &mut Request<Incoming>,
) -> Result<Answer, Refusal> {
    #[derive(Default, Deserialize)]
    struct Body {
        /// How long a failover holds, as the configuration writes durations.
        r#for: Option<String>,
    }
    if !ACTIONS.contains(&action) {
        return Err(Refusal::not_found("there is nothing here"));
    }
    let body: Body = body(request).await?;
    let hold = match body.r#for.as_deref() {
        Some(text) => parse_duration(text)
            .ok_or_else(|| Refusal::bad_request("for must be a duration, such as \"10m\""))?,
        None => DEFAULT_HOLD,
    };
    let name = percent_decode_str(name).decode_utf8_lossy();
    let profile = ProfileName::from(&*name);
    let command = match action {
        "failover" => RouterCommand::Failover {
            from: Some(profile),
            hold,
        },
        "restart" => RouterCommand::Restart(profile),
        "reset" => RouterCommand::Reset(profile),
        "enable" => RouterCommand::Enable(profile),
        "disable" => RouterCommand::Disable(profile),
        "pin" => RouterCommand::Pin(profile),
        _ => RouterCommand::Unpin,
    };
    match service.providers.command(command, By::Http).await {
        Ok(done) => Ok(json(StatusCode::OK, &DoneShape::from(&done))),
        Err(SteerError::Command(error @ CommandError::NotFound(_))) => {
            Err(Refusal::not_found(error.to_string()))
        }
        Err(error @ SteerError::Command(CommandError::NobodyLeft)) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "bad_request",
            error.to_string(),
        )),
        Err(error @ SteerError::Server(_)) => Err(Refusal::internal(error.to_string())),
    }
}
