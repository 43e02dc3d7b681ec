//! The answer to a prompt, one line for each piece.

use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::reply::{TAKEN_WITHIN, line};
use crate::api::{self, Prompt, Services};
use crate::control::protocol::{AskPart, Reply};

/// Pieces of an answer that are not written yet; a slow reader slows the provider.
const PIECES: usize = 16;

/// Sends a prompt and writes its answer as it comes; an error where the client is gone.
pub(super) async fn answer(
    services: &Services,
    prompt: Prompt,
    write: &mut OwnedWriteHalf,
) -> Result<(), ()> {
    let (sender, mut pieces) = mpsc::channel(PIECES);
    let asking = api::prompt(services, prompt, sender);
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
        Some(Ok(end)) => Reply::Ok(AskPart::End {
            profile: end.profile,
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
