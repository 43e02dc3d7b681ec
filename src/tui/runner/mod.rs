//! The loop around `update` and `view`: the only place in the front end that waits.
//!
//! It waits for whatever comes first and does effects at once; what takes a while (opening a terminal, reading
//! history) runs beside it and comes back as a message. Frames go out one at a time, at most 60 a second, the first
//! one after a pause at once.

mod backend;
mod branch;
mod journal;
mod log;
mod programs;
mod screen;
mod shown;
mod store_watch;
mod watches;
mod worktree;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{info, warn};

use self::backend::Backend;
use self::programs::ProgramChecks;
use self::screen::{Screen, ScreenEvent};
use self::shown::{Lender, Shown, ShownEvent};
use self::store_watch::{StoreNews, StoreWatch};
use self::watches::Watches;
use super::client::{Client, Overlay};
use super::effect::Effect;
use super::error::TuiError;
use super::input::{InputEvent, Reply};
use super::kept::{KeptBegun, KeptFront};
use super::link::{FrontLink, FrontRequest};
use super::model::{Model, Options, OuterNotify};
use super::msg::Msg;
use super::notice::{Notice, Prominence, Severity};
use super::now::Now;
use super::outer::{Environment, guarded};
use super::services::{Ending, First, Life, Services};
use super::session::{Origin, SavedSession, Session};
use super::theme::Theme;
use super::update::{self, Redraw};
use crate::config::{OnClose, Settings};
use crate::domain::agent::AgentNotice;
use crate::domain::code::Code;
use crate::domain::event::TerminalEvent;
use crate::domain::fact::{Fact, Recorder, What};
use crate::domain::id::TerminalId;
use crate::pane::PaneHandle;
use crate::providers::{Changes, Events};
use crate::runtime::fault;
use crate::runtime::lend::{Departure, LenderEvent, LentTerminal, Told};
use crate::runtime::signals::{Termination, Terminations};

/// Messages taken in a row before the screen gets its turn.
const BATCH: usize = 256;
/// An instance that was started for a terminal which never came ends after so long.
const UNCLAIMED_FOR: Duration = Duration::from_secs(15);
/// How long after a change of the session it is looked what would have to be brought back.
const KEEP_AFTER: Duration = Duration::from_millis(200);
/// The same after output of a pane.
const KEEP_AFTER_OUTPUT: Duration = Duration::from_secs(2);
/// The least time between two looks at the providers.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(super) struct Runner {
    backend: Backend,
    /// None while no terminal shows the session.
    shown: Option<Shown>,
    lent: mpsc::Receiver<LentTerminal>,
    link: FrontLink,
    /// What a first terminal begins with.
    first: First,
    /// It has not come yet.
    begins: bool,
    started: Instant,
    life: Life,
    watches: Watches,
    programs: ProgramChecks,
    model: Model,
    provider_changes: Changes,
    provider_events: Events,
    provider_poll: ProviderPoll,
    store_watch: StoreWatch,
    settings: tokio::sync::watch::Receiver<Arc<Settings>>,
    notices: mpsc::Receiver<Notice>,
    terminations: Terminations,
    events: broadcast::Receiver<TerminalEvent>,
    agent_notices: broadcast::Receiver<AgentNotice>,
    /// Told which pane the user looks at.
    attended: Arc<watch::Sender<Option<TerminalId>>>,
    recorder: Arc<dyn Recorder>,
    saved: tokio::sync::watch::Sender<Option<SavedSession>>,
    /// When to look whether what is to be brought back has changed.
    save: Option<Instant>,
    leaving: Option<Leave>,
    /// What another program has begun to read of its terminal, or this one for the next.
    begun: Option<KeptBegun>,
}

