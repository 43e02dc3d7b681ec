//! Requests about providers, and prompts.

use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Services, TAKEN_WITHIN, line};
use crate::control::protocol::{AskPart, ProviderCommand, Reply};
use crate::control::shapes::{DoneShape, ErrorShape};
use crate::domain::profile::ProfileName;
use crate::domain::route::{By, CommandError, DEFAULT_HOLD, RouterCommand};
use crate::gateway::{Ask, AskError};
use crate::providers::SteerError;

/// Pieces of an answer that are not written yet; a slow reader slows the provider.
const PIECES: usize = 16;

pub(super) async fn command(
    services: &Services,
    command: ProviderCommand,
) -> Result<DoneShape, ErrorShape> {
    let named = |name: String| ProfileName::from(name.as_str());
    let command = match command {
        ProviderCommand::Failover { from, hold_ms } => RouterCommand::Failover {
            from: from.map(named),
            hold: hold_ms.map_or(DEFAULT_HOLD, std::time::Duration::from_millis),
        },
        ProviderCommand::Pin(name) => RouterCommand::Pin(named(name)),
        ProviderCommand::Unpin => RouterCommand::Unpin,
        ProviderCommand::Reset(name) => RouterCommand::Reset(named(name)),
        ProviderCommand::Restart(name) => RouterCommand::Restart(named(name)),
        ProviderCommand::Enable(name) => RouterCommand::Enable(named(name)),
        ProviderCommand::Disable(name) => RouterCommand::Disable(named(name)),
    };
    let done = services.providers.command(command, By::Cli).await?;
    Ok(DoneShape::from(&done))
}

/// Sends a prompt and writes its answer as it comes, one line for each piece; an error where the client is gone.
pub(super) async fn ask(
    services: &Services,
    ask: Ask,
    write: &mut OwnedWriteHalf,
) -> Result<(), ()> {
    let (sender, mut pieces) = mpsc::channel(PIECES);
    let asking = services.providers.gateway().ask(ask, sender);
    tokio::pin!(asking);
    let mut asked = None;
    loop {
        tokio::select! {
            biased;
            Some(text) = pieces.recv() => send(write, &Reply::Ok(AskPart::Text(text))).await?,
            ended = &mut asking, if asked.is_none() => asked = Some(ended),
            else => break,
        }
    }
    let end = match asked {
        Some(Ok(asked)) => Reply::Ok(AskPart::End {
            profile: asked.profile,
        }),
        Some(Err(error)) => Reply::Error(error.into()),
        None => return Err(()),
    };
    send(write, &end).await
}

async fn send(write: &mut OwnedWriteHalf, reply: &Reply<AskPart>) -> Result<(), ()> {
    match timeout(TAKEN_WITHIN, write.write_all(&line(reply))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(()),
    }
}

impl From<SteerError> for ErrorShape {
    fn from(error: SteerError) -> Self {
        let code = match &error {
            SteerError::Command(error) => code_of(error),
            SteerError::Server(_) => "server_failed",
        };
        Self::new(code, error.to_string())
    }
}

impl From<AskError> for ErrorShape {
    fn from(error: AskError) -> Self {
        let code = match &error {
            AskError::NotFound(_) => "not_found",
            AskError::NobodyThere | AskError::Answered(_) => "refused",
            AskError::BadRequest(_) => "bad_request",
            AskError::BrokeOff(_) | AskError::Unread => "broke_off",
        };
        Self::new(code, error.to_string())
    }
}

const fn code_of(error: &CommandError) -> &'static str {
    match error {
        CommandError::NobodyLeft => "nobody_left",
        CommandError::NotFound(_) => "not_found",
    }
}
