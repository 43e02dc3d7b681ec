//! Typing on behalf of a script: as a person would, who strikes Enter after what was typed has been taken.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::operation::Typed;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::pane::{Activity, PaneError, PaneHandle, ScreenWatch};

/// Nobody types so many bytes at once.
const LONG: usize = 512;
/// How long a program may take to show that it has read something. One that shows nothing (a password) costs this once.
const REACTS_WITHIN: Duration = Duration::from_millis(400);
/// A program that has been idle, and its screen still, for so long has taken all that was typed. Codex takes an Enter for a
/// newline that comes within 120 ms of the last character of a burst, and Claude Code one that arrives in the same read.
const STILL_FOR: Duration = Duration::from_millis(200);
/// How often the program is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A program that is never idle (it builds, it shows a spinner) is not waited for any longer.
const AT_MOST: Duration = Duration::from_millis(1500);
/// So much longer it may take for each byte: Codex takes some 0.2 ms, and ten times that on a busy machine.
const AT_MOST_PER_BYTE: Duration = Duration::from_millis(4);
/// Never longer than this: whoever asked waits for the answer (`send`, a minute).
const AT_MOST_EVER: Duration = Duration::from_secs(45);
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
        let bytes = match &part {
            Typed::Text(text) | Typed::Paste(text) => text.len(),
            Typed::Key(_) => 0,
        };
        let input = match part {
            Typed::Text(text) => Input::Text(text),
            Typed::Paste(text) => Input::Paste(text),
            Typed::Key(chord) => Input::Key(chord.event()),
        };
        if waits {
            let mut screen = watched(pane).await;
            // A watch may still be blank; a capture is of now.
            let now = pane.capture(false).await?;
            let takes_pastes = now.screen.modes.bracketed_paste;
            pane.try_input(if takes_pastes { pasted(input) } else { input })?;
            taken(&mut screen, pane.activity(), bytes).await;
        } else {
            pane.try_input(input)?;
        }
    }
    Ok(())
}

/// A long text as a paste, which is what it is to a program that asked to be told of them: one that finds out by itself, by
/// the speed of the keys, may find out wrongly, and then no waiting helps. What holds control characters is typed.
fn pasted(input: Input) -> Input {
    match input {
        Input::Text(text) if text.len() >= LONG && !text.chars().any(is_control) => {
            Input::Paste(text)
        }
        other => other,
    }
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// A watch that has seen what is on the screen now.
async fn watched(pane: &PaneHandle) -> ScreenWatch {
    let mut screen = pane.watch();
    let _ = timeout(STILL_FOR, screen.changed()).await;
    screen
}

/// Waits until the program has taken what was typed, as far as that can be seen: it has drawn something and is idle again.
async fn taken(screen: &mut ScreenWatch, mut activity: Activity, bytes: usize) {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    let at_most = AT_MOST + AT_MOST_PER_BYTE.saturating_mul(bytes);
    let ends = Instant::now() + at_most.min(AT_MOST_EVER);
    let (mut still_since, mut has_drawn) = (Instant::now(), false);
    while Instant::now() < ends {
        match timeout(LOOK_EVERY, screen.changed()).await {
            Ok(false) => return,
            Ok(true) => {
                has_drawn = true;
                still_since = Instant::now();
            }
            Err(_) if activity.is_at_work() => still_since = Instant::now(),
            Err(_) => {}
        }
        let enough = if has_drawn { STILL_FOR } else { REACTS_WITHIN };
        if still_since.elapsed() >= enough {
            return;
        }
    }
}
