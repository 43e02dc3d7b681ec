//! `tundra config`: where the configuration is, whether it is right, and what can be said in it.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::config;

#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print where the configuration file is; with --json every folder of this home
    #[command(before_help = "Example:\n  tundra config path")]
    Path(Json),
    /// Check the configuration file and tell everything that is wrong with it
    #[command(before_help = "Example:\n  tundra config check --json")]
    Check(Json),
    /// Print a configuration file with every key and its default
    #[command(before_help = "Example:\n  tundra config print-default > config.toml")]
    PrintDefault,
    /// Append the profiles that a predecessor's folder holds, such as ~/.auto-tundra
    #[command(before_help = "Example:\n  tundra config import ~/.auto-tundra --dry-run")]
    Import(Import),
}

#[derive(Debug, Args)]
pub struct Import {
    /// Where `api_profiles.json`, `harness.toml` and `profile_usage.json` are, or the folders config and data with them
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print what would be appended, and append nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask about variables of no known provider and addresses in the clear
    #[arg(long)]
    yes: bool,
}

impl ConfigCommand {
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Path(json) | Self::Check(json) => json.json,
            Self::PrintDefault | Self::Import(_) => false,
        }
    }
}

pub fn run(command: &ConfigCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Path(json) => path(json.json, context),
        ConfigCommand::Check(json) => check(json.json, context),
        ConfigCommand::PrintDefault => Ok(output::data(config::DEFAULT_FILE)),
        ConfigCommand::Import(args) => import(args, context),
    }
}

fn path(json: bool, context: &Context) -> Result<Exit, Failure> {
    let paths = context.paths()?;
    let config = context.config_source(&paths).path;
    Ok(if json {
        output::json(&json!({
            "config": config.to_string_lossy(),
            "data": paths.data.to_string_lossy(),
            "state": paths.state.to_string_lossy(),
            "logs": paths.logs.to_string_lossy(),
            "control_socket": paths.control_socket().to_string_lossy(),
        }))
    } else {
        output::data(&format!("{}\n", config.display()))
    })
}

fn check(json: bool, context: &Context) -> Result<Exit, Failure> {
    let source = context.config_source(&context.paths()?);
    let settings = config::load(&source)?;
    for lost in settings.keymap.lost() {
        output::talk(&format!("{lost}\n"));
    }
    let exists = source.path.exists();
    Ok(if json {
        output::json(
            &json!({ "ok": true, "path": source.path.to_string_lossy(), "exists": exists }),
        )
    } else if exists {
        output::data(&format!("{}: ok\n", source.path.display()))
    } else {
        let path = source.path.display();
        output::data(&format!(
            "{path}: there is no such file, so the defaults hold\n"
        ))
    })
}

/// Appends what the folder holds, whole or not at all; a running instance takes it over at once.
fn import(args: &Import, context: &Context) -> Result<Exit, Failure> {
    let target = context.config_source(&context.paths()?).path;
    let present = match fs::read_to_string(&target) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(not_written(&target, &error)),
    };
    let import = config::import(&args.folder, &present)
        .map_err(|error| Failure::Import(error.to_string()))?;
    for remark in &import.remarks {
        output::talk(&format!("{remark}\n"));
    }
    if args.dry_run {
        for doubt in &import.doubts {
            output::talk(&format!("{doubt}\n"));
        }
        return Ok(output::data(import.text.trim_start()));
    }
    if import.text.is_empty() {
        return Ok(output::data("there is nothing to import\n"));
    }
    if !import.doubts.is_empty() && !args.yes && !is_meant(&import.doubts)? {
        let nothing = "nothing was imported: look at what is above, and say --yes if it is meant";
        return Err(Failure::Import(nothing.to_owned()));
    }
    let text = if present.is_empty() {
        import.text.trim_start().to_owned()
    } else {
        format!("{}\n{}", present.trim_end(), import.text)
    };
    replace(&target, &text).map_err(|error| not_written(&target, &error))?;
    Ok(output::data(&format!(
        "{}: added {}\n",
        target.display(),
        import.profiles.join(", ")
    )))
}

/// Tells what is doubtful and asks whether it is meant; where nobody can be asked it is not.
fn is_meant(doubts: &[String]) -> Result<bool, Failure> {
    for doubt in doubts {
        output::talk(&format!("{doubt}\n"));
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(false);
    }
    output::talk("Import it all the same? [y/N] ");
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::Input(format!("stdin cannot be read: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Puts a file in the place of another, with its permissions, so that nobody reads half of it.
fn replace(target: &Path, text: &str) -> io::Result<()> {
    // A link stays one.
    let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = target.with_extension("toml.new");
    // Made anew: a link that was laid there is not written through.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::File::create_new(&fresh)?.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(&target) {
        fs::set_permissions(&fresh, metadata.permissions())?;
    }
    fs::rename(&fresh, &target)
}

fn not_written(target: &Path, error: &io::Error) -> Failure {
    Failure::Import(format!("{} cannot be changed: {error}", target.display()))
}
