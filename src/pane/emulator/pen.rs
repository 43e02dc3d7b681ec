//! The pen: what the next character written looks like.

use super::grid::Grid;
use super::sgr::{Sgr, split};
use super::style::Style;

#[derive(Clone, Debug, Default)]
pub(super) struct Pen {
    style: Style,
    /// DECSCA.
    protected: bool,
    /// The pen as the grid wants it; made anew after a change.
    ready: Option<Ready>,
}

#[derive(Clone, Copy, Debug)]
struct Ready {
    sgr: Sgr,
    mark: Option<char>,
    /// The generation of the grid's marks that `mark` belongs to.
    generation: u64,
}

impl Pen {
    pub fn style(&self) -> &Style {
        &self.style
    }

    pub fn is_protected(&self) -> bool {
        self.protected
    }

    pub fn change(&mut self, change: impl FnOnce(&mut Style)) {
        change(&mut self.style);
        self.ready = None;
    }

    pub fn set_protected(&mut self, protected: bool) {
        self.protected = protected;
        self.ready = None;
    }

    /// Makes the grid write in this style; returns the mark that each character is to carry.
    pub fn ready(&mut self, grid: &mut Grid) -> Option<char> {
        let ready = match self.ready {
            Some(ready) if ready.mark.is_none() || ready.generation == grid.mark_generation() => {
                ready
            }
            _ => {
                let (sgr, extra) = split(&self.style, self.protected);
                let mark = extra.and_then(|extra| grid.mark(&extra));
                *self.ready.insert(Ready {
                    sgr,
                    mark,
                    generation: grid.mark_generation(),
                })
            }
        };
        grid.set_sgr(ready.sgr);
        ready.mark
    }
}
