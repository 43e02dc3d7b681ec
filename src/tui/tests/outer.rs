use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, channel};

use rustix::pty::OpenptFlags;
use rustix::termios::{self, LocalModes};

use crate::tui::error::TuiError;
use crate::tui::input::InputEvent;
use crate::tui::outer::{Environment, Terminal, Writer, guarded};

use super::press;

/// Both ends of a fresh pseudo terminal.
fn pty() -> (OwnedFd, OwnedFd) {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
    (master, slave)
}

/// Reads the outer side in a thread of its own.
fn drain(master: OwnedFd) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = rustix::io::read(&master, &mut buffer) {
            if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn is_raw(slave: &OwnedFd) -> bool {
    let modes = termios::tcgetattr(slave).unwrap().local_modes;
    !modes.contains(LocalModes::ICANON)
}

/// All that was written once every slave end is closed.
fn written(receiver: &Receiver<Vec<u8>>) -> String {
    let all: Vec<u8> = receiver.iter().flatten().collect();
    String::from_utf8(all).unwrap()
}

#[test]
fn what_is_no_terminal_is_refused() {
    let null = || std::fs::File::open("/dev/null").unwrap().into();
    let error = Terminal::open(null(), null(), Environment::default(), None).unwrap_err();
    assert!(matches!(error, TuiError::NotATerminal));
}

fn opened(slave: &OwnedFd) -> Terminal {
    let again = || slave.try_clone().unwrap();
    Terminal::open(again(), again(), Environment::default(), None).unwrap()
}

#[tokio::test]
async fn a_panic_of_the_front_end_restores_the_terminal_and_is_told() {
    let (master, slave) = pty();
    let output = drain(master);
    let terminal = opened(&slave);
    assert!(is_raw(&slave));
    let result: Result<(), TuiError> =
        guarded(Some(terminal.restore()), async { panic!("a bug of ours") }).await;
    assert!(!is_raw(&slave));
    assert!(
        matches!(&result, Err(TuiError::Panicked(text)) if text.contains("a bug of ours")),
        "{result:?}"
    );
    drop((terminal, slave));
    let output = written(&output);
    let (before, after) = output.split_once("\x1b[c").unwrap();
    assert!(before.contains("\x1b[?1049h"));
    for end in [
        "\x1b[?25h",
        "\x1b[?1049l",
        "\x1b[?2004l",
        "\x1b[?1004l",
        "\x1b[<1u",
        "\x1b[23;0t",
    ] {
        // Once, for the second restoration has nothing left to do.
        assert_eq!(after.matches(end).count(), 1, "{end:?} in {after:?}");
    }
}

#[tokio::test]
async fn keys_typed_after_the_end_are_left_for_the_shell() {
    let (master, slave) = pty();
    let terminal = opened(&slave);
    let mut events = terminal.events(Vec::new()).unwrap();
    rustix::io::write(&master, b"a").unwrap();
    assert_eq!(events.recv().await, Some(InputEvent::Key(press("a"))));
    drop(terminal);
    // The reading thread says that it is done before anything more is typed.
    assert_eq!(events.recv().await, Some(InputEvent::Closed));
    rustix::io::write(&master, b"ls\n").unwrap();
    let mut line = [0; 8];
    let length = rustix::io::read(&slave, &mut line).unwrap();
    assert_eq!(&line[..length], b"ls\n");
}

#[tokio::test]
async fn a_terminal_that_does_not_read_holds_one_frame_and_then_gets_it_whole() {
    let (master, slave) = pty();
    let mut raw = termios::tcgetattr(&slave).unwrap();
    raw.make_raw();
    termios::tcsetattr(&slave, termios::OptionalActions::Now, &raw).unwrap();
    let mut writer = Writer::spawn(slave, None).unwrap();
    let frame = vec![b'x'; 1 << 20];
    writer.send(frame.clone());
    assert!(!writer.is_idle());
    let output = drain(master);
    writer.finished().await.unwrap();
    assert!(writer.is_idle());
    drop(writer);
    assert_eq!(written(&output).len(), frame.len());
}
