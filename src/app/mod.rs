//! The composition root: makes the rooms, hands each what it needs, and ends them in order.
//!
//! `cli` calls [`serve`] or [`front`] with what it has read and prints what they answer. This is the only room that
//! knows all others; nothing is decided here but who is made first and who ends last.

mod attach;
mod error;
mod front;
mod gateway;
mod instance;
mod launch;
mod pool;
mod reload;
mod remote;
mod store;

use std::io;

pub use attach::{Attach, Attached, attach, known_remotes, reach};
pub use error::AppError;
pub use launch::{Ending, Launch, Ready};

/// Runs without a front end until SIGINT, SIGTERM or another terminating signal.
///
/// # Errors
/// [`AppError`] when something that the instance needs cannot be had, or when whoever waits for `ready` cannot be told;
/// nothing is left running then.
pub fn serve(
    launch: Launch,
    ready: impl FnOnce(&Ready) -> io::Result<()>,
) -> Result<Ending, AppError> {
    instance::run(launch, |instance| async move {
        let mut signals = instance.signals()?;
        ready(&instance.ready()).map_err(AppError::Ready)?;
        instance.open_configured_panes().await;
        let signal = signals.next().await;
        tracing::info!(signal = signal.name(), "ending on a signal");
        Ok(Ending::Signal(signal))
    })
}

/// Runs with the front end on this process's terminal.
///
/// # Errors
/// [`AppError`] when something that the instance needs cannot be had; nothing is left running then.
pub fn front(launch: Launch) -> Result<Ending, AppError> {
    crate::tui::install_panic_hook();
    instance::run(launch, front::run)
}
