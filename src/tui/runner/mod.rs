//! The loop around `update` and `view`: the only place in the front end that waits.
//!
//! It waits for whatever comes first and does effects at once; what takes a while (opening a terminal, reading
//! history) runs beside it and comes back as a message. Frames go out one at a time, at most 60 a second, the first
//! one after a pause at once.

mod backend;
mod beginning;
mod front;
mod journal;
mod leave;
mod log;
mod options;
mod programs;
mod provider_poll;
mod returning;
mod saving;
mod screen;
mod shown;
mod sources;
mod store_watch;
mod watches;
mod worktree;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{info, warn};

use self::backend::Backend;
use self::beginning::Beginning;
use self::front::Front;
use self::leave::{Leave, Next};
use self::options::{options_of, theme_of};
use self::programs::ProgramChecks;
use self::provider_poll::ProviderPoll;
use self::saving::Saving;
use self::shown::{Lender, Shown};
use self::sources::{Sources, Woken};
use self::store_watch::{StoreNews, StoreWatch};
use self::watches::Watches;
use super::client::Client;
use super::error::TuiError;
use super::kept::KeptFront;
use super::link::{FrontLink, FrontRequest};
use super::model::Model;
use super::msg::Msg;
use super::now::Now;
use super::outer::{Environment, guarded};
use super::services::{Ending, Services};
use super::update;
use crate::domain::event::TerminalEvent;
use crate::runtime::lend::{BorrowerEvent, Departure};

/// Messages taken in a row before the screen gets its turn.
const BATCH: usize = 256;
/// How long an instance that ends waits for a terminal that the program before it showed on.
const RETURNS_AT_THE_END: Duration = Duration::from_secs(1);

pub(super) struct Runner {
    front: Front,
    sources: Sources,
}

impl Runner {
    pub(super) fn new(services: Services) -> Self {
        let Services {
            pool,
            settings,
            providers,
            store,
            log_file,
            notices,
            terminations,
            addresses,
            lent,
            link: FrontLink { status, requests },
            agent_notices,
            attended,
            checkup,
            first,
            life,
            restored,
            resumed,
            saved,
        } = services;
        let current = Arc::clone(&settings.borrow());
        let client = Client::away(theme_of(&current, &Environment::default(), None));
        let sources = Sources {
            terminations,
            requests,
            lent,
            watches: Watches::default(),
            events: pool.events(),
            provider_events: providers.events(),
            provider_changes: providers.changes(),
            store: StoreWatch::new(&store),
            agent_notices,
            settings: settings.clone(),
            notices,
        };
        let mut front = Front {
            model: Model::new(client, Arc::new(options_of(&current)), pool.gauge()),
            shown: None,
            status,
            attended,
            recorder: store.recorder(),
            settings,
            beginning: Beginning::new(first, life),
            programs: ProgramChecks::default(),
            provider_poll: ProviderPoll::Done(Instant::now()),
            saving: Saving::new(saved),
            leaving: None,
            begun: None,
            returning: None,
            backend: Backend::new(pool, providers, store, log_file, addresses, checkup),
        };
        // The strip's rows are known before a terminal gets its size.
        let status = front.backend.provider_status(None);
        update::update(&mut front.model, status, Now::read(), &mut Vec::new());
        if let Some(session) = restored {
            front.bring_back(session);
        }
        if let Some(kept) = resumed {
            front.go_on(kept);
        }
        // Terminals that somebody opened before there was a front end.
        let existing = front.backend.list();
        if !existing.is_empty() {
            front.take(Msg::Listed(existing));
        }
        Self { front, sources }
    }

    pub(super) async fn run(mut self: Box<Self>) -> Result<Ending, TuiError> {
        loop {
            let restore = self.front.shown.as_ref().map(Shown::restore);
            let stepped = guarded(restore, async { Ok(Box::pin(self.step()).await) }).await;
            let leave = match stepped {
                Ok(None) => continue,
                Ok(Some(leave)) => leave,
                // There is no terminal to give back, and whoever comes may fare better.
                Err(error) if self.front.shown.is_none() => {
                    warn!(%error, "nobody saw it");
                    continue;
                }
                Err(error) => Leave::Failed(error),
            };
            if let Some(outcome) = self.leave(leave).await {
                return outcome;
            }
        }
    }

