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

use super::error::TuiError;
use super::terminal::{Outer, is_entered};

thread_local! {
    /// The terminal of the front end that this thread runs at the moment, and the panic that befell it.
    static FRONT: RefCell<Option<Arc<Outer>>> = const { RefCell::new(None) };
    static BEFALLEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the hook; to be called once, early in `main`.
pub fn install_panic_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let front = FRONT.with(|front| front.try_borrow().ok().and_then(|outer| outer.clone()));
        if let Some(outer) = front {
            outer.leave();
            let message = describe(info);
            tracing::error!(message, "the front end panicked");
            BEFALLEN.with(|befallen| {
                if let Ok(mut befallen) = befallen.try_borrow_mut() {
                    *befallen = Some(message);
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

/// Runs a front end; its panic restores the terminal and comes back as an error.
pub(super) async fn guarded<T>(
    outer: Arc<Outer>,
    front: impl Future<Output = Result<T, TuiError>>,
) -> Result<T, TuiError> {
    let mut front = pin!(front);
    poll_fn(|context| {
        let outside = FRONT.with(|front| front.replace(Some(Arc::clone(&outer))));
        let polled = catch_unwind(AssertUnwindSafe(|| front.as_mut().poll(context)));
        FRONT.with(|front| front.replace(outside));
        polled.unwrap_or_else(|payload| {
            outer.leave();
            let message = BEFALLEN
                .with(RefCell::take)
                .unwrap_or_else(|| text_of(payload.as_ref()));
            Poll::Ready(Err(TuiError::Panicked(message)))
        })
    })
    .await
}
