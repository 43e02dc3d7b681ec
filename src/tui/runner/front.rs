//! The front end itself: its model, the terminal that shows it, and whatever its effects reach. Nothing here waits.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};

use super::backend::Backend;
use super::beginning::Beginning;
use super::leave::{Leave, LeavePlan, LeaveRules, failed};
use super::options::{options_of, theme_of};
use super::programs::ProgramChecks;
use super::provider_poll::ProviderPoll;
use super::returning::Returning;
use super::saving::Saving;
use super::screen::{Screen, ScreenEvent};
use super::shown::{Lender, Shown, ShownEvent};
use crate::config::{OnClose, Settings};
use crate::domain::code::Code;
use crate::domain::event::TerminalEvent;
use crate::domain::fact::{Fact, Recorder, What};
use crate::domain::id::TerminalId;
use crate::domain::screen::{Backdrop, ScreenSnapshot};
use crate::pane::PaneHandle;
use crate::runtime::fault;
use crate::runtime::lend::{Departure, LenderEvent, LentTerminal};
use crate::runtime::signals::Termination;
use crate::tui::client::{Client, Overlay};
use crate::tui::effect::Effect;
use crate::tui::error::TuiError;
use crate::tui::input::{InputEvent, Reply};
use crate::tui::kept::{KeptBegun, KeptFront};
use crate::tui::link::FrontStatus;
use crate::tui::model::Model;
use crate::tui::msg::Msg;
use crate::tui::notice::{Notice, Prominence, Severity};
use crate::tui::now::Now;
use crate::tui::outer::Environment;
use crate::tui::services::{Ending, Life};
use crate::tui::session::{Origin, SavedSession, Session};
use crate::tui::update::{self, Redraw};

pub(super) struct Front {
    pub backend: Backend,
    pub model: Model,
    /// None while no terminal shows the session.
    pub shown: Option<Shown>,
    /// Tells which terminal that is.
    pub status: watch::Sender<Option<FrontStatus>>,
    /// Told which pane the user looks at.
    pub attended: Arc<watch::Sender<Option<TerminalId>>>,
    pub recorder: Arc<dyn Recorder>,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub beginning: Beginning,
    pub programs: ProgramChecks,
    pub provider_poll: ProviderPoll,
    pub saving: Saving,
    pub leaving: Option<Leave>,
    /// What another program has begun to read of its terminal, or this one for the next.
    pub begun: Option<KeptBegun>,
    /// The terminal that the program before this one showed on, until it comes.
    pub returning: Option<Returning>,
}