    /// Deals with what comes next; tells why the terminal is to be left, if it is. By then all input that was read has been
    /// dealt with.
    async fn step(&mut self) -> Option<Leave> {
        if self.front.leaving.is_none() {
            let Self { front, sources } = self;
            sources.watches.keep(&front.backend.pool, &front.model);
            let model = &front.model;
            let shown = front.shown.as_mut();
            let next_frame = shown.and_then(|shown| shown.screen.draw_or_wait(model));
            let woken = Box::pin(sources.wait(front, next_frame)).await;
            self.handle(woken);
        }
        // What is there already is taken before the next frame.
        for _ in 0..BATCH {
            if self.front.leaving.is_some() || !self.front.takes_input() {
                break;
            }
            let shown = self.front.shown.as_mut();
            match shown.and_then(|shown| shown.screen.input.try_recv().ok()) {
                Some(event) => self.front.take_input(event),
                None => break,
            }
        }
        let leave = self.front.leaving.take()?;
        if let Some(shown) = &mut self.front.shown {
            let last = if matches!(leave, Leave::Frozen(_)) {
                let (last, begun) = shown.pass_on_input().await;
                self.front.begun = Some(begun);
                last
            } else {
                shown.last_input().await
            };
            for event in last {
                self.front.take_input(event);
            }
            // What it asked for is what is being done.
            self.front.leaving = None;
        }
        Some(leave)
    }

    /// Leaves the terminal, and takes the next one or ends.
    async fn leave(&mut self, leave: Leave) -> Option<Result<Ending, TuiError>> {
        let plan = leave.plan(self.front.leave_rules());
        let ends = matches!(plan.next, Next::End(_));
        info!(why = plan.why, ends, "the front end leaves");
        self.front.leave_terminal(&plan).await;
        match plan.next {
            Next::Away => None,
            Next::Show(lent) => {
                self.front.show(*lent);
                None
            }
            Next::HandOver(reply) => match self.hand_over(reply).await {},
            Next::End(outcome) => {
                self.front.save();
                self.turn_away(&plan.departure).await;
                Some(outcome)
            }
        }
    }

    /// Tells the user's place. Nothing is to happen any more that the next program does not know of, and a terminal that
    /// comes is for that one.
    async fn hand_over(&mut self, reply: oneshot::Sender<KeptFront>) -> Infallible {
        let _ = reply.send(self.front.kept());
        while let Some(lent) = self.sources.lent.recv().await {
            let _ = lent.told.try_send(BorrowerEvent::Left(Departure::Again));
        }
        std::future::pending().await
    }

    /// Tells whoever lends a terminal at this moment, or is about to lend it again, that there is nobody to show it.
    async fn turn_away(&mut self, departure: &Departure) {
        let lent = &mut self.sources.lent;
        if self.front.returning.take().is_some()
            && let Ok(Some(lent)) = timeout(RETURNS_AT_THE_END, lent.recv()).await
        {
            Lender::of(lent).tell(departure.clone());
        }
        lent.close();
        while let Ok(lent) = lent.try_recv() {
            Lender::of(lent).tell(departure.clone());
        }
    }

    fn handle(&mut self, woken: Woken) {
        let front = &mut self.front;
        match woken {
            Woken::Message(msg) => {
                if let Msg::Screen(id, _) = msg {
                    front.programs.changed(id, Instant::now());
                }
                front.take(msg);
            }
            Woken::Shown(event) => front.take_shown(event),
            Woken::Lent(lent) => front.take_lent(lent),
            Woken::Request(FrontRequest::Detach(left)) => front.detach(left),
            Woken::Request(FrontRequest::Stop(begun)) => {
                let _ = begun.send(());
                front.leaving = Some(Leave::Ending(Ending::Quit));
            }
            Woken::Request(FrontRequest::Freeze(reply)) => {
                front.leaving = Some(Leave::Frozen(reply));
            }
            Woken::Event(event) => {
                let last = match event {
                    Ok(TerminalEvent::Exited { id, .. }) => self.sources.watches.last(id),
                    Ok(_) | Err(_) => None,
                };
                front.take_event(event, last);
            }
            Woken::Settings => front.take_settings(),
            Woken::End(ending) => front.leaving = Some(Leave::Ending(ending)),
            Woken::Providers => front.providers_changed(),
            Woken::Store(StoreNews::State) => front.backend.look_at_store(),
            Woken::Store(StoreNews::Written) => front.take(Msg::JournalWritten),
            Woken::Time => front.take_time(),
        }
    }
}
