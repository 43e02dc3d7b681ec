//! The loop around `update` and `view`: the only place in the front end that waits.
//!
//! It waits for whatever comes first and does effects at once; what takes a while (opening a terminal, reading
//! history) runs beside it and comes back as a message. Frames go out one at a time, at most 60 a second, the first
//! one after a pause at once.

mod effects;
mod watches;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tracing::{info, warn};

use self::watches::Watches;
use super::address::Addresses;
use super::error::TuiError;
use super::frame::Frame;
use super::input::{InputEvent, Reply};
use super::model::{Model, Now, Options};
use super::msg::Msg;
use super::outside::Outside;
use super::run::{Ending, Notice, Services};
use super::terminal::{LEAVE_WITHIN, Terminal};
use super::theme::{Theme, ThemeChoice, UnicodeChoice};
use super::update::{self, Redraw};
use super::view;
use super::writer::Writer;
use crate::config::{self, Settings};
use crate::domain::event::TerminalEvent;
use crate::domain::pace::Pace;
use crate::pane::Pool;
use crate::providers::{Changes, Events, Providers};
use crate::runtime::fault;
use crate::runtime::signals::{Termination, Terminations};

/// How long a first pane may take to start before an empty screen is shown.
const FIRST_FRAME: Duration = Duration::from_millis(100);
/// Messages taken in a row before the screen gets its turn.
const BATCH: usize = 256;
/// The least time between two looks at the providers.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(super) struct Runner<'a> {
    terminal: &'a Terminal,
    pool: Pool,
    providers: Providers,
    provider_changes: Changes,
    provider_events: Events,
    look: Look,
    settings: tokio::sync::watch::Receiver<Arc<Settings>>,
    notices: mpsc::Receiver<Notice>,
    terminations: Terminations,
    addresses: Arc<dyn Addresses>,
    input: mpsc::Receiver<InputEvent>,
    events: broadcast::Receiver<TerminalEvent>,
    window: Signal,
    stopped: Signal,
    continued: Signal,
    writer: Writer,
    /// Answers under way; each is one message.
    answers: JoinSet<Msg>,
    watches: Watches,
    model: Model,
    frame: Frame,
    outside: Outside,
    redraw: Redraw,
    pace: Pace,
    /// Until then the first frame waits for a pane to show.
    first_frame_by: Instant,
    background: Option<bool>,
    /// The user wants to go back to the shell for a while.
    suspending: bool,
    ending: Option<Result<Ending, TuiError>>,
}

/// When the providers were looked at, or are to be.
#[derive(Clone, Copy, Debug)]
enum Look {
    Done(Instant),
    /// They changed right after the last look.
    Due(Instant),
}

/// What woke the loop.
enum Woken {
    Message(Msg),
    Input(InputEvent),
    Event(Result<TerminalEvent, RecvError>),
    Providers,
    Written(io::Result<()>),
    Settings,
    Window,
    Stop,
    Continue,
    End(Ending),
    /// A moment came: a frame may be drawn, or the model waited for it.
    Time,
}

