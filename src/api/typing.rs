//! Typing on behalf of a script: as a person would, who strikes Enter after what was typed has been taken.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::operation::Typed;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::pane::{PaneError, PaneHandle, ScreenWatch};

/// How long a program may take to show that it has read something. One that shows nothing (a password) costs this once.
const REACTS_WITHIN: Duration = Duration::from_millis(400);
/// A screen that has been still for so long shows all that was typed. Codex takes an Enter for a newline that comes within
/// 120 ms of the last character of a burst, and Claude Code one that arrives in the same read.
const STILL_FOR: Duration = Duration::from_millis(200);
/// A program that draws all the time (a spinner) is not waited for any longer.
const AT_MOST: Duration = Duration::from_millis(1500);
/// Terminals that share a turn wait for each other needlessly, which is rare and short.
const TURNS: usize = 16;

/// Lets one script at a time type into a terminal, so that nobody's text comes between another's text and its Enter.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<[Mutex<()>; TURNS]>);

impl Turns {
    fn of(&self, id: TerminalId) -> Option<&Mutex<()>> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % TURNS as u64).ok()?;
        self.0.get(index)
    }
}

/// Types one part after the other. A key that follows a text is struck once the program has taken the text, since many
/// take an Enter that arrives with it for a part of a paste. Given up in the middle, the rest is not typed.
pub(super) async fn type_parts(
    turns: &Turns,
    pane: &PaneHandle,
    parts: Vec<Typed>,
) -> Result<(), PaneError> {
    let _turn = match turns.of(pane.id()) {
        Some(turn) => Some(turn.lock().await),
        None => None,
    };
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        let is_key = |part: &Typed| matches!(part, Typed::Key(_));
        let waits = !is_key(&part) && parts.peek().is_some_and(is_key);
        let input = match part {
            Typed::Text(text) => Input::Text(text),
            Typed::Paste(text) => Input::Paste(text),
            Typed::Key(chord) => Input::Key(chord.event()),
        };
        if waits {
            let mut screen = watched(pane).await;
            pane.try_input(input)?;
            taken(&mut screen).await;
        } else {
            pane.try_input(input)?;
        }
    }
    Ok(())
}

/// A watch that has seen what is on the screen now.
async fn watched(pane: &PaneHandle) -> ScreenWatch {
    let mut screen = pane.watch();
    let _ = timeout(STILL_FOR, screen.changed()).await;
    screen
}

/// Waits until the program has shown that it took what was typed, as far as that can be seen.
async fn taken(screen: &mut ScreenWatch) {
    let shown = async {
        if timeout(REACTS_WITHIN, screen.changed()).await.is_ok() {
            while matches!(timeout(STILL_FOR, screen.changed()).await, Ok(true)) {}
        }
    };
    let _ = timeout(AT_MOST, shown).await;
}
