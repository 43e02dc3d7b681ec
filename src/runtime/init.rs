//! What the first process of a container owes: it reaps whoever is left to it, and passes signals on.
//!
//! Orphans of a pid namespace become children of its first process. The instance reaps those that it started and no others,
//! so where `tundra` itself is the first process, as in a container without an init, it doubles itself: the first one does
//! what is told here and nothing else, and the second is what was called for.

use std::io;
use std::mem::MaybeUninit;

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use super::background::{self, Forked};

/// What is passed on when somebody sends it. What the kernel itself sends for a terminal reaches its whole process group.
const PASSED_ON: [Signal; 8] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
    Signal::WINCH,
    Signal::CONT,
];

/// A signal that was taken.
struct Taken {
    number: i32,
    /// Sent by a process, not by the kernel.
    is_sent: bool,
}

/// Where this process is the first of its pid namespace, doubles it: answers the other one's exit code once that one has
/// ended, and None in the one that has work to do. Must be called while there is a single thread.
///
/// # Errors
/// Where the kernel has no room for another process, or there is a second thread already.
pub fn stand_in() -> io::Result<Option<u8>> {
    if std::process::id() != 1 {
        return Ok(None);
    }
    let mut mask = empty_set();
    for signal in PASSED_ON.into_iter().chain([Signal::CHILD]) {
        add(&mut mask, signal);
    }
    // Blocked before there is a child, so that none is lost.
    let before = change_mask(libc::SIG_BLOCK, &mask)?;
    match background::double()? {
        Forked::Child => {
            change_mask(libc::SIG_SETMASK, &before)?;
            Ok(None)
        }
        Forked::Parent(child) => {
            background::release_code();
            attend(child, &mask).map(Some)
        }
    }
}

/// Reaps and passes on until the child has ended.
fn attend(child: u32, mask: &libc::sigset_t) -> io::Result<u8> {
    let child = Pid::from_raw(child.cast_signed()).ok_or_else(|| io::Error::other("no child"))?;
    loop {
        let taken = take(mask)?;
        if taken.number == libc::SIGCHLD {
            if let Some(code) = reap(child) {
                return Ok(code);
            }
            continue;
        }
        let signal = PASSED_ON
            .into_iter()
            .find(|signal| signal.as_raw() == taken.number);
        if let Some(signal) = signal.filter(|_| taken.is_sent) {
            let _ = rustix::process::kill_process(child, signal);
        }
    }
}

/// Reaps everybody who has ended; the exit code of `child` where it is among them.
fn reap(child: Pid) -> Option<u8> {
    let mut code = None;
    while let Ok(Some((pid, status))) =
        rustix::process::wait(WaitOptions::NOHANG | WaitOptions::UNTRACED)
    {
        if pid != child {
            continue;
        }
        if status.stopped() {
            // There is no shell that could let it go on.
            let _ = rustix::process::kill_process(child, Signal::CONT);
        } else {
            code = Some(exit_code(status));
        }
    }
    code
}

/// As a shell tells it: 128+n for signal n.
fn exit_code(status: WaitStatus) -> u8 {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    let code = status.exit_status().or(signal).unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset(3) writes the whole set.
    #[allow(unsafe_code)]
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn add(set: &mut libc::sigset_t, signal: Signal) {
    // SAFETY: the set is a valid one, and the signal's number too.
    #[allow(unsafe_code)]
    unsafe {
        libc::sigaddset(set, signal.as_raw());
    }
}

/// Changes which signals wait instead of being delivered; answers the mask there was.
fn change_mask(how: i32, set: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = empty_set();
    // SAFETY: both sets are valid for the call, and there is a single thread whose mask is the process's.
    #[allow(unsafe_code)]
    let changed = unsafe { libc::sigprocmask(how, set, &raw mut before) };
    if changed < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(before)
}

/// Waits for one of the signals of the set, which are blocked.
fn take(set: &libc::sigset_t) -> io::Result<Taken> {
    loop {
        let mut told = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the set is valid, and so is the place for what is told of the signal, for which all zeroes is a value.
        #[allow(unsafe_code)]
        let (number, told) = unsafe {
            let number = libc::sigwaitinfo(set, told.as_mut_ptr());
            (number, told.assume_init())
        };
        if number > 0 {
            let is_sent = told.si_code <= 0;
            return Ok(Taken { number, is_sent });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
