//! `tundra` and `tundra serve`: show the instance, or be it.

use std::io::{self, IsTerminal};

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::app::{self, AppError, Beginning, ConfigText, Ending, Launch, Ready, Show};
use crate::config;
use crate::runtime::init;

#[derive(Debug, Args)]
pub struct Serve {
    /// Print one line of JSON on stdout once everything listens
    #[arg(long)]
    pub print_ready: bool,
    /// Start without what an instance has left that ended without being asked to
    #[arg(long)]
    fresh: bool,
}

pub fn front(
    command: Vec<String>,
    beginning: Beginning,
    context: &Context,
) -> Result<Exit, Failure> {
    need_terminal("run `tundra serve`, then use `tundra new`, `tundra send` and `tundra capture`")?;
    if let Some(code) = stand_in()? {
        return Ok(Exit::with(code));
    }
    let show = Show {
        paths: context.paths()?,
        command,
    };
    let farewell = app::show(&show, || prepare(beginning, None, context))?;
    if let Some(note) = farewell.note {
        output::talk(&format!("{note}\n"));
    }
    Ok(Exit::with(farewell.exit))
}

/// Refuses to draw where that cannot be; `instead` is what does without a terminal.
pub(super) fn need_terminal(instead: &'static str) -> Result<(), Failure> {
    let what = if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        "a terminal that can do more than TERM=dumb is needed"
    } else if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        "a terminal is needed on stdin and stdout"
    } else {
        return Ok(());
    };
    Err(Failure::NoTerminal { what, instead })
}

pub fn serve(args: &Serve, beginning: Beginning, context: &Context) -> Result<Exit, Failure> {
    let beginning = if args.fresh {
        Beginning::Fresh
    } else {
        beginning
    };
    let launch = prepare(beginning, None, context)?;
    if let Some(code) = stand_in()? {
        return Ok(Exit::with(code));
    }
    let ending = app::serve(launch, |ready| {
        for notice in &ready.notices {
            output::talk(&format!("{notice}\n"));
        }
        if args.print_ready {
            output::announce(&ReadyShape::from(ready))?;
        }
        Ok(())
    })?;
    Ok(exit(ending))
}

/// What an instance is started with. `text` is its configuration, where that is not to be read from its file.
pub(super) fn prepare(
    beginning: Beginning,
    text: Option<String>,
    context: &Context,
) -> Result<Launch, Failure> {
    let paths = context.paths()?;
    let config = context.config_source(&paths);
    let text = match text {
        Some(kept) => ConfigText::Kept(kept),
        None => ConfigText::Read(config::read_text(&config)?),
    };
    Ok(Launch {
        paths,
        settings: config::load_text(&config, text.as_str())?,
        config,
        config_text: text,
        beginning,
        version: super::version().to_owned(),
    })
}

/// Where this is the first process of a container, the exit code of the one that did what was called for.
fn stand_in() -> Result<Option<u8>, Failure> {
    Ok(init::stand_in().map_err(AppError::Runtime)?)
}

fn exit(ending: Ending) -> Exit {
    match ending {
        Ending::Quit => Exit::DONE,
        Ending::Signal(signal) => Exit::signal(signal.number()),
    }
}

/// The line of `--print-ready`; what this instance does not have is null.
#[derive(Serialize)]
struct ReadyShape {
    pid: u32,
    version: String,
    remote_url: Option<String>,
    gateway_url: Option<String>,
    control_socket: String,
}

impl From<&Ready> for ReadyShape {
    fn from(ready: &Ready) -> Self {
        Self {
            pid: ready.pid,
            version: ready.version.clone(),
            remote_url: ready.remote_url.clone(),
            gateway_url: ready.gateway_url.clone(),
            control_socket: ready.control_socket.to_string_lossy().into_owned(),
        }
    }
}
