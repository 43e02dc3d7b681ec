//! The way back to the program before this one, until this one has taken its state up.
//!
//! The memory file cannot change, and this program goes on with doubles of every descriptor: those that it was executed with
//! stay here under their numbers, so that no thread of it can close one, or open something else under its number, while it
//! goes back. The way is gone by whoever finds that this program cannot go on: on an error, in a panic's hook, and in the
//! handler of a signal that would end the process. So all of it is made beforehand: what goes back makes system calls alone.

use std::cell::Cell;
use std::ffi::{CStr, CString, OsString, c_char, c_int};
use std::fmt::Display;
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use tokio::sync::Notify;

use super::incoming::Incoming;

/// How long this program may take to be where nothing can go wrong any more, in seconds.
const TAKES_AT_MOST: u32 = 30;
/// What is told of a reason, in characters.
const MOST_TOLD: usize = 400;
/// Signals that end a process which has gone wrong, and the clock.
const SIGNALS: [c_int; 8] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGABRT,
    libc::SIGSYS,
    libc::SIGTRAP,
    libc::SIGALRM,
];

/// The one way, where there is one. Whoever takes it out owns it.
static WAY: AtomicPtr<WayBack> = AtomicPtr::new(ptr::null_mut());
/// Told when the way is gone.
static ARRIVED: Notify = Notify::const_new();

struct WayBack {
    /// Of the process that may go back: a child that it forks may not.
    pid: c_int,
    /// Begins each reason.
    who: String,
    program: CString,
    /// Arguments before the reason, and after it.
    before: Vec<CString>,
    after: CString,
    /// What the program before this one is executed with again.
    descriptors: Vec<OwnedFd>,
    /// Why, for each signal.
    reasons: Vec<(c_int, CString)>,
    /// The arguments for `execv(3)`; that of the reason is null until there is one.
    arguments: Vec<Cell<*const c_char>>,
    handlers: Vec<(c_int, libc::sigaction)>,
}

/// Makes the way back: `program` is executed with `before`, the reason, and the number of the memory file's descriptor.
/// `who` begins each reason. To be called while this process has a single thread, and once.
///
/// # Errors
/// Where there are no descriptors left; there is no way back then.
pub fn prepare(
    incoming: &mut Incoming,
    program: OsString,
    before: Vec<OsString>,
    who: &str,
) -> io::Result<()> {
    let text = |text: OsString| CString::new(text.into_vec()).map_err(io::Error::other);
    let before = before
        .into_iter()
        .map(text)
        .collect::<io::Result<Vec<_>>>()?;
    let reason = |signal| {
        let how = match signal {
            libc::SIGALRM => format!("it was not done after {TAKES_AT_MOST} s"),
            signal => format!("it crashed with signal {signal}"),
        };
        (signal, clean(&format!("{who}: {how}")))
    };
    let program = text(program)?;
    let Some(given) = incoming.give_away()? else {
        return Ok(());
    };
    let mut way = Box::new(WayBack {
        pid: own_pid(),
        who: who.to_owned(),
        program,
        before,
        after: clean(&given.memory.to_string()),
        descriptors: given.held,
        reasons: SIGNALS.map(reason).into(),
        arguments: Vec::new(),
        handlers: Vec::new(),
    });
    let before = way.before.iter().map(|text| text.as_ptr());
    let arguments = before.chain([ptr::null(), way.after.as_ptr(), ptr::null()]);
    way.arguments = arguments.map(Cell::new).collect();
    way.handlers = SIGNALS.into_iter().filter_map(catch).collect();
    WAY.store(Box::into_raw(way), Ordering::Release);
    // SAFETY: it sets a clock of the kernel's.
    #[allow(unsafe_code)]
    unsafe {
        libc::alarm(TAKES_AT_MOST);
    }
    Ok(())
}

