//! Everything that the front end waits for.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tracing::warn;

use super::front::Front;
use super::shown::{Shown, ShownEvent};
use super::store_watch::{StoreNews, StoreWatch};
use super::watches::Watches;
use crate::config::Settings;
use crate::domain::agent::AgentNotice;
use crate::domain::event::TerminalEvent;
use crate::providers::{Changes, Events};
use crate::runtime::lend::LentTerminal;
use crate::runtime::signals::Terminations;
use crate::tui::link::FrontRequest;
use crate::tui::msg::Msg;
use crate::tui::notice::Notice;
use crate::tui::services::Ending;

/// What woke the loop.
pub(super) enum Woken {
    Message(Msg),
    Shown(ShownEvent),
    Lent(Box<LentTerminal>),
    Request(FrontRequest),
    Event(Result<TerminalEvent, RecvError>),
    Providers,
    Store(StoreNews),
    Settings,
    End(Ending),
    /// A moment came: a frame may be drawn, or the model waited for it.
    Time,
}

/// What may come from elsewhere than the terminal.
pub(super) struct Sources {
    pub terminations: Terminations,
    pub requests: mpsc::Receiver<FrontRequest>,
    pub lent: mpsc::Receiver<LentTerminal>,
    pub watches: Watches,
    pub events: broadcast::Receiver<TerminalEvent>,
    pub provider_events: Events,
    pub provider_changes: Changes,
    pub store: StoreWatch,
    pub agent_notices: broadcast::Receiver<AgentNotice>,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub notices: mpsc::Receiver<Notice>,
}

impl Sources {
    /// Waits for whatever comes first, no longer than until something of `front` or the next frame is due. Cancel-safe.
    pub async fn wait(&mut self, front: &mut Front, next_frame: Option<Instant>) -> Woken {
        let is_shown = front.shown.is_some();
        let takes_input = front.takes_input();
        let hears_providers = is_shown && front.provider_poll.due().is_none();
        let reads_journal = front.reads_journal();
        let deadline = front.deadline(next_frame);
        tokio::select! {
            biased;
            termination = self.terminations.next() => Woken::End(Ending::Signal(termination)),
            Some(request) = self.requests.recv() => Woken::Request(request),
            Some(lent) = self.lent.recv() => Woken::Lent(Box::new(lent)),
            event = next_of(&mut front.shown, takes_input) => Woken::Shown(event),
            (id, screen) = self.watches.changed() => Woken::Message(Msg::Screen(id, screen)),
            event = self.events.recv() => Woken::Event(event),
            Some(answer) = front.backend.answer() => match answer {
                Ok(msg) => Woken::Message(msg),
                // Only a bug of tundra's ends one; nothing else may depend on it.
                Err(error) => {
                    warn!(%error, "an answer was lost");
                    Woken::Time
                }
            },
            event = self.provider_events.next() => Woken::Message(Msg::ProviderEvent(event)),
            news = self.store.next(reads_journal), if is_shown => Woken::Store(news),
            () = self.provider_changes.next(), if hears_providers => Woken::Providers,
            // One that was missed is on the screen all the same.
            Ok(notice) = self.agent_notices.recv() => Woken::Message(Msg::AgentNotice(notice)),
            Ok(()) = self.settings.changed() => Woken::Settings,
            Some(notice) = self.notices.recv() => Woken::Message(Msg::Notice(notice)),
            () = until(deadline) => Woken::Time,
        }
    }
}

/// What comes next from the terminal that shows the session; never, where none does. Cancel-safe.
async fn next_of(shown: &mut Option<Shown>, takes_input: bool) -> ShownEvent {
    match shown {
        Some(shown) => shown.next(takes_input).await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
