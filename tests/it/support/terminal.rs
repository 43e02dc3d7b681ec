//! The terminal that a person sits at: tundra runs in it, an emulator shows what is on it.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;
use rustix::termios::{Termios, tcgetattr};

use super::command::exit_code;
use super::condition::{PATIENCE, eventually};
use super::home::Home;
use super::procs;
use super::pty::Pty;
use super::screen::{Outer, Screen};

/// How the outer terminal behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub rows: u16,
    pub cols: u16,
    /// It knows kitty's keyboard protocol.
    pub kitty: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rows: 30,
            cols: 100,
            kitty: false,
        }
    }
}

/// A program in a terminal of its own. Dropping it hangs up; a failing test shows the screen.
pub struct Terminal {
    pty: Option<Pty>,
    child: Child,
    input: Option<File>,
    /// Closing it ends the reading thread.
    reading: Option<PipeWriter>,
    shared: Arc<Shared>,
    before: Termios,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser<Outer>,
    raw: Vec<u8>,
    frozen: bool,
    ended: bool,
}

impl Terminal {
    /// Starts tundra with these arguments in 100 columns and 30 rows.
    pub fn tundra(home: &Home, args: &[&str]) -> Self {
        Self::start(home.tundra(args), Options::default())
    }

    /// Starts tundra with a first pane that runs a line of shell.
    pub fn script(home: &Home, line: &str) -> Self {
        Self::tundra(home, &["--", "sh", "-c", line])
    }

    /// A shell with the prompt `outer>`, from which tundra is started as a user does.
    pub fn outer_shell(home: &Home) -> Self {
        let mut shell = home.program("bash");
        shell
            .args(["--norc", "--noprofile", "-i"])
            .env("PS1", "outer> ");
        let terminal = Self::start(shell, Options::default());
        terminal.wait_text("outer>");
        terminal
    }

    /// A front end with two tabs: in the first, which is shown, `remembered` on the left and `beside`, with the focus, on
    /// the right; the second is called `work` and shows `second`.
    pub fn arranged(home: &Home) -> Self {
        let mut terminal = Self::tundra(home, &["--", "sh"]);
        terminal.wait_text("$");
        terminal.say("remembered");
        terminal.command("|");
        terminal.wait_for("a prompt on the right", |screen| {
            let right = |line: &String| line.chars().skip(51).any(|c| c == '$');
            screen.lines().iter().any(right)
        });
        terminal.say("beside");
        terminal.command("c");
        terminal.wait_for("a tab of its own", |screen| {
            !screen.has("beside") && screen.has("$")
        });
        terminal.say("second");
        terminal.command("T");
        terminal.wait_for("it asks for the name", |screen| screen.has("rename"));
        terminal.type_("work\r");
        terminal.wait_text("work");
        terminal.command("1");
        terminal.wait_text("beside");
        terminal
    }