/// Why the terminal is left, or the front end ends.
enum Leave {
    /// The instance goes on by itself, for this reason.
    Detached(&'static str),
    /// Another terminal is to show it.
    TakenOver(Box<LentTerminal>),
    Suspended,
    /// Its window was closed.
    Closed,
    /// It cannot be shown.
    Failed(TuiError),
    /// Another program goes on; whoever asked is told the user's place.
    Frozen(oneshot::Sender<KeptFront>),
    Ending(Ending),
}

/// When the providers were looked at, or are to be.
#[derive(Clone, Copy, Debug)]
enum ProviderPoll {
    Done(Instant),
    /// They changed right after the last look.
    Due(Instant),
}

/// What woke the loop.
enum Woken {
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
            link,
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
        let mut runner = Self {
            shown: None,
            lent,
            link,
            first,
            begins: true,
            started: Instant::now(),
            life,
            watches: Watches::default(),
            programs: ProgramChecks::default(),
            model: Model::new(client, Arc::new(options_of(&current)), pool.gauge()),
            provider_changes: providers.changes(),
            provider_events: providers.events(),
            provider_poll: ProviderPoll::Done(Instant::now()),
            store_watch: StoreWatch::new(&store),
            settings,
            notices,
            terminations,
            events: pool.events(),
            agent_notices,
            attended,
            recorder: store.recorder(),
            saved,
            save: None,
            leaving: None,
            begun: None,
            backend: Backend::new(pool, providers, store, log_file, addresses, checkup),
        };
        // The strip's rows are known before a terminal gets its size.
        let status = runner.backend.provider_status(None);
        update::update(&mut runner.model, status, Now::read(), &mut Vec::new());
        if let Some(session) = restored {
            runner.bring_back(session);
        }
        if let Some(kept) = resumed {
            runner.go_on(kept);
        }
        // Terminals that somebody opened before there was a front end.
        let existing = runner.backend.list();
        if !existing.is_empty() {
            runner.take(Msg::Listed(existing));
        }
        runner
    }

    /// Begins with the panes of an instance that ended without being asked to.
    fn bring_back(&mut self, session: Session) {
        let count = session.panes.len();
        self.model.session = session;
        // There is something to begin with.
        self.begins = false;
        let text = match count {
            1 => "brought back 1 pane: enter runs its program again".to_owned(),
            count => {
                format!("brought back {count} panes: enter runs a program again, A runs all")
            }
        };
        let messages = &mut self.model.session.messages;
        messages.note(Severity::Info, text, Now::read());
    }

    /// Begins where the program before this one was.
    fn go_on(&mut self, mut kept: KeptFront) {
        self.begun = kept.begun.take();
        let pool = &self.backend.pool;
        let terminal_of = |id| pool.get(id).map(|pane| (pane.info(), pane.spec()));
        let (session, trouble) = kept.session(terminal_of);
        self.model.session = session;
        self.begins = false;
        if let Some(trouble) = trouble {
            warn!(%trouble, "the layout is not kept");
            update::gather(&mut self.model, self.backend.list());
        }
        // Names that follow programs stand from the first frame on.
        let ids: Vec<_> = self.model.session.panes.keys().copied().collect();
        for id in ids {
            self.look_at_program(id);
        }
    }

    fn look_at_program(&mut self, id: TerminalId) {
        if let Some(program) = self.backend.foreground_program(id) {
            self.take(Msg::Program(id, program));
        }
    }

    fn origin_of(&self, id: TerminalId) -> Option<Origin> {
        let pane = self.backend.pool.get(id)?;
        Some(Origin {
            cwd: pane.working_directory(),
            spec: pane.spec(),
        })
    }

    /// Tells what would have to be brought back now, where that has changed.
    fn keep(&mut self) {
        self.save = None;
        let saved = SavedSession::of(&self.model.session, |id| self.origin_of(id));
        self.saved.send_if_modified(|before| {
            let has_changed = *before != saved;
            *before = saved;
            has_changed
        });
    }

