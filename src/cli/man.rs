//! `tundra man`: one page for all commands.

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::Args;
use super::exit::Exit;
use super::failure::Failure;
use super::output;

pub fn run() -> Result<Exit, Failure> {
    match page() {
        Ok(page) => Ok(output::data(&String::from_utf8_lossy(&page))),
        Err(error) => Err(Failure::Input(format!(
            "the manual page cannot be made: {error}"
        ))),
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
    Ok(page)
}

/// A command's own synopsis, description and options under a heading of its name, then those of its subcommands.
fn section(command: &clap::Command, parent: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let name = format!("{parent} {}", command.get_name());
    if command.get_name() == "help" {
        return Ok(());
    }
    let mut part = Vec::new();
    let man = Man::new(command.clone().bin_name(&name).disable_help_flag(true));
    man.render_synopsis_section(&mut part)?;
    man.render_description_section(&mut part)?;
    man.render_options_section(&mut part)?;
    // Within the one page these are parts of the command's section.
    let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
    page.extend_from_slice(format!(".SH \"{}\"\n{part}", name.to_uppercase()).as_bytes());
    for sub in command.get_subcommands() {
        section(sub, &name, page)?;
    }
    Ok(())
}
