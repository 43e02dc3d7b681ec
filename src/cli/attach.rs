//! `tundra attach`: this terminal becomes a viewer of a pane.

use std::io::{self, BufRead};

use clap::Args;

use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::launch::need_terminal;
use super::output;
use crate::app::{self, AppError, Attach as Launch, Ending};
use crate::config;
use crate::domain::REMOTE_TOKEN_VARIABLE;
use crate::remote::client::{Address, Target};
use crate::remote::{KnownRemotes, TransportError};

#[derive(Debug, Args)]
pub struct Attach {
    /// The terminal [default: the only one there is]
    #[arg(value_name = "ID", add = complete::terminals())]
    pub id: Option<String>,
    /// Of an instance on the network: an address as `tundra url` prints it, or without a token, which is then taken from
    /// `TUNDRA_REMOTE_TOKEN` or asked for
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Look, and type nothing
    #[arg(long)]
    pub read_only: bool,
}

pub fn run(args: Attach, context: &Context) -> Result<Exit, Failure> {
    need_terminal(
        "`tundra capture` and `tundra send` do without one, and so does a browser at `tundra url`",
    )?;
    let paths = context.paths()?;
    let settings = config::load(&context.config_source(&paths))?;
    let known = app::known_remotes(&paths);
    let (target, token, terminal) = match args.url {
        None => {
            // Whether an instance runs at all is told as every other command tells it.
            context.client()?;
            let socket = paths.attach_socket();
            (Target::Local { socket }, None, args.id)
        }
        Some(url) => {
            let address = Address::parse(&url, known.clone()).map_err(AppError::from)?;
            let terminal = args.id.or_else(|| address.terminal.clone());
            let given = address.token.clone();
            let in_the_clear = address.is_in_the_clear().then(|| address.authority.clone());
            let target = Target::Network(address);
            reach(&target, &known)?;
            let token = match given {
                Some(token) => token,
                None => ask_for_token()?,
            };
            if let Some(authority) = in_the_clear
                && !sends_in_the_clear(&authority)?
            {
                let message = format!("the token was not sent; use https://{authority}");
                return Err(Failure::Usage(message));
            }
            (target, Some(token), terminal)
        }
    };
    let attached = app::attach(Launch {
        target,
        token,
        terminal,
        read_only: args.read_only,
        settings,
    })?;
    if let Some(note) = attached.note {
        output::talk(&format!("{note}\n"));
    }
    Ok(match attached.ending {
        Ending::Quit => Exit::DONE,
        Ending::Signal(signal) => Exit::signal(signal.number()),
    })
}

/// Finds the instance; a certificate that nobody vouches for is shown to the user once.
fn reach(target: &Target, known: &KnownRemotes) -> Result<(), Failure> {
    loop {
        match app::reach(target) {
            Err(AppError::Transport(TransportError::Untrusted {
                authority,
                fingerprint,
            })) if trusts(&authority, &fingerprint)? => {
                known
                    .remember(&authority, &fingerprint)
                    .map_err(|error| Failure::Input(error.to_string()))?;
            }
            reached => return Ok(reached?),
        }
    }
}

fn ask_for_token() -> Result<String, Failure> {
    if let Ok(token) = std::env::var(REMOTE_TOKEN_VARIABLE)
        && !token.trim().is_empty()
    {
        return Ok(token.trim().to_owned());
    }
    output::talk("token (`tundra url` there prints an address with one; that will do too): ");
    let token = hidden(read_line);
    output::talk("\n");
    match token? {
        token if token.is_empty() => Err(Failure::Usage("a token is needed".to_owned())),
        // Of a whole address the token in it is meant.
        given => Ok(match given.split_once("#token=") {
            Some((_, rest)) => rest.split('&').next().unwrap_or_default().to_owned(),
            None => given,
        }),
    }
}

fn trusts(authority: &str, fingerprint: &str) -> Result<bool, Failure> {
    output::talk(&format!(
        "{authority} shows a certificate that nobody vouches for:\n  {fingerprint}\n`tundra status` on that machine \
         tells the right one. Trust it from now on? [y/N] "
    ));
    Ok(matches!(read_line()?.as_str(), "y" | "Y" | "yes"))
}

fn sends_in_the_clear(authority: &str) -> Result<bool, Failure> {
    output::talk(&format!(
        "The way to {authority} is not encrypted: whoever is on it can read the token and everything that is typed. Send \
         it all the same? [y/N] "
    ));
    Ok(matches!(read_line()?.as_str(), "y" | "Y" | "yes"))
}

fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::Input(error.to_string()))?;
    Ok(line.trim().to_owned())
}

/// Reads without showing what is typed.
fn hidden<T>(read: impl FnOnce() -> T) -> T {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = rustix::stdio::stdin();
    let Ok(before) = tcgetattr(stdin) else {
        return read();
    };
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let _ = tcsetattr(stdin, OptionalActions::Now, &silent);
    let value = read();
    let _ = tcsetattr(stdin, OptionalActions::Now, &before);
    value
}
