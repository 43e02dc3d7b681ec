//! A terminal's line settings, to be kept and given back.

use std::io;
use std::os::fd::AsFd;

use rustix::termios::{
    self, ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex,
    Termios,
};

use crate::runtime::lend::LineModes;

/// What is kept of a terminal's settings.
pub(super) fn kept(termios: &Termios) -> LineModes {
    LineModes {
        input: termios.input_modes.bits(),
        output: termios.output_modes.bits(),
        control: termios.control_modes.bits(),
        local: termios.local_modes.bits(),
        min: termios.special_codes[SpecialCodeIndex::VMIN],
        time: termios.special_codes[SpecialCodeIndex::VTIME],
    }
}

/// Puts what was kept in the place of what a terminal has now.
pub(super) fn put(kept: LineModes, termios: &mut Termios) {
    termios.input_modes = InputModes::from_bits_retain(kept.input);
    termios.output_modes = OutputModes::from_bits_retain(kept.output);
    termios.control_modes = ControlModes::from_bits_retain(kept.control);
    termios.local_modes = LocalModes::from_bits_retain(kept.local);
    termios.special_codes[SpecialCodeIndex::VMIN] = kept.min;
    termios.special_codes[SpecialCodeIndex::VTIME] = kept.time;
}

/// Sets a terminal raw: every byte as it comes, and no signal from a key.
pub(super) fn set_raw(terminal: impl AsFd, before: &Termios) -> io::Result<()> {
    let mut raw = before.clone();
    raw.make_raw();
    Ok(termios::tcsetattr(terminal, OptionalActions::Now, &raw)?)
}
