//! The composition root: makes the rooms, hands each what it needs, and ends them in order.
//!
//! `cli` calls [`serve`] or [`show`] with what it has read and prints what they answer. This is the only room that
//! knows all others; nothing is decided here but who is made first and who ends last.

mod attach;
mod builder;
mod checkup;
mod demo;
mod doctor;
mod error;
mod front;
mod front_operations;
mod gateway;
mod groundwork;
mod instance;
mod kept_session;
mod launch;
mod lifecycle;
mod log;
mod notices;
mod pool;
mod reload;
mod remote;
mod resume;
mod rooms;
mod secret_variables;
mod store;
mod thin;
mod upgrade;
mod welcome;

use std::io;

pub use attach::{Attach, Attached, attach, known_remotes, reach};
pub use demo::{demo, demo_client};
pub use doctor::{examine, outer_terminal};
pub use error::AppError;
pub use launch::{Beginning, ConfigText, Ending, Launch, Ready};
pub use resume::{Resume, resume};
pub use store::store_at_rest;
pub use thin::{Farewell, Show, show};
pub use upgrade::CanResume;

use self::groundwork::Origin;
use crate::tui::Life;

/// Runs in the foreground until SIGINT, SIGTERM or another terminating signal; a terminal may show it and leave it again.
///
/// # Errors
/// [`AppError`] when something that the instance needs cannot be had, or when whoever waits for `ready` cannot be told;
/// nothing is left running then.
pub fn serve(
    launch: Launch,
    ready: impl FnOnce(&Ready) -> io::Result<()>,
) -> Result<Ending, AppError> {
    crate::tui::install_panic_hook();
    let origin = Origin::default();
    lifecycle::run(launch, origin, Life::Stays, |instance| async move {
        ready(&instance.ready()).map_err(AppError::Ready)?;
        if instance.restored.is_none() {
            instance.open_configured_panes().await;
        }
        front::run(instance, Life::Stays).await
    })
}