impl<'a> Runner<'a> {
    pub(super) fn new(terminal: &'a Terminal, services: Services) -> Result<Self, TuiError> {
        let Services {
            pool,
            settings,
            providers,
            notices,
            terminations,
            addresses,
            first,
        } = services;
        let listen = |kind| signal(kind).map_err(TuiError::Setup);
        let events = pool.events();
        let current = Arc::clone(&settings.borrow());
        let model = Model::new(
            terminal.size(),
            Arc::new(options_of(&current)),
            theme_of(&current, None),
            pool.gauge(),
        );
        let mut runner = Self {
            terminal,
            provider_changes: providers.changes(),
            provider_events: providers.events(),
            providers,
            look: Look::Done(Instant::now()),
            settings,
            notices,
            terminations,
            addresses,
            input: terminal.events().map_err(TuiError::Setup)?,
            events,
            window: listen(SignalKind::window_change())?,
            stopped: listen(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            continued: listen(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            writer: terminal.writer().map_err(TuiError::Setup)?,
            answers: JoinSet::new(),
            watches: Watches::default(),
            model,
            frame: Frame::new(),
            outside: Outside::default(),
            redraw: Redraw::All,
            pace: Pace::default(),
            first_frame_by: Instant::now() + FIRST_FRAME,
            background: None,
            suspending: false,
            ending: None,
            pool,
        };
        runner.look_at_providers();
        let mut effects = Vec::new();
        update::first(&mut runner.model, first, &mut effects);
        runner.do_effects(effects);
        // Terminals that somebody opened before there was a front end.
        let existing = runner.pool.list();
        runner.take(Msg::Listed(existing));
        Ok(runner)
    }

    pub(super) async fn run(mut self: Box<Self>) -> Result<Ending, TuiError> {
        loop {
            self.watches.keep(&self.pool, &self.model);
            let pause = self.draw_or_wait();
            let woken = Box::pin(self.wait(pause)).await;
            self.handle(woken).await;
            // What is there already is taken before the next frame.
            for _ in 0..BATCH {
                match self.input.try_recv() {
                    Ok(event) if self.ending.is_none() => self.take_input(event),
                    _ => break,
                }
            }
            if std::mem::take(&mut self.suspending) {
                self.suspend().await;
            }
            if let Some(ending) = self.ending.take() {
                info!(?ending, "the front end ends");
                self.settle_writer().await;
                return ending;
            }
        }
    }

    /// Draws if something changed and a frame may go out; else tells how long until one may.
    fn draw_or_wait(&mut self) -> Option<Instant> {
        if self.redraw == Redraw::Nothing && self.outside.is_empty() || !self.writer.is_idle() {
            return None;
        }
        let now = Instant::now();
        // A first frame without its pane would only hold up the one with it.
        let first = (self.model.tab().is_none()).then_some(self.first_frame_by);
        if let Some(next) = self.pace.next().max(first)
            && now < next
        {
            return Some(next);
        }
        fault::point("front", "draw");
        if self.redraw == Redraw::All {
            self.frame.set_chrome(&view::chrome(&self.model));
        }
        let mut bytes = self.writer.buffer();
        self.outside.drain(&mut bytes);
        self.frame.draw(
            &self.model.theme,
            &view::contents(&self.model),
            &view::modes(&self.model),
            &mut bytes,
        );
        self.redraw = Redraw::Nothing;
        if !bytes.is_empty() {
            self.pace.shown(now);
            self.writer.send(bytes);
        }
        None
    }

    async fn wait(&mut self, pause: Option<Instant>) -> Woken {
        let look = match self.look {
            Look::Due(at) => Some(at),
            Look::Done(_) => None,
        };
        let deadline = [pause, self.model.next_deadline(), look]
            .into_iter()
            .flatten()
            .min();
        tokio::select! {
            biased;
            termination = self.terminations.next() => Woken::End(Ending::Signal(termination)),
            Some(event) = self.input.recv() => Woken::Input(event),
            written = self.writer.finished() => Woken::Written(written),
            (id, screen) = self.watches.changed() => Woken::Message(Msg::Screen(id, screen)),
            event = self.events.recv() => Woken::Event(event),
            Some(answer) = self.answers.join_next() => match answer {
                Ok(msg) => Woken::Message(msg),
                // Only a bug of ours ends one; nothing else may depend on it.
                Err(error) => {
                    warn!(%error, "an answer was lost");
                    Woken::Time
                }
            },
            event = self.provider_events.next() => Woken::Message(Msg::ProviderEvent(event)),
            () = self.provider_changes.next(), if look.is_none() => Woken::Providers,
            _ = self.window.recv() => Woken::Window,
            _ = self.stopped.recv() => Woken::Stop,
            _ = self.continued.recv() => Woken::Continue,
            Ok(()) = self.settings.changed() => Woken::Settings,
            Some(notice) = self.notices.recv() => Woken::Message(Msg::Notice(notice)),
            () = until(deadline) => Woken::Time,
        }
    }

    async fn handle(&mut self, woken: Woken) {
        match woken {
            Woken::Message(msg) => self.take(msg),
            Woken::Input(event) => self.take_input(event),
            Woken::Event(event) => self.take_event(event),
            Woken::Written(Ok(())) => {}
            Woken::Written(Err(error)) => {
                warn!(%error, "the outer terminal cannot be written");
                self.ending = Some(Ok(Ending::Signal(Termination::Hangup)));
            }
            Woken::Settings => self.take_settings(),
            Woken::Window => self.resized(),
            Woken::Stop => self.suspend().await,
            // Who stopped the process without a word may have had the terminal meanwhile.
            Woken::Continue if self.terminal.is_raw() => self.resized(),
            Woken::Continue => self.come_back(),
            Woken::End(ending) => self.ending = Some(Ok(ending)),
            Woken::Providers => self.providers_changed(),
            Woken::Time => {
                if let Look::Due(at) = self.look
                    && at <= Instant::now()
                {
                    self.look_at_providers();
                }
                self.take(Msg::Tick);
            }
        }
    }

    /// Looks at once after a pause, and else a little later: a busy gateway changes hundreds of times a second.
    fn providers_changed(&mut self) {
        match self.look {
            Look::Done(at) if at.elapsed() < LOOK_AGAIN => self.look = Look::Due(at + LOOK_AGAIN),
            Look::Done(_) => self.look_at_providers(),
            Look::Due(_) => {}
        }
    }

    fn take(&mut self, msg: Msg) {
        let now = Now {
            instant: Instant::now(),
            wall: Timestamp::now(),
        };
        let mut effects = Vec::new();
        fault::point("front", "update");
        let redraw = update::update(&mut self.model, msg, now, &mut effects);
        self.redraw = self.redraw.max(redraw);
        self.do_effects(effects);
    }

    fn take_input(&mut self, event: InputEvent) {
        match event {
            InputEvent::Closed => self.ending = Some(Ok(Ending::Signal(Termination::Hangup))),
            InputEvent::Reply(Reply::Background(red, green, blue)) => {
                // Perceived brightness, ITU-R BT.601.
                let light = 299 * u64::from(red) + 587 * u64::from(green) + 114 * u64::from(blue);
                self.background = Some(light > 500 * u64::from(u16::MAX));
                self.take_settings();
            }
            event => self.take(Msg::Input(event)),
        }
    }

    fn take_event(&mut self, event: Result<TerminalEvent, RecvError>) {
        match event {
            Ok(event) => {
                let id = effects::subject(&event);
                let pane = self.pool.get(id);
                if matches!(event, TerminalEvent::Exited { .. })
                    && let Some(screen) = self.watches.last(id)
                {
                    self.take(Msg::Screen(id, screen));
                }
                let info = pane.map(|pane| Box::new(pane.info()));
                self.take(Msg::Terminal(event, info));
            }
            Err(RecvError::Lagged(_)) => {
                let list = self.pool.list();
                self.take(Msg::Listed(list));
            }
            Err(RecvError::Closed) => {}
        }
        let gauge = self.pool.gauge();
        self.take(Msg::Gauge(gauge));
    }

    fn take_settings(&mut self) {
        let settings = Arc::clone(&self.settings.borrow_and_update());
        let theme = theme_of(&settings, self.background);
        let options = Arc::new(options_of(&settings));
        if theme != self.model.theme || *options != *self.model.options {
            self.take(Msg::Options(options, theme));
        }
    }

    fn resized(&mut self) {
        let (cols, rows) = self.terminal.size();
        // The terminal may have moved its text about.
        self.frame.repaint();
        self.take(Msg::Resized(cols, rows));
    }

    /// Gives the terminal back and stops, until somebody continues the process.
    async fn suspend(&mut self) {
        self.settle_writer().await;
        self.terminal.leave();
        // STOP rather than TSTP: the kernel drops TSTP where no shell could bring the process back.
        let result =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        if let Err(error) = result {
            warn!(%error, "cannot stop");
        }
        self.come_back();
    }

    /// Takes the terminal again; after a stop that nobody announced as well.
    fn come_back(&mut self) {
        self.terminal.leave();
        if let Err(error) = self.terminal.enter() {
            warn!(%error, "the terminal cannot be entered again");
            self.ending = Some(Ok(Ending::Signal(Termination::Hangup)));
            return;
        }
        self.frame.reentered();
        self.resized();
    }

    /// Waits until the frame in flight is out, but not for a terminal that does not read.
    async fn settle_writer(&mut self) {
        if !self.writer.is_idle() {
            let _ = tokio::time::timeout(LEAVE_WITHIN, self.writer.finished()).await;
        }
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
        mouse: settings.general.mouse,
        warn_at: settings.pty.warn_at,
    }
}

/// The theme for this terminal; `light` is what it answered about its background.
pub(super) fn theme_of(settings: &Settings, light: Option<bool>) -> Theme {
    let choice = match (settings.general.theme, light) {
        (config::ThemeChoice::Dark, _) | (config::ThemeChoice::Auto, Some(false)) => {
            ThemeChoice::Dark
        }
        (config::ThemeChoice::Light, _) | (config::ThemeChoice::Auto, Some(true)) => {
            ThemeChoice::Light
        }
        (config::ThemeChoice::Auto, None) => ThemeChoice::Auto,
    };
    let unicode = match settings.general.unicode {
        config::UnicodeChoice::Always => UnicodeChoice::Always,
        config::UnicodeChoice::Never => UnicodeChoice::Never,
        config::UnicodeChoice::Auto => UnicodeChoice::Auto,
    };
    Theme::detect(choice, unicode, |name| std::env::var(name).ok())
}