    pub fn start(command: Command, options: Options) -> Self {
        let pty = Pty::open(options.rows, options.cols).unwrap();
        let before = tcgetattr(pty.slave().unwrap()).unwrap();
        let child = pty.spawn(command).unwrap();
        let input = pty.master().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                parser: vt100::Parser::new_with_callbacks(
                    options.rows.try_into().unwrap(),
                    options.cols.try_into().unwrap(),
                    0,
                    Outer::new(options.kitty),
                ),
                raw: Vec::new(),
                frozen: false,
                ended: false,
            }),
            changed: Condvar::new(),
        });
        let (output, seen) = (pty.master().unwrap(), Arc::clone(&shared));
        let (until, reading) = std::io::pipe().unwrap();
        thread::spawn(move || show(output, &until, &seen));
        Self {
            pty: Some(pty),
            child,
            input: Some(input),
            reading: Some(reading),
            shared,
            before,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types text as it is; `\r` is Enter.
    pub fn type_(&mut self, text: &str) {
        self.write(text.as_bytes());
    }

    /// Types bytes as a terminal would send them for a key.
    /// Types a line that prints `word`; the command line itself does not hold it.
    #[track_caller]
    pub fn say(&mut self, word: &str) {
        let (head, tail) = word.split_at(1);
        self.type_(&format!("echo {head}\"\"{tail}\r"));
        self.wait_text(word);
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Types the prefix and then a command key.
    pub fn command(&mut self, key: &str) {
        self.write(b"\x02");
        self.type_(key);
    }

    /// Pastes as a terminal does that was asked for brackets.
    pub fn paste(&mut self, text: &str) {
        self.write(b"\x1b[200~");
        self.write(text.as_bytes());
        self.write(b"\x1b[201~");
    }

    /// Clicks with the left button at a cell counted from 0.
    pub fn click(&mut self, row: u16, col: u16) {
        let (row, col) = (row + 1, col + 1);
        self.type_(&format!("\x1b[<0;{col};{row}M\x1b[<0;{col};{row}m"));
    }

    pub fn resize(&mut self, rows: u16, cols: u16) {
        let mut state = self.shared.state.lock().unwrap();
        state
            .parser
            .set_size(rows.try_into().unwrap(), cols.try_into().unwrap());
        self.pty.as_ref().unwrap().resize(rows, cols).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        procs::signal(self.child.id(), signal);
    }

    /// Stops to read what is written, or goes on.
    pub fn freeze(&self, frozen: bool) {
        self.shared.state.lock().unwrap().frozen = frozen;
        self.shared.changed.notify_all();
    }

    /// Closes the terminal's window: every descriptor of the master.
    pub fn hang_up(&mut self) {
        self.reading = None;
        let shared = Arc::clone(&self.shared);
        eventually("the terminal's reader ends", || {
            shared.state.lock().unwrap().ended
        });
        self.input = None;
        self.pty = None;
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn wait_for(&self, name: &str, wanted: impl FnMut(&Screen<'_>) -> bool) {
        self.wait_within(PATIENCE, name, wanted);
    }

    #[track_caller]
    pub fn wait_within(
        &self,
        deadline: Duration,
        name: &str,
        mut wanted: impl FnMut(&Screen<'_>) -> bool,
    ) {
        let start = Instant::now();
        let mut state = self.shared.state.lock().unwrap();
        while !wanted(&Screen::new(&state.parser)) {
            let left = deadline.saturating_sub(start.elapsed());
            if left.is_zero() || state.ended {
                let why = if state.ended {
                    "ended before"
                } else {
                    "not in time"
                };
                drop(state);
                panic!("{why}: {name}");
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// As [`Terminal::wait_for`], for a program that has ended: everything it wrote has been read by then.
    #[track_caller]
    pub fn wait_after(&self, name: &str, wanted: impl FnOnce(&Screen<'_>) -> bool) {
        assert!(self.look(wanted), "{name}");
    }

    /// Waits for text somewhere on the screen.
    #[track_caller]
    pub fn wait_text(&self, text: &str) {
        self.wait_for(&format!("{text:?} is shown"), |screen| screen.has(text));
    }

    /// Looks at the screen as it is now.
    pub fn look<T>(&self, look: impl FnOnce(&Screen<'_>) -> T) -> T {
        look(&Screen::new(&self.shared.state.lock().unwrap().parser))
    }

    /// Every byte that came so far.
    pub fn raw(&self) -> Vec<u8> {
        self.shared.state.lock().unwrap().raw.clone()
    }

    pub fn raw_len(&self) -> usize {
        self.shared.state.lock().unwrap().raw.len()
    }

    pub fn running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end and answers the exit code, once everything that was written has been seen.
    #[track_caller]
    pub fn exit(&mut self) -> i32 {
        let child = &mut self.child;
        let status = eventually("the program in the terminal ends", || {
            child.try_wait().unwrap()
        });
        let shared = Arc::clone(&self.shared);
        eventually("all output is read", || shared.state.lock().unwrap().ended);
        exit_code(status)
    }

    /// Fails unless the terminal is as it was before the program ran.
    #[track_caller]
    pub fn assert_restored(&self) {
        let now = tcgetattr(self.pty.as_ref().unwrap().slave().unwrap()).unwrap();
        let modes = |t: &Termios| {
            (
                t.input_modes,
                t.output_modes,
                t.control_modes,
                t.local_modes,
            )
        };
        assert_eq!(modes(&now), modes(&self.before), "termios");
        let raw = self.raw();
        for (name, on, off) in MODES {
            let last_on = last(&raw, on);
            if last_on.is_some() {
                assert!(last(&raw, off) > last_on, "{name} was left on");
            }
        }
        let (hidden, shown) = (last(&raw, b"\x1b[?25l"), last(&raw, b"\x1b[?25h"));
        assert!(
            hidden.is_none() || shown > hidden,
            "the cursor was left hidden"
        );
        let kitty = self.look(|screen| screen.kitty_flags());
        assert_eq!(kitty, 0, "keyboard flags were left on");
    }
}

/// Modes that a program sets and must take back.
const MODES: [(&str, &[u8], &[u8]); 9] = [
    ("the alternate screen", b"\x1b[?1049h", b"\x1b[?1049l"),
    ("bracketed paste", b"\x1b[?2004h", b"\x1b[?2004l"),
    ("mouse clicks", b"\x1b[?1000h", b"\x1b[?1000l"),
    ("mouse drags", b"\x1b[?1002h", b"\x1b[?1002l"),
    ("mouse moves", b"\x1b[?1003h", b"\x1b[?1003l"),
    ("the mouse encoding", b"\x1b[?1006h", b"\x1b[?1006l"),
    ("focus events", b"\x1b[?1004h", b"\x1b[?1004l"),
    ("a synchronized update", b"\x1b[?2026h", b"\x1b[?2026l"),
    ("application cursor keys", b"\x1b[?1h", b"\x1b[?1l"),
];

/// Where `needle` begins for the last time.
pub fn last(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .rposition(|window| window == needle)
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if thread::panicking() {
            let shown = self.shared.state.lock().map_or_else(
                |poisoned| Screen::new(&poisoned.into_inner().parser).text(),
                |state| Screen::new(&state.parser).text(),
            );
            eprintln!("--- the screen\n{shown}\n---");
        }
        if let Ok(mut state) = self.shared.state.lock() {
            state.frozen = false;
        }
        self.shared.changed.notify_all();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until the slave side is closed, answering what a terminal is asked.
fn show(mut output: File, until: &PipeReader, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let mut ready = [
            PollFd::new(&output, PollFlags::IN),
            PollFd::new(until, PollFlags::IN),
        ];
        poll(&mut ready, None).unwrap();
        if !ready[1].revents().is_empty() {
            break;
        }
        let mut state = shared.state.lock().unwrap();
        while state.frozen {
            state = shared.changed.wait(state).unwrap();
        }
        drop(state);
        let Ok(count @ 1..) = output.read(&mut buffer) else {
            break;
        };
        let bytes = &buffer[..count];
        let mut state = shared.state.lock().unwrap();
        state.raw.extend_from_slice(bytes);
        state.parser.process(bytes);
        let answer = state.parser.callbacks_mut().take_replies();
        drop(state);
        shared.changed.notify_all();
        if !answer.is_empty() {
            // The program may have ended meanwhile.
            let _ = output.write_all(&answer);
        }
    }
    drop(output);
    if let Ok(mut state) = shared.state.lock() {
        state.ended = true;
    }
    shared.changed.notify_all();
}

#[test]
fn the_outer_terminal_is_one_for_vim() {
    if !super::present("vim") {
        return;
    }
    let home = Home::new();
    let mut shell = home.program("bash");
    shell.args(["--norc", "--noprofile"]);
    let mut terminal = Terminal::start(shell, Options::default());
    terminal.wait_text("$");
    terminal.type_("vim -u NONE -N\r");
    terminal.wait_text("VIM - Vi IMproved");
    terminal.resize(20, 70);
    terminal.wait_for("vim has drawn itself anew", |screen| {
        let lines = screen.lines();
        lines[18] == "~" && lines[19].is_empty()
    });
    terminal.type_(":set columns?\r");
    terminal.wait_text("columns=70");
    terminal.type_(":q\r");
    terminal.wait_for("the shell is back", |screen| {
        !screen.vt().alternate_screen()
    });
    terminal.type_("exit 3\r");
    assert_eq!(terminal.exit(), 3);
}

#[test]
#[should_panic(expected = "the alternate screen was left on")]
fn a_terminal_that_is_not_restored_is_noticed() {
    let home = Home::new();
    let mut shell = home.program("sh");
    shell.args(["-c", "printf '\\033[?1049h'"]);
    let mut terminal = Terminal::start(shell, Options::default());
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_window_that_is_closed_hangs_up() {
    let home = Home::new();
    let mark = home.file("hup");
    let mut shell = home.program("sh");
    let script = format!(
        "trap 'echo hup > {}; exit' HUP; echo READY; while :; do read x; done",
        mark.display()
    );
    shell.args(["-c", &script]);
    let mut terminal = Terminal::start(shell, Options::default());
    terminal.wait_text("READY");
    terminal.hang_up();
    eventually("the program was told", || procs::written(&mark));
}
