//! Goes on in the place of another program.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::path::PathBuf;

use super::error::AppError;
use super::launch::{Ending, Launch};
use super::upgrade::{KeptRooms, Resumed};
use super::{front, instance};
use crate::runtime::handover::{HandoverError, Incoming, Successor};
use crate::runtime::user_namespace;
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
}

/// Goes on where another program left off, in its process. Where what it left cannot be read, or this program cannot start,
/// that one goes on again.
///
/// # Errors
/// What `launch` answers or [`AppError`], where the other program cannot go on either.
pub fn resume<E>(resume: Resume, launch: impl FnOnce() -> Result<Launch, E>) -> Result<Ending, E>
where
    E: From<AppError> + std::fmt::Display,
{
    // Before there is a secret in this program's memory.
    user_namespace::prepare();
    let incoming = Incoming::open(resume.state).map_err(|error| E::from(error.into()))?;
    let rooms = KeptRooms::read(&incoming);
    let launch = launch();
    let (rooms, launch) = match (rooms, launch) {
        (Ok(rooms), Ok(launch)) => (rooms, launch),
        (Err(error), _) => {
            let why = error.to_string();
            return Err(go_back(&resume, incoming, &why).unwrap_or(error).into())
                .map_err(|error: AppError| E::from(error));
        }
        (Ok(_), Err(error)) => {
            let why = error.to_string();
            let failed = go_back(&resume, incoming, &why);
            return Err(failed.map_or(error, |failed| E::from(failed.into())));
        }
    };
    crate::tui::install_panic_hook();
    let life = if rooms.app.ends_with_last_pane {
        Life::EndsWithLastPane
    } else {
        Life::Stays
    };
    let resumed = Resumed {
        rooms,
        incoming,
        because: resume.because,
    };
    let origin = instance::Origin {
        first: None,
        resumed: Some(Box::new(resumed)),
    };
    Ok(instance::run(launch, origin, life, |instance| {
        front::run(instance, life)
    })?)
}

/// Lets the program before this one go on again. Comes back where there is none, or it cannot be executed.
fn go_back(resume: &Resume, incoming: Incoming, why: &str) -> Option<HandoverError> {
    // One that went on after a failure has nobody behind it.
    let former = resume.former.filter(|_| resume.because.is_none())?;
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // The last argument is the state's descriptor, which is given anew.
    arguments.pop();
    arguments.extend(["--because".into(), why.into()]);
    let successor = Successor {
        program: PathBuf::from(format!("/proc/self/fd/{former}")),
        arguments,
    };
    match incoming.into_sealed().execute(&successor) {
        Ok(never) => match never {},
        Err(error) => Some(error),
    }
}
