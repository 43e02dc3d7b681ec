//! One prompt through the router, whose answer comes in pieces.

use tokio::sync::mpsc;

use super::error::ApiError;
use super::services::Services;
use crate::domain::profile::ProfileName;
use crate::gateway::Ask;

/// A prompt and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub text: String,
    /// The profile's own where none is given.
    pub model: Option<String>,
    /// The one profile that may answer; whoever is next in the route where none is given.
    pub profile: Option<String>,
}

/// The end of an answer that came whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptEnd {
    /// Who answered.
    pub profile: Option<String>,
}

/// Asks, and sends the answer's text to `pieces` as it comes; a reader that is slow slows the provider. Given up in the
/// middle, it ends the provider's stream.
///
/// # Errors
/// [`ApiError`] where nobody answered, or where the answer broke off.
pub async fn prompt(
    services: &Services,
    prompt: Prompt,
    pieces: mpsc::Sender<String>,
) -> Result<PromptEnd, ApiError> {
    let ask = Ask {
        prompt: prompt.text,
        model: prompt.model,
        profile: prompt.profile.as_deref().map(ProfileName::from),
    };
    let asked = services.providers.gateway().ask(ask, pieces).await?;
    Ok(PromptEnd {
        profile: asked.profile,
    })
}
