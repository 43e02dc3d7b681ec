//! The thread that owns one pane: its pty, its emulator, and the order of everything that happens to them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use regex::Regex;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{WaitId, WaitIdOptions, WaitOptions};
use tokio::sync::{oneshot, watch};
use tracing::{debug, error, warn};

use super::emulator::{Emulator, EmulatorEvent, Feedback};
use super::encode;
use super::final_state::{self, FinalState};
use super::frames::FrameClock;
use super::handle::{Capture, Shared};
use super::keyframe::Keyframe;
use super::mailbox::{Message, Wakeup, input_size};
use super::pty::Pty;
use super::slot::Slot;
use super::termination::Termination;
use super::text;
use super::write_queue::WriteQueue;
use crate::domain::agent::{Sign, Tracker};
use crate::domain::event::TerminalEvent;
use crate::domain::input::Input;
use crate::domain::screen::ScreenSnapshot;
use crate::domain::size::Size;
use crate::domain::terminal::{Exit, Status};
use crate::runtime::fault;

/// How much output is read before anything else gets its turn: a few milliseconds of emulation.
const READ_LIMIT: usize = 64 * 1024;

/// How long a hidden pane rests after so much at once while another one is watched: some 20 MB a second are left to it,
/// and the processors to what the user looks at.
const REST: Duration = Duration::from_millis(2);

/// How long after the child's end output may still arrive, when a grandchild keeps the slave open.
const DRAIN: Duration = Duration::from_millis(100);

/// The rows of history that viewers are sent again with every change of size.
const TURN_HISTORY: usize = 500;

/// How many bytes of replies to queries may wait for a program that asks and does not read.
const MAX_REPLIES: usize = 64 * 1024;

/// When the pane's thread ends the terminal by itself. Zero means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub idle_timeout: Duration,
    pub max_lifetime: Duration,
    pub kill_grace: Duration,
}

/// One pane. Runs on its own thread until the terminal's session is gone.
pub(super) struct Actor {
    shared: Arc<Shared>,
    wakeup: Wakeup,
    /// None once it has been closed.
    pty: Option<Pty>,
    /// Every slave is closed: there is nothing more to read or to write to.
    hung_up: bool,
    emulator: Emulator,
    feedback: Feedback,
    buffer: Vec<u8>,
    input: WriteQueue,
    /// Until then output waits.
    rest_until: Option<Instant>,
    frames: FrameClock,
    screen: watch::Sender<Arc<ScreenSnapshot>>,
    shown_version: u64,
    tracker: Option<Tracker>,
    waiters: Vec<TextWaiter>,
    limits: Limits,
    born: Instant,
    last_activity: Instant,
    ending: Option<Termination>,
    /// The child's end, and until when its output is still awaited.
    exit: Option<(Exit, Instant)>,
}

struct TextWaiter {
    pattern: Regex,
    reply: oneshot::Sender<bool>,
    /// Rows before this one cannot change any more and have been looked at.
    scanned: u64,
}

#[derive(Default)]
struct Ready {
    mail: bool,
    readable: bool,
    writable: bool,
}

impl Actor {
    pub fn new(
        shared: Arc<Shared>,
        wakeup: Wakeup,
        pty: Pty,
        emulator: Emulator,
        screen: watch::Sender<Arc<ScreenSnapshot>>,
        limits: Limits,
    ) -> Self {
        let now = Instant::now();
        let tracker = shared
            .info()
            .agent
            .as_ref()
            .map(|a| Tracker::new(a.kind.clone(), a.since));
        Self {
            shared,
            wakeup,
            pty: Some(pty),
            hung_up: false,
            emulator,
            feedback: Feedback::default(),
            buffer: vec![0; READ_LIMIT],
            input: WriteQueue::default(),
            rest_until: None,
            frames: FrameClock::default(),
            screen,
            shown_version: 0,
            tracker,
            waiters: Vec::new(),
            limits,
            born: now,
            last_activity: now,
            ending: None,
            exit: None,
        }
    }

