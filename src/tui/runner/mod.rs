//! The loop around `update` and `view`: the only place in the front end that waits.
//!
//! It waits for whatever comes first and does effects at once; what takes a while (opening a terminal, reading
//! history) runs beside it and comes back as a message. Frames go out one at a time, at most 60 a second, the first
//! one after a pause at once.

mod backend;
mod journal;
mod programs;
mod screen;
mod store_watch;
mod watches;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tracing::{info, warn};

use self::backend::Backend;
use self::programs::ProgramChecks;
use self::screen::{Screen, ScreenEvent};
use self::store_watch::{StoreNews, StoreWatch};
use self::watches::Watches;
use super::client::{Client, Overlay};
use super::effect::Effect;
use super::error::TuiError;
use super::input::{InputEvent, Reply};
use super::model::{Model, Options};
use super::msg::Msg;
use super::notice::{Notice, Prominence, Severity};
use super::now::Now;
use super::outer::{Environment, JobControl, JobEvent, Terminal};
use super::services::{Ending, Services};
use super::theme::Theme;
use super::update;
use crate::config::Settings;
use crate::domain::event::TerminalEvent;
use crate::pane::PaneHandle;
use crate::providers::{Changes, Events};
use crate::runtime::fault;
use crate::runtime::signals::{Termination, Terminations};

/// Messages taken in a row before the screen gets its turn.
const BATCH: usize = 256;
/// The least time between two looks at the providers.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(super) struct Runner {
    backend: Backend,
    screen: Screen,
    job: JobControl,
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
    /// What the terminal answered about its background.
    is_light: Option<bool>,
    /// The user wants to go back to the shell for a while.
    suspending: bool,
    ending: Option<Result<Ending, TuiError>>,
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
    Screen(ScreenEvent),
    Event(Result<TerminalEvent, RecvError>),
    Providers,
    Store(StoreNews),
    Settings,
    Job(JobEvent),
    End(Ending),
    /// A moment came: a frame may be drawn, or the model waited for it.
    Time,
}

impl Runner {
    /// # Errors
    /// [`TuiError::Setup`] when the terminal or this process's signals cannot be taken.
    pub(super) fn new(terminal: Terminal, services: Services) -> Result<Self, TuiError> {
        let Services {
            pool,
            settings,
            providers,
            store,
            notices,
            terminations,
            addresses,
            first,
        } = services;
        let screen = Screen::new(terminal)?;
        let current = Arc::clone(&settings.borrow());
        let client = Client::new(
            screen.size(),
            theme_of(&current, screen.environment(), None),
            current.general.mouse,
        );
        let mut runner = Self {
            screen,
            job: JobControl::of_process().map_err(TuiError::Setup)?,
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
            is_light: None,
            suspending: false,
            ending: None,
            backend: Backend::new(pool, providers, store, addresses),
        };
        runner.look_at_providers();
        let mut effects = Vec::new();
        update::first(&mut runner.model, first, &mut effects);
        runner.do_effects(effects);
        // Terminals that somebody opened before there was a front end.
        let existing = runner.backend.list();
        runner.take(Msg::Listed(existing));
        Ok(runner)
    }

    pub(super) async fn run(mut self: Box<Self>) -> Result<Ending, TuiError> {
        loop {
            self.watches.keep(&self.backend.pool, &self.model);
            let pause = self.screen.draw_or_wait(&self.model);
            let woken = Box::pin(self.wait(pause)).await;
            self.handle(woken).await;
            // What is there already is taken before the next frame.
            for _ in 0..BATCH {
                match self.screen.input.try_recv() {
                    Ok(event) if self.ending.is_none() => self.take_input(event),
                    _ => break,
                }
            }
            if std::mem::take(&mut self.suspending) {
                self.suspend().await;
            }
            if let Some(ending) = self.ending.take() {
                info!(?ending, "the front end ends");
                self.screen.settle().await;
                return ending;
            }
        }
    }

    /// Waits for whatever comes first. Cancel-safe.
    async fn wait(&mut self, pause: Option<Instant>) -> Woken {
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
        .min();
        tokio::select! {
            biased;
            termination = self.terminations.next() => Woken::End(Ending::Signal(termination)),
            event = self.screen.next() => Woken::Screen(event),
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
            () = self.provider_changes.next(), if poll.is_none() => Woken::Providers,
            news = self.store_watch.next(reads) => Woken::Store(news),
            event = self.job.next() => Woken::Job(event),
            Ok(()) = self.settings.changed() => Woken::Settings,
            Some(notice) = self.notices.recv() => Woken::Message(Msg::Notice(notice)),
            () = until(deadline) => Woken::Time,
        }
    }

