//! `tundra man`: one page for all commands.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::{Args, EXAMPLES};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::config;
use crate::domain::action::Context;

/// Of the page's last change.
const DATE: &str = "2026-11-30";
/// The longest line of the page's source, in bytes.
const COLUMNS: usize = 79;

/// What the definition of the command line does not say.
const REST: &str = r#".SH "EXIT STATUS"
.TP
0
Done.
.TP
1
It failed.
.TP
2
Wrong usage, a wrong configuration, or no terminal.
.TP
3
No tundra is running.
.TP
128+n
Ended by signal n.
.SH ENVIRONMENT
.TP
TUNDRA_HOME, TUNDRA_CONFIG
As \-\-home and \-\-config.
.TP
SHELL
What a new pane runs, where the configuration names no shell.
.TP
RUST_LOG
Which lines are logged, such as "info,tundra=debug"; goes before logging.level.
.TP
NO_COLOR
Where it is set, no colours.
.SH FILES
.TP
~/.config/tundra/config.toml
The configuration; "tundra config print\-default" shows all of it.
.TP
~/.local/state/tundra/logs/tundra.log
The log.
.TP
$XDG_RUNTIME_DIR/tundra/control.sock
Where the commands reach the running tundra.
"#;

pub fn run() -> Result<Exit, Failure> {
    match page() {
        Ok(page) => Ok(output::data(&page)),
        Err(error) => {
            let message = format!("the manual page cannot be made: {error}");
            Err(Failure::Input(message))
        }
    }
}

fn page() -> io::Result<String> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    let main = Man::new(command.clone()).title("TUNDRA").date(DATE);
    main.render_title(&mut page)?;
    main.render_name_section(&mut page)?;
    main.render_synopsis_section(&mut page)?;
    main.render_description_section(&mut page)?;
    main.render_options_section(&mut page)?;
    keys(&mut page)?;
    for sub in command.get_subcommands() {
        section(sub, "tundra", &mut page)?;
    }
    writeln!(page, ".SH EXAMPLES")?;
    examples(EXAMPLES, &mut page)?;
    page.extend_from_slice(REST.as_bytes());
    Ok(tidy(&String::from_utf8_lossy(&page)))
}

/// Every key as it is without a configuration.
fn keys(page: &mut Vec<u8>) -> io::Result<()> {
    let settings = config::parse("", "").map_err(|_| io::ErrorKind::InvalidData)?;
    let keymap = &settings.keymap;
    writeln!(page, ".SH KEYS")?;
    let prefix = escaped(&keymap.prefix().to_string());
    writeln!(
        page,
        "Commands follow the prefix, {prefix}; the prefix twice sends it."
    )?;
    for context in Context::ALL {
        writeln!(page, ".SS \"{}\"", escaped(context.title()))?;
        for (action, chords) in keymap.iter() {
            if action.context() != context || chords.is_empty() {
                continue;
            }
            let chords: Vec<String> = chords.iter().map(ToString::to_string).collect();
            let chords = escaped(&chords.join("  "));
            let name = escaped(action.name());
            let text = escaped(action.description());
            writeln!(page, ".TP\n\\fB\\&{chords}\\fR\n{text} ({name})")?;
        }
    }
    Ok(())
}

fn examples(text: &str, page: &mut Vec<u8>) -> io::Result<()> {
    writeln!(page, ".nf")?;
    for line in text.lines().skip(1) {
        writeln!(page, "{}", escaped(line))?;
    }
    writeln!(page, ".fi")
}

/// Text in which roff finds nothing of its own.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq")
        .replace('\'', "\\(aq")
        .replace('^', "\\(ha")
        .replace('~', "\\(ti")
        .replace('`', "\\(ga")
}

/// Lines as roff likes them: short, without blanks at their ends, none empty, and no two breaks in a row.
fn tidy(page: &str) -> String {
    let mut tidied = String::new();
    let (mut verbatim, mut broken) = (false, false);
    for line in page.lines().map(str::trim_end) {
        let is_break = line == ".br";
        if line.is_empty() || (is_break && broken) {
            continue;
        }
        broken = is_break;
        match line {
            ".nf" => verbatim = true,
            ".fi" => verbatim = false,
            _ => {}
        }
        if verbatim || line.starts_with(['.', '\'']) {
            tidied.push_str(line);
            tidied.push('\n');
            continue;
        }
        let mut used = 0;
        for word in line.split(' ') {
            // A line that begins with one of these would be a request.
            let fits = used + word.len() < COLUMNS || word.starts_with(['.', '\'']);
            if used > 0 {
                tidied.push(if fits { ' ' } else { '\n' });
                used = if fits { used + 1 } else { 0 };
            }
            tidied.push_str(word);
            used += word.len();
        }
        tidied.push('\n');
    }
    tidied
}

/// A command's own synopsis, description and options under a heading of its name, then those of its subcommands.
fn section(command: &clap::Command, parent: &str, page: &mut Vec<u8>) -> io::Result<()> {
    if command.get_name() == "help" {
        return Ok(());
    }
    let name = format!("{parent} {}", command.get_name());
    let told_once = |arg: clap::Arg| {
        let hidden = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(hidden)
    };
    let man = Man::new(command.clone().bin_name(&name).mut_args(told_once));
    let mut part = Vec::new();
    man.render_synopsis_section(&mut part)?;
    man.render_description_section(&mut part)?;
    if command
        .get_arguments()
        .any(|arg| !arg.is_global_set() && arg.get_id() != "help")
    {
        man.render_options_section(&mut part)?;
    }
    if let Some(text) = command.get_before_help() {
        writeln!(part, ".SH EXAMPLES")?;
        examples(&text.to_string(), &mut part)?;
    }
    // Within the one page these are parts of the command's section.
    let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
    writeln!(page, ".SH \"{}\"\n{part}", name.to_uppercase())?;
    for sub in command.get_subcommands() {
        section(sub, &name, page)?;
    }
    Ok(())
}