    /// Runs the pane to its end. `slot` is given back when the child has been reaped.
    pub fn run(mut self, slot: &mut Option<Slot>) {
        // The child may have ended before anybody listened for it.
        self.check_child();
        while !self.is_finished(Instant::now()) {
            let ready = self.poll();
            if ready.mail {
                self.deliver();
            }
            if ready.writable {
                self.write();
            }
            if ready.readable {
                self.read();
            }
            self.keep_time(Instant::now());
        }
        self.finish(slot);
    }

    fn poll(&self) -> Ready {
        let now = Instant::now();
        let timeout = self.next_deadline().map(|due| {
            let left = due.saturating_duration_since(now);
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let mail = PollFd::new(&self.wakeup, PollFlags::IN);
        let mut ready = Ready::default();
        let polled = match &self.pty {
            Some(pty) if !self.hung_up => {
                let mut wanted = PollFlags::empty();
                wanted.set(PollFlags::IN, self.rest_until.is_none());
                wanted.set(PollFlags::OUT, !self.input.is_empty());
                let mut fds = [mail, PollFd::new(pty, wanted)];
                let polled = rustix::event::poll(&mut fds, timeout.as_ref());
                let [mail, pty] = fds;
                ready.mail = !mail.revents().is_empty();
                ready.writable = pty.revents().contains(PollFlags::OUT);
                // A hangup is read as such, after the last output.
                let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
                ready.readable = pty.revents().intersects(readable);
                polled
            }
            _ => {
                let mut fds = [mail];
                let polled = rustix::event::poll(&mut fds, timeout.as_ref());
                let [mail] = fds;
                ready.mail = !mail.revents().is_empty();
                polled
            }
        };
        match polled {
            Ok(_) => ready,
            Err(rustix::io::Errno::INTR) => Ready::default(),
            Err(error) => {
                // Nothing is known of the descriptors: look at all of them.
                error!(id = %self.shared.id, %error, "poll failed");
                Ready {
                    mail: true,
                    readable: true,
                    writable: true,
                }
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let idle = self.timeout_at(self.last_activity, self.limits.idle_timeout);
        let lifetime = self.timeout_at(self.born, self.limits.max_lifetime);
        [
            self.frames.due(),
            self.tracker.as_ref().and_then(Tracker::due),
            self.ending.as_ref().and_then(Termination::due),
            self.exit.map(|(_, until)| until),
            self.rest_until,
            idle,
            lifetime,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When a limit ends the terminal; None for no limit, or when the end has begun already.
    fn timeout_at(&self, since: Instant, limit: Duration) -> Option<Instant> {
        (!limit.is_zero() && self.ending.is_none()).then_some(since.checked_add(limit)?)
    }

    fn keep_time(&mut self, now: Instant) {
        self.rest_until = self.rest_until.filter(|until| *until > now);
        if self.frames.is_due(now) {
            self.publish(now);
        }
        if let Some(ending) = &mut self.ending {
            ending.advance(now);
        }
        if self
            .tracker
            .as_ref()
            .and_then(Tracker::due)
            .is_some_and(|due| due <= now)
        {
            self.sign(&Sign::Tick, now);
        }
        let idle = self.timeout_at(self.last_activity, self.limits.idle_timeout);
        let lifetime = self.timeout_at(self.born, self.limits.max_lifetime);
        for (limit, due) in [("idle_timeout", idle), ("max_lifetime", lifetime)] {
            if due.is_some_and(|due| due <= now) {
                warn!(id = %self.shared.id, limit, "ending a terminal at its limit");
                self.begin_end(now);
            }
        }
    }

    fn deliver(&mut self) {
        let delivery = self.shared.mailbox.take(&self.wakeup);
        let now = Instant::now();
        for message in delivery.messages {
            self.handle(message, now);
        }
        if delivery.kill {
            self.begin_end(now);
        }
        if delivery.check_child {
            self.check_child();
        }
        self.write();
    }

    fn handle(&mut self, message: Message, now: Instant) {
        match message {
            Message::Input(input) => self.type_in(&input, now),
            Message::Resize(size) => self.resize(size, now),
            Message::Watchers => self.watchers_changed(now),
            Message::Seen => self.sign(&Sign::Seen, now),
            Message::HistoryLines(lines) => self.emulator.set_history_lines(lines),
            Message::Limits(limits) => self.limits = limits,
            Message::Capture { scrollback, reply } => {
                let screen = self.emulator.snapshot(None);
                let scrollback = if scrollback {
                    final_state::history(&self.emulator)
                } else {
                    Vec::new()
                };
                let _ = reply.send(Capture { screen, scrollback });
            }
            Message::Keyframe { history, reply } => {
                // From here on output is kept, so that nothing is missing between this screen and what comes after.
                let (seq, turn) = self.shared.output.open();
                let _ = reply.send(self.keyframe(seq, turn, history));
            }
            Message::Rows { range, reply } => {
                let _ = reply.send(final_state::window(&self.emulator, range));
            }
            Message::Search { search, reply } => {
                let _ = reply.send(final_state::search(&self.emulator, &search));
            }
            Message::WaitText { pattern, reply } => {
                self.waiters.push(TextWaiter {
                    pattern,
                    reply,
                    scanned: 0,
                });
                self.answer_waiters();
            }
        }
    }

    fn type_in(&mut self, input: &Input, now: Instant) {
        fault::point("pane", &self.shared.info().name);
        let before = self.input.len();
        let modes = self.emulator.input_modes();
        encode::encode(
            input,
            &modes,
            self.emulator.alternate_screen(),
            self.input.tail(),
        );
        self.shared
            .mailbox
            .encoded(input_size(input), self.input.len() - before);
        self.last_activity = now;
        self.sign(&Sign::Input, now);
    }

    fn resize(&mut self, size: Size, now: Instant) {
        if self.shared.info().size == size {
            return;
        }
        self.emulator.resize(size);
        if let Some(Err(error)) = self.pty.as_ref().map(|pty| pty.resize(size)) {
            warn!(id = %self.shared.id, %error, "the pty took no new size");
        }
        self.shared.update(|info| info.size = size);
        self.turn();
        self.frames.changed(self.emulator.update_open(), now);
    }

    /// Gives viewers the screen anew, where what they have cannot be led on by output alone.
    fn turn(&self) {
        if self.shared.output.is_open() {
            let keyframe = self.keyframe(self.shared.output.head(), 0, TURN_HISTORY);
            self.shared.output.turn(keyframe);
        }
    }

    fn keyframe(&self, seq: u64, turn: u64, history: usize) -> Keyframe {
        let size = self.shared.info().size;
        Keyframe::of(&self.emulator, size, seq, turn, history)
    }

    /// Publishes for new watchers; once there is none, the published screen's memory is given back.
    fn watchers_changed(&mut self, now: Instant) {
        if self.shared.is_watched() {
            self.frames.changed(self.emulator.update_open(), now);
        } else {
            let size = self.shared.info().size;
            self.screen
                .send_replace(Arc::new(ScreenSnapshot::blank(size)));
            self.shown_version = 0;
        }
    }

    fn publish(&mut self, now: Instant) {
        self.frames.published(now);
        let version = self.emulator.version();
        if !self.shared.is_watched() || version == self.shown_version {
            return;
        }
        self.shown_version = version;
        let previous = Arc::clone(&self.screen.borrow());
        let snapshot = self.emulator.snapshot(Some(&previous));
        self.screen.send_replace(Arc::new(snapshot));
    }

    fn write(&mut self) {
        let Some(pty) = self.pty.as_ref().filter(|_| !self.hung_up) else {
            self.input.clear();
            return;
        };
        while !self.input.is_empty() {
            match pty.write(self.input.head()) {
                Ok(0) => break,
                Ok(count) => {
                    self.input.consume(count);
                    self.shared.mailbox.written(count);
                }
                Err(error) => {
                    debug!(id = %self.shared.id, %error, "the pty takes no input");
                    self.input.clear();
                }
            }
        }
    }

    fn read(&mut self) {
        let Some(pty) = &self.pty else { return };
        let mut filled = 0;
        while let Some(space) = self
            .buffer
            .get_mut(filled..)
            .filter(|space| !space.is_empty())
        {
            match pty.read(space) {
                Ok(None) => break,
                Ok(Some(0)) => {
                    self.hung_up = true;
                    break;
                }
                Ok(Some(count)) => filled += count,
                Err(error) => {
                    warn!(id = %self.shared.id, %error, "reading from the pty failed");
                    self.hung_up = true;
                    break;
                }
            }
        }
        if filled > 0 {
            self.feed(filled);
        }
        if filled == READ_LIMIT && self.shared.only_others_are_watched() {
            self.rest_until = Some(Instant::now() + REST);
        }
        if self.hung_up {
            self.check_child();
        }
    }

    fn feed(&mut self, count: usize) {
        let now = Instant::now();
        let before = self.emulator.version();
        let bytes = self.buffer.get(..count).unwrap_or_default();
        self.emulator.feed(bytes, &mut self.feedback);
        self.shared.output.append(bytes);
        if self.shared.is_watched() && self.emulator.version() != before {
            self.frames.output(bytes, self.emulator.update_open(), now);
        }
        self.last_activity = now;
        if !self.feedback.replies.is_empty() {
            if self.input.len() < MAX_REPLIES {
                self.input.tail().append(&mut self.feedback.replies);
                self.write();
            }
            self.feedback.replies.clear();
        }
        self.sign(&Sign::Output, now);
        let mut events = std::mem::take(&mut self.feedback.events);
        for event in events.drain(..) {
            self.react(event, now);
        }
        // Handed back for its capacity.
        self.feedback.events = events;
        if !self.waiters.is_empty() {
            self.answer_waiters();
        }
    }

    fn react(&mut self, event: EmulatorEvent, now: Instant) {
        let id = self.shared.id;
        match event {
            EmulatorEvent::Title(title) => {
                self.shared.update(|info| info.title.clone_from(&title));
                self.sign(&Sign::Title(title), now);
            }
            EmulatorEvent::Bell => {
                self.sign(&Sign::Notification, now);
                self.shared.tell(TerminalEvent::Bell { id });
            }
            EmulatorEvent::Notification(text) => {
                self.sign(&Sign::Notification, now);
                self.shared.tell(TerminalEvent::Notification { id, text });
            }
            EmulatorEvent::Progress(state) => {
                self.sign(
                    &Sign::Progress {
                        running: matches!(state, 1 | 3),
                    },
                    now,
                );
            }
            EmulatorEvent::Clipboard(text) => {
                self.shared.tell(TerminalEvent::Clipboard { id, text });
            }
            EmulatorEvent::WorkingDirectory(path) => self.shared.told_directory(path.into()),
            EmulatorEvent::PromptMark(_) => {}
            EmulatorEvent::Reset => {
                error!(%id, "the emulator panicked and was rebuilt");
                self.turn();
                self.shared.tell(TerminalEvent::EmulatorReset { id });
            }
        }
    }

    fn sign(&mut self, sign: &Sign, now: Instant) {
        let Some(tracker) = &mut self.tracker else {
            return;
        };
        if tracker.handle(sign, now, Timestamp::now()) {
            let agent = tracker.agent().clone();
            self.shared.update(|info| info.agent = Some(agent));
        }
    }

    fn answer_waiters(&mut self) {
        let (start, top, end) = self.emulator.extent();
        let emulator = &self.emulator;
        let mut kept = Vec::with_capacity(self.waiters.len());
        for mut waiter in self.waiters.drain(..) {
            let rows = emulator.rows(waiter.scanned.max(start)..end);
            if text::matches(&waiter.pattern, &rows) {
                let _ = waiter.reply.send(true);
            } else if !waiter.reply.is_closed() {
                waiter.scanned = top;
                kept.push(waiter);
            }
        }
        self.waiters = kept;
    }

    fn begin_end(&mut self, now: Instant) {
        if self.ending.is_none() {
            self.ending = Some(Termination::begin(
                self.shared.pid,
                true,
                self.limits.kill_grace,
                now,
            ));
            self.shared.update(|info| info.ending = true);
        }
    }

    /// Notes the child's end without reaping it, so that its session's number stays ours while it is signalled.
    fn check_child(&mut self) {
        if self.exit.is_some() {
            return;
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let exit = match rustix::process::waitid(WaitId::Pid(self.shared.pid), options) {
            Ok(None) | Err(rustix::io::Errno::INTR) => return,
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Exit::Code(code),
                (None, Some(signal)) => Exit::Signal(signal),
                (None, None) => return,
            },
            Err(error) => {
                error!(id = %self.shared.id, %error, "the child cannot be waited for");
                Exit::Signal(libc::SIGKILL)
            }
        };
        self.exit = Some((exit, Instant::now() + DRAIN));
    }

    /// Whether the child has ended and no more of its output is to come.
    fn is_finished(&self, now: Instant) -> bool {
        self.exit
            .is_some_and(|(_, until)| self.hung_up || until <= now)
    }

    /// Reaps the child, lets everybody know, and stays until the last of its session is gone.
    fn finish(mut self, slot: &mut Option<Slot>) {
        let now = Instant::now();
        let pid = self.shared.pid;
        let killed = self.ending.is_some();
        let mut ending = match self.ending.take() {
            Some(mut ending) => {
                ending.leader_ended();
                ending
            }
            None => Termination::begin(pid, false, self.limits.kill_grace, now),
        };
        reap(pid);
        self.pty = None;
        *slot = None;

        self.answer_waiters();
        let exit = self
            .exit
            .map_or(Exit::Signal(libc::SIGKILL), |(exit, _)| exit);
        let last = self
            .shared
            .output
            .is_open()
            .then(|| self.keyframe(self.shared.output.head(), 0, TURN_HISTORY));
        self.shared.output.end(last);
        let unseen = self.emulator.version() != self.shown_version;
        let final_state = FinalState::new(self.emulator, !killed);
        let last = final_state.capture(false).screen;
        // First what is left, then the last publication: whoever begins to watch in between finds one of the two.
        *self.shared.final_state() = Some(final_state);
        if unseen && self.shared.is_watched() {
            self.screen.send_replace(Arc::new(last));
        }
        self.shared.mailbox.close();
        drop(self.waiters);
        drop(self.screen);
        self.shared.ended(|info| {
            info.status = Status::Dead;
            info.exit = Some(exit);
        });
        debug!(id = %self.shared.id, ?exit, "terminal ended");
        self.shared.tell(TerminalEvent::Exited {
            id: self.shared.id,
            exit,
        });
        wait_session_exit(&mut ending, &self.shared);
    }
}

/// How long after KILL a session may still hold on (in the kernel) before it is given up.
const GIVE_UP: Duration = Duration::from_secs(5);

/// Escalates until nobody of the session is left.
fn wait_session_exit(ending: &mut Termination, shared: &Shared) {
    let mut give_up = None;
    while !ending.is_over() {
        let Some(due) = ending.due() else { return };
        let now = Instant::now();
        if ending.has_killed() && *give_up.get_or_insert(now + GIVE_UP) <= now {
            warn!(id = %shared.id, "a process of the session outlives SIGKILL");
            return;
        }
        // Looked at more often than the steps are due, so that a session that ends early lets go early.
        let pause = due
            .saturating_duration_since(now)
            .min(Duration::from_millis(50));
        std::thread::park_timeout(pause);
        ending.advance(Instant::now());
        if shared.mailbox.is_kill_now() {
            ending.kill_now(Instant::now());
        }
    }
}

/// Removes the ended child from the process table.
fn reap(pid: rustix::process::Pid) {
    loop {
        match rustix::process::waitpid(Some(pid), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return,
            Err(error) => {
                error!(pid = pid.as_raw_nonzero(), %error, "reaping failed");
                return;
            }
        }
    }
}

/// Ends a terminal whose thread panicked: its session is killed, the child reaped and everybody told.
pub(super) fn reap_panicked(shared: &Shared, slot: &mut Option<Slot>) {
    error!(id = %shared.id, "the pane's thread panicked; its session is killed");
    let now = Instant::now();
    let mut ending = Termination::begin(shared.pid, true, Duration::ZERO, now);
    ending.kill_now(now);
    ending.leader_ended();
    reap(shared.pid);
    *slot = None;
    shared.output.end(None);
    // The emulator went down with the thread; what was last shown is all there is.
    *shared.final_state() = Some(FinalState::of_screen(shared.last_shown()));
    shared.mailbox.close();
    let exit = Exit::Signal(libc::SIGKILL);
    shared.ended(|info| {
        info.status = Status::Dead;
        info.exit = Some(exit);
    });
    shared.tell(TerminalEvent::Exited {
        id: shared.id,
        exit,
    });
    wait_session_exit(&mut ending, shared);
}
