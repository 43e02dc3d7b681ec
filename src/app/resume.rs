//! Goes on in the place of another program.

use std::ffi::OsString;
use std::os::fd::RawFd;

use tracing::warn;

use super::error::AppError;
use super::groundwork::Origin;
use super::launch::{Ending, Launch};
use super::upgrade::{KeptRooms, Resumed};
use super::{front, lifecycle};
use crate::runtime::handover::{self, Incoming};
use crate::runtime::{fault, user_namespace};
use crate::tui::Life;

/// How this program was called by the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The descriptor of the state.
    pub state: RawFd,
    /// The descriptor of the file of the program before this one.
    pub former: Option<RawFd>,
    /// Why another program than this one could not go on.
    pub because: Option<String>,
    /// This program's.
    pub version: &'static str,
}

/// Goes on where another program left off, in its process. Where what it left cannot be read, or this program cannot start,
/// that one goes on again. `launch` makes ready to start with the text of a configuration, or with what its file says.
///
/// # Errors
/// What `launch` answers or [`AppError`], where the other program cannot go on either.
pub fn resume<E>(
    resume: Resume,
    launch: impl FnOnce(Option<String>) -> Result<Launch, E>,
) -> Result<Ending, E>
where
    E: From<AppError> + std::fmt::Display,
{
    // Before there is a secret in this program's memory.
    user_namespace::prepare();
    let mut incoming = Incoming::open(resume.state).map_err(|error| E::from(error.into()))?;
    prepare_way_back(&resume, &mut incoming);
    crate::tui::install_panic_hook();
    go_back_on_panic();
    // A test's new program alone goes wrong here, and not the one that goes on after it.
    if resume.because.is_none() {
        fault::point("resume", "begin");
        fault::crash("resume", "crash");
    }
    let mut because = resume.because;
    let mut rooms = match &mut because {
        Some(because) => {
            let (rooms, lost) = KeptRooms::salvage(&incoming);
            because.extend(lost.iter().map(|lost| format!("; {lost}")));
            rooms
        }
        None => KeptRooms::read(&incoming)
            .inspect_err(handover::go_back)
            .map_err(|error| E::from(error.into()))?,
    };
    // What stands in the file by now may be what another program failed over.
    let text = rooms.app.config_text.take();
    let launch = launch(text.filter(|_| because.is_some())).inspect_err(handover::go_back)?;
    let life = if rooms.app.ends_with_last_pane {
        Life::EndsWithLastPane
    } else {
        Life::Stays
    };
    let resumed = Resumed {
        rooms,
        incoming,
        because,
    };
    let origin = Origin {
        first: None,
        resumed: Some(Box::new(resumed)),
    };
    Ok(lifecycle::run(launch, origin, life, |instance| {
        front::run(instance, life)
    })?)
}

/// Makes the way back to the program before this one. One that goes on after a failure has nobody behind it.
fn prepare_way_back(resume: &Resume, incoming: &mut Incoming) {
    let Some(former) = resume.former.filter(|_| resume.because.is_none()) else {
        return;
    };
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // The last argument is the state's descriptor, which is given anew.
    arguments.pop();
    arguments.push("--because".into());
    let program = format!("/proc/self/fd/{former}").into();
    let who = format!("tundra {} could not take over", resume.version);
    if let Err(error) = handover::prepare_way_back(incoming, program, arguments, &who) {
        warn!(%error, "there is no way back to the program before this one");
    }
}

/// A panic while there is a way back goes it, before anything is dropped.
fn go_back_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        handover::go_back(info);
        before(info);
    }));
}
