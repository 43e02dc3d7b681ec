//! `tundra man`: one page for all commands.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::{Args, EXAMPLES};
use super::exit::Exit;
use super::failure::Failure;
use super::output;

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
        Ok(page) => Ok(output::data(&String::from_utf8_lossy(&page))),
        Err(error) => {
            let message = format!("the manual page cannot be made: {error}");
            Err(Failure::Input(message))
        }
    }
}

fn page() -> io::Result<Vec<u8>> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    let main = Man::new(command.clone());
    main.render_title(&mut page)?;
    main.render_name_section(&mut page)?;
    main.render_synopsis_section(&mut page)?;
    main.render_description_section(&mut page)?;
    main.render_options_section(&mut page)?;
    for sub in command.get_subcommands() {
        section(sub, "tundra", &mut page)?;
    }
    let examples = EXAMPLES.lines().skip(1).collect::<Vec<_>>().join("\n");
    let examples = examples.replace('\\', "\\e").replace('-', "\\-");
    writeln!(page, ".SH EXAMPLES\n.nf\n{examples}\n.fi")?;
    page.extend_from_slice(REST.as_bytes());
    Ok(page)
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
    // Within the one page these are parts of the command's section.
    let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
    writeln!(page, ".SH \"{}\"\n{part}", name.to_uppercase())?;
    for sub in command.get_subcommands() {
        section(sub, &name, page)?;
    }
    Ok(())
}
