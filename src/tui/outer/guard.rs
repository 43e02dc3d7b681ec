//! A panic of the front end: the terminal is restored before anything else, and the panic becomes an error.
//!
//! The hook tells three kinds apart. A panic while the front end's own future runs restores its terminal and is kept
//! for [`TuiError::Panicked`]. A panic elsewhere while a terminal is entered (an emulator's, which is caught there)
//! goes to the log, for standard error is the screen. Any other panic goes to the hook that was there before.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::terminal::{Restore, is_entered};
use crate::tui::error::TuiError;

thread_local! {
    /// The terminal of the front end that this thread runs at the moment, and its panic.
    static FRONT: RefCell<Option<Arc<Restore>>> = const { RefCell::new(None) };
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the hook; to be called once, early in `main`.
pub fn install_panic_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let front = FRONT.with(|front| front.try_borrow().ok()?.clone());
        if let Some(restore) = front {
            restore.leave();
            let message = describe(info);
            tracing::error!(message, "the front end panicked");
            PANIC.with(|panic| {
                if let Ok(mut panic) = panic.try_borrow_mut() {
                    *panic = Some(message);
                }
            });
        } else if is_entered() {
            tracing::error!(message = describe(info), "a task panicked");
        } else {
            before(info);
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let place = info
        .location()
        .map(|place| format!(" at {}:{}", place.file(), place.line()))
        .unwrap_or_default();
    format!("{}{place}", text_of(info.payload()))
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Runs a front end; its panic restores the terminal, where there is one, and comes back as an error.
///
/// # Errors
/// [`TuiError::Panicked`], or what the front end itself answers.
pub async fn guarded<T>(
    restore: Option<Arc<Restore>>,
    front: impl Future<Output = Result<T, TuiError>>,
) -> Result<T, TuiError> {
    let mut front = pin!(front);
    poll_fn(|context| {
        let before = FRONT.with(|front| front.replace(restore.clone()));
        let polled = catch_unwind(AssertUnwindSafe(|| front.as_mut().poll(context)));
        FRONT.with(|front| front.replace(before));
        polled.unwrap_or_else(|payload| {
            if let Some(restore) = &restore {
                restore.leave();
            }
            let message = PANIC
                .with(RefCell::take)
                .unwrap_or_else(|| text_of(payload.as_ref()));
            Poll::Ready(Err(TuiError::Panicked(message)))
        })
    })
    .await
}