impl Front {
    /// Begins with the panes of an instance that ended without being asked to.
    pub fn bring_back(&mut self, session: Session) {
        let count = session.panes.len();
        self.model.session = session;
        self.beginning.take();
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
    pub fn go_on(&mut self, mut kept: KeptFront) {
        self.begun = kept.begun.take();
        self.returning = self.begun.as_ref().map(|_| Returning::soon());
        let pool = &self.backend.pool;
        let terminal_of = |id| pool.get(id).map(|pane| (pane.info(), pane.spec()));
        let (session, trouble) = kept.session(terminal_of);
        self.model.session = session;
        self.beginning.take();
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

    /// Where the user is, for the program that goes on in this one's place.
    pub fn kept(&mut self) -> KeptFront {
        let mut kept = KeptFront::of(&self.model.session, |id| self.origin_of(id));
        kept.begun = self.begun.take();
        kept
    }

    /// Tells what would have to be brought back now, where that has changed.
    pub fn save(&mut self) {
        let saved = SavedSession::of(&self.model.session, |id| self.origin_of(id));
        self.saving.tell(saved);
    }

    /// A terminal is offered; refused where it would show itself.
    pub fn take_lent(&mut self, lent: Box<LentTerminal>) {
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

    /// Shows the session on a terminal.
    pub fn show(&mut self, lent: LentTerminal) {
        let (command, cwd) = (lent.offer.command.clone(), lent.offer.cwd.clone());
        let settings = Arc::clone(&self.settings.borrow());
        let shown = match Shown::open(lent, self.begun.take()) {
            Ok(shown) => shown,
            Err((error, lender)) => {
                warn!(%error, "a terminal cannot be shown on");
                let ends = self.ends_where_it_fails();
                lender.tell(failed(&error, ends));
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
        self.status.send_replace(Some(status));
        self.shown = Some(shown);
        let mut effects = Vec::new();
        update::shown(&mut self.model, client, &mut effects);
        let begins = self.beginning.take();
        if !command.is_empty() {
            update::command(&mut self.model, command, cwd, &mut effects);
        } else if begins {
            update::first(&mut self.model, self.beginning.first.clone(), &mut effects);
        }
        self.do_effects(effects);
        self.offer();
        self.look_at_providers();
        self.saving.changed(Redraw::All, Instant::now());
        // Whoever waits for it to be left does not wait for it to be shown first.
        let waiters = self.returning.take().map(Returning::into_waiters);
        for waiter in waiters.into_iter().flatten() {
            self.detach(waiter);
        }
    }

    /// Leaves the terminal that shows the session or is about to come again, and tells whoever waits for it.
    pub fn detach(&mut self, left: oneshot::Sender<()>) {
        if let Some(shown) = &mut self.shown {
            shown.waiters.push(left);
            self.leaving = Some(Leave::Detached("tundra detach"));
        } else if let Some(returning) = &mut self.returning {
            returning.wait(left);
        } else {
            let _ = left.send(());
        }
    }

    /// Leaves the terminal that shows the session, if one does, as `plan` says.
    pub async fn leave_terminal(&mut self, plan: &LeavePlan) {
        let Some(shown) = self.shown.take() else {
            return;
        };
        let pid = shown.pid();
        let waiters = shown.leave(plan.departure.clone()).await;
        // For the next program it is still shown.
        if plan.departure != Departure::Again {
            self.status.send_replace(None);
            self.record(What::FrontDetached {
                pid,
                why: plan.why.to_owned(),
            });
            self.tell_away();
            self.tell_attended();
        }
        for waiter in waiters {
            let _ = waiter.send(());
        }
    }

    /// Where there is nothing to show, what a new instance would start is offered.
    fn offer(&mut self) {
        if self.shown.is_some() && self.is_empty() {
            update::offer(&mut self.model, self.beginning.first.clone());
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

    pub fn leave_rules(&self) -> LeaveRules {
        LeaveRules {
            closing_quits: self.settings.borrow().general.on_close == OnClose::Quit,
            failing_ends: self.ends_where_it_fails(),
        }
    }

    /// Whether the instance ends where a terminal cannot show it: there is nothing to go on with.
    fn ends_where_it_fails(&self) -> bool {
        self.is_empty() && self.beginning.life == Life::EndsWithLastPane
    }

    /// Whether there is nothing to show, and nothing will be by itself.
    fn is_empty(&self) -> bool {
        let session = &self.model.session;
        session.tabs.is_empty() && session.opening == 0
    }

    /// Whether keys have somewhere to go: until the first pane is there they wait.
    pub fn takes_input(&self) -> bool {
        self.model.session.tab().is_some() || self.model.session.opening == 0
    }

    pub fn reads_journal(&self) -> bool {
        matches!(self.model.client.overlay, Some(Overlay::Journal(_)))
    }

    /// When something is to be done next. What is only to be seen waits for a terminal.
    pub fn deadline(&self, next_frame: Option<Instant>) -> Option<Instant> {
        let to_be_seen = [
            next_frame,
            self.model.next_deadline(),
            self.provider_poll.due(),
            self.programs.next(),
        ];
        let to_be_seen = to_be_seen.into_iter().flatten();
        to_be_seen
            .filter(|_| self.shown.is_some())
            .chain(self.saving.due())
            .chain(self.unclaimed_until())
            .chain(self.returning.as_ref().map(Returning::due))
            .min()
    }

    /// Until when a first terminal may come, where nothing else keeps the instance.
    fn unclaimed_until(&self) -> Option<Instant> {
        let is_kept = self.shown.is_some() || !self.model.session.tabs.is_empty();
        self.beginning.claimed_by().filter(|_| !is_kept)
    }

    /// Does what is due.
    pub fn take_time(&mut self) {
        let now = Instant::now();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.saving.due()) {
            self.save();
        }
        if is_due(self.unclaimed_until()) {
            self.leaving = Some(Leave::Ending(Ending::Quit));
        }
        if is_due(self.returning.as_ref().map(Returning::due)) {
            let waiters = self.returning.take().map(Returning::into_waiters);
            for waiter in waiters.into_iter().flatten() {
                let _ = waiter.send(());
            }
        }
        if is_due(self.provider_poll.due()) {
            self.look_at_providers();
        }
        for id in self.programs.take(now) {
            self.look_at_program(id);
        }
        self.take(Msg::Tick);
    }

    pub fn providers_changed(&mut self) {
        if self.provider_poll.changed(Instant::now()) {
            self.look_at_providers();
        }
    }

    fn look_at_providers(&mut self) {
        self.provider_poll = ProviderPoll::Done(Instant::now());
        let details = self.model.details_of().cloned();
        let status = self.backend.provider_status(details);
        if self.changes_budgets(&status) {
            self.saving.changed(Redraw::All, Instant::now());
        }
        self.take(status);
    }

    /// Whether somebody has set a budget since the last look.
    fn changes_budgets(&self, status: &Msg) -> bool {
        let Msg::Providers(status, _) = status else {
            return false;
        };
        let known = |id| Some(self.model.providers.account(id)?.budget);
        let mut accounts = status.accounts.iter();
        accounts.any(|(id, account)| known(*id) != Some(account.budget))
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
            budget: self.backend.providers.account(id).budget,
        })
    }

    fn record(&self, what: What) {
        self.recorder.record(Fact::at(Timestamp::now(), what));
    }

    pub fn take_shown(&mut self, event: ShownEvent) {
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

    pub fn take(&mut self, msg: Msg) {
        let now = Now::read();
        let mut effects = Vec::new();
        fault::point("front", "update");
        let bears_on_session = msg.bears_on_session();
        let redraw = update::update(&mut self.model, msg, now, &mut effects);
        if bears_on_session {
            self.saving.changed(redraw, now.instant);
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
            Effect::Emptied => match self.beginning.life {
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

    pub fn take_input(&mut self, event: InputEvent) {
        match event {
            InputEvent::Closed => self.leaving = Some(Leave::Closed),
            InputEvent::Reply(Reply::Background(background)) => {
                if let Some(shown) = &mut self.shown {
                    shown.is_light = Some(background.is_light());
                    // What a pane leaves free is the outer terminal's.
                    let backdrop = Backdrop::on(background.rgb());
                    self.backend.pool.set_backdrop(backdrop);
                }
                self.take_settings();
            }
            event => self.take(Msg::Input(event)),
        }
    }

    /// Something happened to a pane; `last` is its last screen, where it was seen and has ended.
    pub fn take_event(
        &mut self,
        event: Result<TerminalEvent, RecvError>,
        last: Option<Arc<ScreenSnapshot>>,
    ) {
        match event {
            Ok(event) => {
                let info = self.backend.info_of(&event);
                if let TerminalEvent::Exited { id, .. } = event
                    && let Some(screen) = last
                {
                    self.take(Msg::Screen(id, screen));
                }
                self.take(Msg::Terminal(event, info));
            }
            Err(RecvError::Lagged(_)) => {
                let terminals = self.backend.list();
                self.take(Msg::Listed(terminals));
            }
            Err(RecvError::Closed) => {}
        }
        let gauge = self.backend.gauge();
        self.take(Msg::Gauge(gauge));
    }

    pub fn take_settings(&mut self) {
        let settings = Arc::clone(&self.settings.borrow());
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
        self.status.send_replace(Some(shown.status()));
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
