//! `GET /v1/models` of a login: the vendor's own list, as Codex asks for it at its start.

use http::header::ACCEPT_ENCODING;
use tracing::debug;

use crate::domain::profile::{Auth, ProviderKind};
use crate::gateway::answer::Answer;
use crate::gateway::request::BroughtLogin;
use crate::gateway::service::GatewayState;
use crate::gateway::upstream::headers;

/// The list of the first enabled `ChatGPT` profile for callers; `None` where there is none, or it does not answer, which
/// its client bears.
///
/// Dropping the future closes the connection.
pub async fn ask(
    state: &GatewayState,
    brought: &BroughtLogin,
    query: Option<&str>,
) -> Option<Answer> {
    let status = state.router.status();
    let profile = status.providers.into_iter().find(|provider| {
        provider.enabled
            && provider.profile.auth == Auth::Caller
            && provider.profile.provider == ProviderKind::OpenAi
            && !brought.login.is_api_key
    })?;
    let name = &profile.profile.name;
    let connection = state.connections.of(name).ok()?;
    let upstream = connection.upstream_for(Some(brought.login.id));
    let mut sent = brought.headers.clone();
    sent.remove(ACCEPT_ENCODING);
    headers::sign(&mut sent, &profile.profile, None);
    match upstream.get("/models", query, sent, state.max_body()).await {
        Ok((status, head, body)) => {
            state.open_ahead(&upstream);
            let mut answer = Answer::whole(status, headers::from_provider(&head), body);
            answer.mark(1, Some(name));
            Some(answer)
        }
        Err(error) => {
            debug!(profile = %name, ?error, "the login's models were not told");
            None
        }
    }
}