    async fn handle(&mut self, woken: Woken) {
        match woken {
            Woken::Message(msg) => {
                if let Msg::Screen(id, _) = msg {
                    self.programs.changed(id, Instant::now());
                }
                self.take(msg);
            }
            Woken::Screen(ScreenEvent::Input(event)) => self.take_input(event),
            Woken::Screen(ScreenEvent::Written(Ok(()))) => {}
            Woken::Screen(ScreenEvent::Written(Err(error))) => {
                warn!(%error, "the outer terminal cannot be written");
                self.ending = Some(Ok(Ending::Signal(Termination::Hangup)));
            }
            Woken::Event(event) => self.take_event(event),
            Woken::Settings => self.take_settings(),
            Woken::Job(JobEvent::Resized) => self.resized(),
            Woken::Job(JobEvent::Stop) => self.suspend().await,
            // Who stopped the process without a word may have had the terminal meanwhile.
            Woken::Job(JobEvent::Continued) if self.screen.is_raw() => self.resized(),
            Woken::Job(JobEvent::Continued) => self.come_back(),
            Woken::End(ending) => self.ending = Some(Ok(ending)),
            Woken::Providers => self.providers_changed(),
            Woken::Store(StoreNews::State) => self.backend.look_at_store(),
            Woken::Store(StoreNews::Written) => self.take(Msg::JournalWritten),
            Woken::Time => {
                if let ProviderPoll::Due(at) = self.provider_poll
                    && at <= Instant::now()
                {
                    self.look_at_providers();
                }
                for id in self.programs.take(Instant::now()) {
                    if let Some(program) = self.backend.foreground_program(id) {
                        self.take(Msg::Program(id, program));
                    }
                }
                self.take(Msg::Tick);
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
        let now = Now {
            instant: Instant::now(),
            wall: Timestamp::now(),
        };
        let mut effects = Vec::new();
        fault::point("front", "update");
        let redraw = update::update(&mut self.model, msg, now, &mut effects);
        self.screen.mark(redraw);
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
            Effect::FindAgents => self.backend.find_agents(),
            Effect::LookAtProviders => self.look_at_providers(),
            Effect::LookAtStore => self.backend.look_at_store(),
            Effect::ReadJournal(query) => self.backend.read_journal(query),
            Effect::LookForServers => self.backend.look_for_servers(),
            Effect::Steer(command) => self.backend.steer(command),
            Effect::ServerOutput(name) => self.backend.server_output(name),
            Effect::EditHistory(id, spec) => self.backend.edit_history(id, spec),
            Effect::Clipboard(text) => {
                if !self.screen.out_of_band.set_clipboard(text) {
                    self.take(Msg::Notice(Notice {
                        severity: Severity::Warning,
                        prominence: Prominence::Toast,
                        text: "too long for the outer terminal's clipboard".to_owned(),
                    }));
                }
            }
            Effect::Bell => self.screen.out_of_band.ring(),
            Effect::Notify(text) => self.screen.out_of_band.notify(&text),
            Effect::Repaint => self.screen.repaint(),
            Effect::Suspend => self.suspending = true,
            Effect::Quit => self.ending = Some(Ok(Ending::Quit)),
            Effect::Fail(why) => self.ending = Some(Err(TuiError::NotStarted(why))),
        }
    }

    fn take_input(&mut self, event: InputEvent) {
        match event {
            InputEvent::Closed => self.ending = Some(Ok(Ending::Signal(Termination::Hangup))),
            InputEvent::Reply(Reply::Background(background)) => {
                self.is_light = Some(background.is_light());
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
        let theme = theme_of(&settings, self.screen.environment(), self.is_light);
        let options = Arc::new(options_of(&settings));
        if theme != self.model.client.theme || *options != *self.model.options {
            self.take(Msg::Options(options, theme));
        }
        // The pool may have become larger.
        let gauge = self.backend.gauge();
        self.take(Msg::Gauge(gauge));
    }

    fn resized(&mut self) {
        let (cols, rows) = self.screen.size();
        // The terminal may have moved its text about.
        self.screen.repaint();
        self.take(Msg::Resized(cols, rows));
    }

    /// Gives the terminal back and stops, until somebody continues the process.
    async fn suspend(&mut self) {
        self.screen.leave().await;
        if let Err(error) = JobControl::stop() {
            warn!(%error, "cannot stop");
        }
        self.come_back();
    }

    fn come_back(&mut self) {
        if let Err(error) = self.screen.come_back() {
            warn!(%error, "the terminal cannot be entered again");
            self.ending = Some(Ok(Ending::Signal(Termination::Hangup)));
            return;
        }
        self.resized();
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
        zone: jiff::tz::TimeZone::system(),
    }
}

/// The theme for a terminal; `is_light` is what it answered about its background.
fn theme_of(settings: &Settings, environment: &Environment, is_light: Option<bool>) -> Theme {
    let general = &settings.general;
    Theme::detect(general.theme, general.unicode, environment, is_light)
}