    pub(super) async fn run(mut self: Box<Self>) -> Result<Ending, TuiError> {
        loop {
            let restore = self.shown.as_ref().map(Shown::restore);
            let stepped = guarded(restore, async { Ok(Box::pin(self.step()).await) }).await;
            let leave = match stepped {
                Ok(None) => continue,
                Ok(Some(leave)) => leave,
                // There is no terminal to give back, and whoever comes may fare better.
                Err(error) if self.shown.is_none() => {
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
        if self.leaving.is_none() {
            self.watches.keep(&self.backend.pool, &self.model);
            let model = &self.model;
            let shown = self.shown.as_mut();
            let pause = shown.and_then(|shown| shown.screen.draw_or_wait(model));
            let woken = Box::pin(self.wait(pause)).await;
            self.handle(woken);
        }
        // What is there already is taken before the next frame.
        for _ in 0..BATCH {
            if self.leaving.is_some() || !self.takes_input() {
                break;
            }
            let shown = self.shown.as_mut();
            match shown.and_then(|shown| shown.screen.input.try_recv().ok()) {
                Some(event) => self.take_input(event),
                None => break,
            }
        }
        let leave = self.leaving.take()?;
        if let Some(shown) = &mut self.shown {
            let last = if matches!(leave, Leave::Frozen(_)) {
                let (last, begun) = shown.pass_on_input().await;
                self.begun = Some(begun);
                last
            } else {
                shown.last_input().await
            };
            for event in last {
                self.take_input(event);
            }
            // What it asked for is what is being done.
            self.leaving = None;
        }
        Some(leave)
    }

    /// Leaves the terminal, and takes the next one or ends.
    async fn leave(&mut self, leave: Leave) -> Option<Result<Ending, TuiError>> {
        let is_closed = matches!(leave, Leave::Closed);
        let quits = is_closed && self.settings.borrow().general.on_close == OnClose::Quit;
        let ended = |ending| Departure::Ended {
            exit: exit_of(ending),
        };
        let mut next = None;
        let mut frozen = None;
        let (why, departure, outcome) = match leave {
            Leave::Frozen(reply) => {
                frozen = Some(reply);
                ("upgrade", Departure::Again, None)
            }
            Leave::Detached(why) => (why, Departure::Detached, None),
            Leave::Closed if quits => {
                let ending = Ending::Quit;
                ("its terminal was closed", ended(ending), Some(Ok(ending)))
            }
            Leave::Closed => ("its terminal was closed", Departure::Detached, None),
            Leave::Suspended => ("suspended", Departure::Suspended, None),
            Leave::TakenOver(lent) => {
                let pid = lent.offer.pid;
                next = Some(lent);
                ("taken over", Departure::TakenOver { pid }, None)
            }
            Leave::Failed(error) => {
                let departure = self.failure(&error);
                let ends = matches!(departure, Departure::Failed { ends: true, .. });
                ("it failed", departure, ends.then_some(Err(error)))
            }
            Leave::Ending(Ending::Quit) => ("quit", ended(Ending::Quit), Some(Ok(Ending::Quit))),
            Leave::Ending(ending @ Ending::Signal(signal)) => {
                (signal.name(), ended(ending), Some(Ok(ending)))
            }
        };
        info!(why, ends = outcome.is_some(), "the front end leaves");
        if let Some(shown) = self.shown.take() {
            let pid = shown.pid();
            let waiters = shown.leave(departure).await;
            if frozen.is_none() {
                self.link.status.send_replace(None);
                self.record(What::FrontDetached {
                    pid,
                    why: why.to_owned(),
                });
                self.tell_away();
                self.tell_attended();
            }
            for waiter in waiters {
                let _ = waiter.send(());
            }
        }
        if let Some(reply) = frozen {
            let mut kept = KeptFront::of(&self.model.session, |id| self.origin_of(id));
            kept.begun = self.begun.take();
            let _ = reply.send(kept);
            // Nothing is to happen any more that the next program does not know of. A terminal that comes is for that one.
            while let Some(lent) = self.lent.recv().await {
                let _ = lent.told.try_send(Told::Left(Departure::Again));
            }
            std::future::pending::<()>().await;
        }
        if let Some(lent) = next {
            self.show(*lent);
        }
        if outcome.is_some() {
            self.keep();
        }
        if let Some(Err(error)) = &outcome {
            self.turn_away(error);
        }
        outcome
    }

    /// Tells whoever lends a terminal at this moment why there is nobody to show it.
    fn turn_away(&mut self, error: &TuiError) {
        self.lent.close();
        while let Ok(lent) = self.lent.try_recv() {
            Lender::of(lent).tell(Departure::Failed {
                code: error.into(),
                message: error.to_string(),
                ends: true,
            });
        }
    }

    /// What the lender of a terminal is told that cannot show the session. Where there is nothing to go on with, the instance
    /// ends.
    fn failure(&self, error: &TuiError) -> Departure {
        let session = &self.model.session;
        let is_empty = session.tabs.is_empty() && session.opening == 0;
        Departure::Failed {
            code: error.into(),
            message: error.to_string(),
            ends: is_empty && self.life == Life::EndsWithLastPane,
        }
    }

    /// Shows the session on a terminal.
    fn show(&mut self, lent: LentTerminal) {
        let (command, cwd) = (lent.offer.command.clone(), lent.offer.cwd.clone());
        let settings = Arc::clone(&self.settings.borrow());
        let shown = match Shown::open(lent, self.begun.take()) {
            Ok(shown) => shown,
            Err((error, lender)) => {
                warn!(%error, "a terminal cannot be shown on");
                let departure = self.failure(&error);
                let ends = matches!(departure, Departure::Failed { ends: true, .. });
                lender.tell(departure);
                if ends {
                    self.leaving = Some(Leave::Failed(error));
                }
                return;
            }
        };
        let client = Client::new(
            shown.screen.size(),
            theme_of(&settings, shown.screen.environment(), None),
            settings.general.mouse,
        );
        let status = shown.status();
        info!(
            pid = status.pid,
            tty = status.tty,
            "a terminal shows tundra"
        );
        self.record(What::FrontAttached {
            pid: status.pid,
            tty: status.tty.clone(),
            cols: status.cols,
            rows: status.rows,
        });
        self.link.status.send_replace(Some(status));
        self.shown = Some(shown);
        let mut effects = Vec::new();
        update::shown(&mut self.model, client, &mut effects);
        let begins = std::mem::replace(&mut self.begins, false);
        if !command.is_empty() {
            update::command(&mut self.model, command, cwd, &mut effects);
        } else if begins && self.life == Life::EndsWithLastPane {
            update::first(&mut self.model, self.first.clone(), &mut effects);
        }
        self.do_effects(effects);
        self.offer();
        self.look_at_providers();
    }

    /// Where there is nothing to show, what a new instance would start is offered.
    fn offer(&mut self) {
        let session = &self.model.session;
        if self.shown.is_some() && session.tabs.is_empty() && session.opening == 0 {
            update::offer(&mut self.model, self.first.clone());
        }
    }

    /// Nobody shows the session any more.
    fn tell_away(&mut self) {
        let settings = Arc::clone(&self.settings.borrow());
        let client = Client::away(theme_of(&settings, &Environment::default(), None));
        let mut effects = Vec::new();
        update::away(&mut self.model, client, &mut effects);
        self.do_effects(effects);
    }

    /// A terminal is offered; refused where it would show itself.
    fn borrow(&mut self, lent: Box<LentTerminal>) {
        if let Some(name) = self.backend.pane_on(&lent) {
            let lender = Lender::of(*lent);
            lender.tell(Departure::Failed {
                code: Code::BadRequest,
                message: format!(
                    "this terminal is the pane {name} of the tundra that it would show: detach or open another window"
                ),
                ends: false,
            });
        } else if self.shown.is_some() {
            self.leaving = Some(Leave::TakenOver(lent));
        } else {
            self.show(*lent);
        }
    }

    /// Until when a first terminal may come, where nothing else keeps the instance.
    fn unclaimed_until(&self) -> Option<Instant> {
        let waits = self.begins && self.life == Life::EndsWithLastPane;
        let is_empty = self.model.session.tabs.is_empty();
        (waits && is_empty && self.shown.is_none()).then(|| self.started + UNCLAIMED_FOR)
    }

    /// Whether keys have somewhere to go: until the first pane is there they wait.
    fn takes_input(&self) -> bool {
        self.model.session.tab().is_some() || self.model.session.opening == 0
    }

    fn record(&self, what: What) {
        self.recorder.record(Fact::at(Timestamp::now(), what));
    }

    /// Waits for whatever comes first. Cancel-safe.
    async fn wait(&mut self, pause: Option<Instant>) -> Woken {
        let is_shown = self.shown.is_some();
        let takes_input = self.takes_input();
        let poll = match self.provider_poll {
            ProviderPoll::Due(at) => Some(at),
            ProviderPoll::Done(_) => None,
        };
        let reads = matches!(self.model.client.overlay, Some(Overlay::Journal(_)));
        let deadline = [
            pause,
            self.model.next_deadline(),
            poll,
            self.programs.next(),
        ]
        .into_iter()
        .flatten()
        .min()
        .filter(|_| is_shown);
        let deadline = deadline
            .into_iter()
            .chain(self.save)
            .chain(self.unclaimed_until())
            .min();
        tokio::select! {
            biased;
            termination = self.terminations.next() => Woken::End(Ending::Signal(termination)),
            Some(request) = self.link.requests.recv() => Woken::Request(request),
            Some(lent) = self.lent.recv() => Woken::Lent(Box::new(lent)),
            event = next_of(&mut self.shown, takes_input) => Woken::Shown(event),
            (id, screen) = self.watches.changed() => Woken::Message(Msg::Screen(id, screen)),
            event = self.events.recv() => Woken::Event(event),
            Some(answer) = self.backend.answer() => match answer {
                Ok(msg) => Woken::Message(msg),
                // Only a bug of tundra's ends one; nothing else may depend on it.
                Err(error) => {
                    warn!(%error, "an answer was lost");
                    Woken::Time
                }
            },
            event = self.provider_events.next() => Woken::Message(Msg::ProviderEvent(event)),
            news = self.store_watch.next(reads), if is_shown => Woken::Store(news),
            () = self.provider_changes.next(), if is_shown && poll.is_none() => Woken::Providers,
            // One that was missed is on the screen all the same.
            Ok(notice) = self.agent_notices.recv() => Woken::Message(Msg::AgentNotice(notice)),
            Ok(()) = self.settings.changed() => Woken::Settings,
            Some(notice) = self.notices.recv() => Woken::Message(Msg::Notice(notice)),
            () = until(deadline) => Woken::Time,
        }
    }

    fn handle(&mut self, woken: Woken) {
        match woken {
            Woken::Message(msg) => {
                if let Msg::Screen(id, _) = msg {
                    self.programs.changed(id, Instant::now());
                }
                self.take(msg);
            }
            Woken::Shown(event) => self.handle_shown(event),
            Woken::Lent(lent) => self.borrow(lent),
            Woken::Request(FrontRequest::Detach(left)) => match &mut self.shown {
                Some(shown) => {
                    shown.waiters.push(left);
                    self.leaving = Some(Leave::Detached("tundra detach"));
                }
                None => {
                    let _ = left.send(());
                }
            },
            Woken::Request(FrontRequest::Stop) => {
                self.leaving = Some(Leave::Ending(Ending::Quit));
            }
            Woken::Request(FrontRequest::Freeze(reply)) => {
                self.leaving = Some(Leave::Frozen(reply));
            }
            Woken::Event(event) => self.take_event(event),
            Woken::Settings => self.take_settings(),
            Woken::End(ending) => self.leaving = Some(Leave::Ending(ending)),
            Woken::Providers => self.providers_changed(),
            Woken::Store(StoreNews::State) => self.backend.look_at_store(),
            Woken::Store(StoreNews::Written) => self.take(Msg::JournalWritten),
            Woken::Time => {
                if self.save.is_some_and(|at| at <= Instant::now()) {
                    self.keep();
                }
                if self
                    .unclaimed_until()
                    .is_some_and(|at| at <= Instant::now())
                {
                    self.leaving = Some(Leave::Ending(Ending::Quit));
                }
                if let ProviderPoll::Due(at) = self.provider_poll
                    && at <= Instant::now()
                {
                    self.look_at_providers();
                }
                for id in self.programs.take(Instant::now()) {
                    self.look_at_program(id);
                }
                self.take(Msg::Tick);
            }
        }
    }

    fn handle_shown(&mut self, event: ShownEvent) {
        match event {
            ShownEvent::Screen(ScreenEvent::Input(event)) => self.take_input(event),
            ShownEvent::Screen(ScreenEvent::Written(Ok(()))) => {}
            ShownEvent::Screen(ScreenEvent::Written(Err(error))) => {
                warn!(%error, "the outer terminal cannot be written");
                self.leaving = Some(Leave::Closed);
            }
            ShownEvent::Lender(LenderEvent::Resized) => self.resized(),
            ShownEvent::Lender(LenderEvent::Stop) => self.leaving = Some(Leave::Suspended),
            ShownEvent::Lender(LenderEvent::Continued) => self.continued(),
            ShownEvent::Lender(LenderEvent::Recalled(Termination::Hangup)) => {
                self.leaving = Some(Leave::Closed);
            }
            ShownEvent::Lender(LenderEvent::Recalled(signal)) => {
                self.leaving = Some(Leave::Detached(signal.name()));
            }
            ShownEvent::Lender(LenderEvent::Gone) => {
                let shown = self.shown.as_ref();
                let is_closed = shown.is_some_and(|shown| shown.screen.is_hung_up());
                self.leaving = Some(if is_closed {
                    Leave::Closed
                } else {
                    Leave::Detached("its process ended")
                });
            }
        }
    }

    /// Looks at once after a pause, and else a little later: a busy gateway changes hundreds of times a second.
    fn providers_changed(&mut self) {
        match self.provider_poll {
            ProviderPoll::Done(at) if at.elapsed() < LOOK_AGAIN => {
                self.provider_poll = ProviderPoll::Due(at + LOOK_AGAIN);
            }
            ProviderPoll::Done(_) => self.look_at_providers(),
            ProviderPoll::Due(_) => {}
        }
    }

    fn look_at_providers(&mut self) {
        self.provider_poll = ProviderPoll::Done(Instant::now());
        let details = self.model.details_of().cloned();
        let status = self.backend.provider_status(details);
        self.take(status);
    }

    fn take(&mut self, msg: Msg) {
        let now = Now::read();
        let mut effects = Vec::new();
        fault::point("front", "update");
        let redraw = update::update(&mut self.model, msg, now, &mut effects);
        let keep_after = match redraw {
            Redraw::All => Some(KEEP_AFTER),
            // Its program may have gone to another folder.
            Redraw::Panes => Some(KEEP_AFTER_OUTPUT),
            Redraw::Nothing => None,
        };
        if let Some(after) = keep_after {
            let at = now.instant + after;
            self.save = Some(self.save.map_or(at, |earlier| earlier.min(at)));
        }
        if let Some(shown) = &mut self.shown {
            shown.screen.mark(redraw);
        }
        self.tell_attended();
        self.do_effects(effects);
    }

    fn do_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.do_effect(effect);
        }
    }

    fn do_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Open(place, spec, near) => self.backend.open(place, spec, near),
            Effect::OpenInWorktree(spec, branch, near) => {
                self.backend.open_in_worktree(spec, branch, near);
            }
            Effect::Input(id, input) => {
                if let Some(refused) = self.backend.input(id, input) {
                    self.take(refused);
                }
            }
            Effect::Resize(id, size) => self.backend.with(id, |pane| pane.resize_from_front(size)),
            Effect::Kill(id) => self.backend.with(id, PaneHandle::kill),
            Effect::Rename(id, name) => self.backend.with(id, |pane| pane.rename(&name)),
            Effect::Seen(id) => self.backend.with(id, PaneHandle::seen),
            Effect::Rows(id, range) => self.backend.rows(id, range),
            Effect::Places(id, since, places) => self.backend.places(id, since, places),
            Effect::Search(id, number, search) => self.backend.search(id, number, *search),
            Effect::Address(id) => {
                let address = self.backend.address(id);
                self.take(address);
            }
            Effect::Examine(outer) => self.backend.examine(outer),
            Effect::FindAgents => self.backend.find_agents(),
            Effect::LookAtAgents(ids) => self.backend.look_at_agents(&ids),
            Effect::Answer(id, text) => self.backend.answer_agent(id, text),
            Effect::LookAtProviders => self.look_at_providers(),
            Effect::LookAtStore => self.backend.look_at_store(),
            Effect::ReadLog => self.backend.read_log(),
            Effect::ReadJournal(query) => self.backend.read_journal(query),
            Effect::LookForServers => self.backend.look_for_servers(),
            Effect::Steer(command) => self.backend.steer(command),
            Effect::ServerOutput(name) => self.backend.server_output(name),
            Effect::EditHistory(id, spec) => self.backend.edit_history(id, spec),
            Effect::Unshown(id) => self.backend.with(id, PaneHandle::leave_front),
            Effect::Clipboard(text) => self.set_clipboard(text),
            Effect::Bell => self.on_screen(|screen| screen.out_of_band.ring()),
            Effect::Notify(text) => {
                let kind = self.model.options.notify.osc;
                self.on_screen(|screen| screen.out_of_band.notify(&text, kind));
            }
            Effect::Repaint => self.on_screen(Screen::repaint),
            Effect::Suspend => self.leaving = Some(Leave::Suspended),
            Effect::Detach => self.leaving = Some(Leave::Detached("the user left")),
            Effect::Quit => self.leaving = Some(Leave::Ending(Ending::Quit)),
            Effect::Emptied => match self.life {
                Life::EndsWithLastPane => self.leaving = Some(Leave::Ending(Ending::Quit)),
                Life::Stays => self.offer(),
            },
            Effect::Fail(why) => self.leaving = Some(Leave::Failed(TuiError::NotStarted(why))),
        }
    }

    /// Says which pane the user looks at: none, where no terminal shows them.
    fn tell_attended(&self) {
        let attended = self.shown.as_ref().and(self.model.session.focus_told);
        self.attended
            .send_if_modified(|before| std::mem::replace(before, attended) != attended);
    }

    /// Does something with the screen, if there is one.
    fn on_screen(&mut self, act: impl FnOnce(&mut Screen)) {
        if let Some(shown) = &mut self.shown {
            act(&mut shown.screen);
        }
    }

    fn set_clipboard(&mut self, text: String) {
        let Some(shown) = &mut self.shown else { return };
        if !shown.screen.out_of_band.set_clipboard(text) {
            self.take(Msg::Notice(Notice {
                severity: Severity::Warning,
                prominence: Prominence::Toast,
                text: "too long for the outer terminal's clipboard".to_owned(),
            }));
        }
    }

    fn take_input(&mut self, event: InputEvent) {
        match event {
            InputEvent::Closed => self.leaving = Some(Leave::Closed),
            InputEvent::Reply(Reply::Background(background)) => {
                if let Some(shown) = &mut self.shown {
                    shown.is_light = Some(background.is_light());
                }
                self.take_settings();
            }
            event => self.take(Msg::Input(event)),
        }
    }

    fn take_event(&mut self, event: Result<TerminalEvent, RecvError>) {
        match event {
            Ok(event) => {
                let info = self.backend.info_of(&event);
                if let TerminalEvent::Exited { id, .. } = event
                    && let Some(screen) = self.watches.last(id)
                {
                    self.take(Msg::Screen(id, screen));
                }
                self.take(Msg::Terminal(event, info));
            }
            Err(RecvError::Lagged(_)) => {
                let list = self.backend.list();
                self.take(Msg::Listed(list));
            }
            Err(RecvError::Closed) => {}
        }
        let gauge = self.backend.gauge();
        self.take(Msg::Gauge(gauge));
    }

    fn take_settings(&mut self) {
        let settings = Arc::clone(&self.settings.borrow_and_update());
        let theme = match &self.shown {
            Some(shown) => theme_of(&settings, shown.screen.environment(), shown.is_light),
            None => self.model.client.theme,
        };
        let options = Arc::new(options_of(&settings));
        if theme != self.model.client.theme || *options != *self.model.options {
            self.take(Msg::Options(options, theme));
        }
        // The pool may have become larger.
        let gauge = self.backend.gauge();
        self.take(Msg::Gauge(gauge));
    }

    fn resized(&mut self) {
        let Some(shown) = &mut self.shown else { return };
        let (cols, rows) = shown.screen.size();
        // The terminal may have moved its text about.
        shown.screen.repaint();
        self.link.status.send_replace(Some(shown.status()));
        self.take(Msg::Resized(cols, rows));
    }

    /// The lender goes on after a stop. Who stopped it may have had the terminal meanwhile.
    fn continued(&mut self) {
        let Some(shown) = &mut self.shown else { return };
        if !shown.screen.is_raw()
            && let Err(error) = shown.screen.come_back()
        {
            warn!(%error, "the terminal cannot be entered again");
            self.leaving = Some(Leave::Closed);
            return;
        }
        self.resized();
    }
}

/// What comes next from the terminal that shows the session; never, where none does. Cancel-safe.
async fn next_of(shown: &mut Option<Shown>, takes_input: bool) -> ShownEvent {
    match shown {
        Some(shown) => shown.next(takes_input).await,
        None => std::future::pending().await,
    }
}

/// The exit code of whoever lends the terminal.
fn exit_of(ending: Ending) -> u8 {
    match ending {
        Ending::Quit => 0,
        Ending::Signal(signal) => u8::try_from(128 + signal.number()).unwrap_or(u8::MAX),
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn options_of(settings: &Settings) -> Options {
    Options {
        keymap: settings.keymap.clone(),
        shell: settings.general.shell_command(),
        mouse: settings.general.mouse,
        warn_at: settings.pty.warn_at,
        notify: OuterNotify {
            bell: settings.notify.bell,
            osc: settings.notify.osc,
        },
        zone: jiff::tz::TimeZone::system(),
    }
}

/// The theme for a terminal; `is_light` is what it answered about its background.
fn theme_of(settings: &Settings, environment: &Environment, is_light: Option<bool>) -> Theme {
    let general = &settings.general;
    Theme::detect(general.theme, general.unicode, environment, is_light)
}
