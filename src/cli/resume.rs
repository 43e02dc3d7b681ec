//! What the program before this one calls: whether this one can go on, and then that it does.

use std::os::fd::RawFd;

use clap::Args;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::app::{self, Beginning, CanResume, Ending, Resume};
use crate::config;

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Why another program than this one could not go on
    #[arg(long)]
    because: Option<String>,
    /// The descriptor of the program before this one
    #[arg(long)]
    former: Option<RawFd>,
    /// The descriptor of the state
    state: RawFd,
}

/// Says whether this program could go on in a running instance's place.
pub fn can_resume(context: &Context) -> Exit {
    let obstacle = context
        .paths()
        .map_err(Failure::from)
        .and_then(|paths| Ok(config::load(&context.config_source(&paths))?))
        .err();
    let obstacle = obstacle.map(|obstacle| obstacle.to_string());
    output::json(&CanResume::own(super::version(), obstacle))
}

/// Goes on in a running instance's place.
pub fn run(args: ResumeArgs, context: &Context) -> Result<Exit, Failure> {
    let resume = Resume {
        state: args.state,
        former: args.former,
        because: args.because,
        version: super::version(),
    };
    let ending = app::resume(resume, |text| {
        super::launch::prepare(Beginning::Fresh, text, context)
    })?;
    Ok(match ending {
        Ending::Quit => Exit::DONE,
        Ending::Signal(signal) => Exit::signal(signal.number()),
    })
}