/// Goes back to the program before this one, and says why. Comes back where there is no way, or no such program any more.
pub fn go_back(why: &impl Display) {
    // Whoever comes second finds none.
    if let Some(way) = take() {
        way.go(&clean(&format!("{}: {why}", way.who)));
        ARRIVED.notify_waiters();
    }
}

/// Waits until there is no way back, and so until what comes in from outside may be taken: whoever is served before is cut
/// off where this program goes back. Where there never was a way it does not wait. Cancel-safe.
pub async fn arrived() {
    let arrived = ARRIVED.notified();
    tokio::pin!(arrived);
    // From here on no arrival is missed.
    arrived.as_mut().enable();
    if !WAY.load(Ordering::Acquire).is_null() {
        arrived.await;
    }
}

/// There is no going back from here: this program has what it needs, and what it was executed with is given up.
pub fn arrive() {
    let Some(way) = take() else { return };
    // SAFETY: it stops a clock of the kernel's.
    #[allow(unsafe_code)]
    unsafe {
        libc::alarm(0);
    }
    for (signal, before) in &way.handlers {
        // SAFETY: the action was this process's before, and is valid.
        #[allow(unsafe_code)]
        unsafe {
            libc::sigaction(*signal, before, ptr::null_mut());
        }
    }
    ARRIVED.notify_waiters();
}

fn take() -> Option<Box<WayBack>> {
    let way = WAY.swap(ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: where it is not null it came from a box, and nobody else can have it, since it was swapped out.
    #[allow(unsafe_code)]
    (!way.is_null()).then(|| unsafe { Box::from_raw(way) })
}

/// Lets a signal go back. What it did before, where it could be caught.
fn catch(signal: c_int) -> Option<(c_int, libc::sigaction)> {
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: an all-zero action is valid, its mask is set, and the handler makes calls alone that are safe in one. It runs
    // on the stack that the runtime has set up for overflows.
    #[allow(unsafe_code)]
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as extern "C" fn(c_int) as libc::sighandler_t;
        action.sa_flags = libc::SA_ONSTACK | libc::SA_NODEFER | libc::SA_RESETHAND;
        libc::sigemptyset(&raw mut action.sa_mask);
        let caught = libc::sigaction(signal, &raw const action, before.as_mut_ptr()) == 0;
        caught.then(|| (signal, before.assume_init()))
    }
}

extern "C" fn on_signal(signal: c_int) {
    // Nothing may be freed in a handler.
    let way = take().map(ManuallyDrop::new);
    if let Some(way) = &way
        && let Some((_, why)) = way.reasons.iter().find(|(known, _)| *known == signal)
    {
        way.go(why);
    }
    // Nobody is there to go back to: it ends the process as it would have.
    // SAFETY: both may be called in a handler.
    #[allow(unsafe_code)]
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

impl WayBack {
    /// Makes system calls alone: it runs in handlers of signals.
    fn go(&self, why: &CStr) {
        if own_pid() != self.pid {
            return;
        }
        if let Some(reason) = self.arguments.get(self.before.len()) {
            reason.set(why.as_ptr());
        }
        // SAFETY: the arguments are null-terminated strings that live as long as the way, with a null behind them, a cell is
        // laid out as what is in it, and all of these may be called in a handler.
        #[allow(unsafe_code)]
        unsafe {
            for descriptor in &self.descriptors {
                libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFD, 0);
            }
            let mut none = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
            libc::alarm(0);
            libc::execv(
                self.program.as_ptr(),
                self.arguments.as_ptr().cast::<*const c_char>(),
            );
        }
    }
}

fn own_pid() -> c_int {
    // SAFETY: it cannot fail, and may be called in a handler.
    #[allow(unsafe_code)]
    unsafe {
        libc::getpid()
    }
}

/// A reason as an argument.
fn clean(why: &str) -> CString {
    let printable = why.chars().map(|c| if c.is_control() { ' ' } else { c });
    let text: String = printable.take(MOST_TOLD).collect();
    CString::new(text).unwrap_or_default()
}
