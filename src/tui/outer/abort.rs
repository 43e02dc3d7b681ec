//! An abort of the process, of which no panic hook hears: the terminal is restored before it ends.
//!
//! Only a process whose own terminal it is arms this; the handler does nothing but two system calls with what was made
//! ready before.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;

struct Armed {
    input: RawFd,
    output: RawFd,
    before: libc::termios,
    leave: Vec<u8>,
    /// Whether the terminal is in use at all; called in the handler.
    is_entered: fn() -> bool,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Restores the terminal behind these descriptors, as it is set now, by writing `leave` when the process aborts while
/// `is_entered`, which must do nothing but look at an atomic. Both descriptors must stay open. Only the first call counts.
///
/// # Errors
/// When the terminal's settings cannot be read, or the handler cannot be set.
pub fn restore_on_abort(
    input: BorrowedFd<'_>,
    output: BorrowedFd<'_>,
    leave: Vec<u8>,
    is_entered: fn() -> bool,
) -> io::Result<()> {
    let mut before = MaybeUninit::uninit();
    // SAFETY: the descriptor is open, and `before` is memory for one termios, which is read only where the call filled it.
    #[allow(unsafe_code)]
    let before = unsafe {
        if libc::tcgetattr(input.as_raw_fd(), before.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        before.assume_init()
    };
    let armed = Armed {
        input: input.as_raw_fd(),
        output: output.as_raw_fd(),
        before,
        leave,
        is_entered,
    };
    if ARMED.set(armed).is_err() {
        return Ok(());
    }
    let handler: extern "C" fn(libc::c_int) = on_abort;
    // SAFETY: the handler makes calls alone that POSIX allows in one (signal-safety(7)), on data that is never changed again.
    #[allow(unsafe_code)]
    let set = unsafe { libc::signal(libc::SIGABRT, handler as libc::sighandler_t) };
    if set == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// `abort` goes on with the default action when this returns (abort(3)); another process's SIGABRT is raised again.
extern "C" fn on_abort(_: libc::c_int) {
    // SAFETY: write, tcsetattr, signal and raise are async-signal-safe; the descriptors stay open as long as the process.
    #[allow(unsafe_code)]
    unsafe {
        if let Some(armed) = ARMED.get()
            && (armed.is_entered)()
        {
            libc::write(armed.output, armed.leave.as_ptr().cast(), armed.leave.len());
            libc::tcsetattr(armed.input, libc::TCSANOW, &raw const armed.before);
        }
        libc::signal(libc::SIGABRT, libc::SIG_DFL);
        libc::raise(libc::SIGABRT);
    }
}
