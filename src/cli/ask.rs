//! `tundra ask`: one prompt through the router.

use std::io::{self, Read};

use clap::{Args, ValueHint};

use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::api::Prompt;

/// A larger prompt is a mistake of a pipe.
const MAX_PROMPT: u64 = 4 << 20;

#[derive(Debug, Args)]
pub struct Ask {
    /// The one profile that may answer [default: whoever can]
    #[arg(long, value_name = "NAME", add = complete::profiles())]
    profile: Option<String>,
    /// The model to ask for [default: the profile's]
    #[arg(long, value_name = "M")]
    model: Option<String>,
    /// What to ask; `-` reads it from stdin
    #[arg(value_hint = ValueHint::Other)]
    prompt: String,
}

pub fn run(args: Ask, context: &Context) -> Result<Exit, Failure> {
    let prompt = if args.prompt == "-" {
        let mut text = String::new();
        io::stdin()
            .take(MAX_PROMPT)
            .read_to_string(&mut text)
            .map_err(|error| Failure::Input(format!("stdin cannot be read: {error}")))?;
        text
    } else {
        args.prompt
    };
    if prompt.trim().is_empty() {
        return Err(Failure::Usage("the prompt is empty".to_owned()));
    }
    let prompt = Prompt {
        text: prompt,
        model: args.model,
        profile: args.profile,
    };
    let mut ends_line = true;
    for piece in context.client()?.prompt(prompt)? {
        let text = match piece {
            Ok(text) => text,
            Err(error) => {
                if !ends_line {
                    output::data("\n");
                }
                return Err(error.into());
            }
        };
        ends_line = text.ends_with('\n');
        if output::data(&text) != Exit::DONE {
            return Ok(Exit::FAILURE);
        }
    }
    Ok(if ends_line {
        Exit::DONE
    } else {
        output::data("\n")
    })
}
