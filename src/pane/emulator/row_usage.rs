//! What is known of a grid's rows beside their cells: how far they are used and whether they have changed since they were
//! last read, since reading cells is dear; and which ones go on in the row below.

use crate::domain::screen::Color;
use crate::domain::size::Size;

pub(super) struct RowUsage {
    size: Size,
    /// For each row, the column from which on it is surely blank in the default colour.
    used: Vec<u16>,
    /// The same of the screen that is not shown.
    other: Vec<u16>,
    touched: Vec<bool>,
    joins: Joins,
    other_joins: Joins,
}

/// Which rows go on in the next one, since their text did not fit.
struct Joins {
    wrapped: Vec<bool>,
    /// The first row may go on with the newest row of history.
    with_history: bool,
}

impl Joins {
    fn new(rows: usize) -> Self {
        Self {
            wrapped: vec![false; rows],
            with_history: true,
        }
    }

    fn set(&mut self, row: u16, wrapped: bool) {
        if let Some(slot) = self.wrapped.get_mut(usize::from(row)) {
            *slot = wrapped;
        }
    }

    fn moved(&mut self, first: u16, last: u16) -> &mut [bool] {
        let rows = usize::from(first)..usize::from(last) + 1;
        self.wrapped.get_mut(rows).unwrap_or_default()
    }

    /// A row no longer goes on with the one above it.
    fn cut_above(&mut self, row: u16) {
        match row.checked_sub(1) {
            Some(above) => self.set(above, false),
            None => self.with_history = false,
        }
    }
}

impl RowUsage {
    /// Of a blank grid.
    pub fn new(size: Size) -> Self {
        let rows = usize::from(size.rows());
        Self {
            size,
            used: vec![0; rows],
            other: vec![0; rows],
            touched: vec![true; rows],
            joins: Joins::new(rows),
            other_joins: Joins::new(rows),
        }
    }

    /// Whether a row has been printed on from its end into the next one, as far as is known here.
    pub fn wrapped(&self, row: u16) -> bool {
        let wrapped = self.joins.wrapped.get(usize::from(row));
        wrapped.copied().unwrap_or(false)
    }

    pub fn set_wrapped(&mut self, row: u16, wrapped: bool) {
        self.touch(row);
        self.joins.set(row, wrapped);
    }

    /// Whether the first row may go on with the newest row of history.
    pub fn joins_history(&self) -> bool {
        self.joins.with_history
    }

    pub fn set_joins_history(&mut self, joins: bool) {
        self.joins.with_history = joins;
    }

    /// A row no longer goes on with the one above it.
    pub fn cut_above(&mut self, row: u16) {
        self.joins.cut_above(row);
        if let Some(above) = row.checked_sub(1) {
            self.touch(above);
        }
    }

    /// The column from which on a row is blank.
    pub fn end(&self, row: u16) -> u16 {
        let end = self.used.get(usize::from(row)).copied().unwrap_or(0);
        end.min(self.size.cols())
    }

    /// Cells up to a column may be in use.
    pub fn extend(&mut self, row: u16, col: u16) {
        self.touch(row);
        if let Some(used) = self.used.get_mut(usize::from(row)) {
            *used = col.max(*used);
        }
    }

    /// Cells have become blank.
    pub fn blank(&mut self, row: u16, from: u16, to: u16, fill: Color) {
        self.touch(row);
        if to >= self.size.cols() {
            self.joins.set(row, false);
        }
        if from == 0 {
            self.cut_above(row);
        }
        let Some(used) = self.used.get_mut(usize::from(row)) else {
            return;
        };
        if fill != Color::DEFAULT {
            *used = to.max(*used);
        } else if to >= *used {
            *used = from.min(*used);
        }
    }

    /// Rows have moved up within a region, and blank ones have come in below.
    pub fn move_up(&mut self, first: u16, last: u16, rows: u16) {
        self.joins.set(last, false);
        if first == 0 {
            // What has left is the newest of history.
            self.joins.with_history = true;
        } else {
            self.cut_above(first);
        }
        let moved = self.joins.moved(first, last);
        let count = usize::from(rows).min(moved.len());
        moved.rotate_left(count);
        let kept = moved.len() - count;
        moved[kept..].fill(false);
        let moved = self.moved(first, last);
        let rows = usize::from(rows).min(moved.len());
        moved.rotate_left(rows);
        let kept = moved.len() - rows;
        moved[kept..].fill(0);
    }

    /// Rows have moved down within a region, and blank ones have come in above.
    pub fn move_down(&mut self, first: u16, last: u16, rows: u16) {
        self.cut_above(first);
        let moved = self.joins.moved(first, last);
        let count = usize::from(rows).min(moved.len());
        moved.rotate_right(count);
        moved[..count].fill(false);
        self.joins.set(last, false);
        let moved = self.moved(first, last);
        let rows = usize::from(rows).min(moved.len());
        moved.rotate_right(rows);
        moved[..rows].fill(0);
    }

    fn moved(&mut self, first: u16, last: u16) -> &mut [u16] {
        let rows = usize::from(first)..usize::from(last) + 1;
        if let Some(touched) = self.touched.get_mut(rows.clone()) {
            touched.fill(true);
        }
        self.used.get_mut(rows).unwrap_or_default()
    }

    /// The other screen is shown.
    pub fn swap(&mut self) {
        std::mem::swap(&mut self.used, &mut self.other);
        std::mem::swap(&mut self.joins, &mut self.other_joins);
        self.touch_all();
    }

    /// Rows and columns have gone or come at the bottom and at the right; what the other screen holds is not known.
    pub fn resize(&mut self, size: Size) {
        let rows = usize::from(size.rows());
        self.size = size;
        self.used.resize(rows, 0);
        for used in &mut self.used {
            *used = size.cols().min(*used);
        }
        self.other = vec![size.cols(); rows];
        self.joins.wrapped.resize(rows, false);
        self.other_joins = Joins::new(rows);
        self.touched = vec![true; rows];
    }

    pub fn touch(&mut self, row: u16) {
        if let Some(touched) = self.touched.get_mut(usize::from(row)) {
            *touched = true;
        }
    }

    pub fn touch_all(&mut self) {
        self.touched.fill(true);
    }

    /// Whether a row may have changed since this was last asked, or the one below it, which decides whether it goes on. To be
    /// asked from the top down.
    pub fn take_touched(&mut self, row: u16) -> bool {
        let row = usize::from(row);
        let below = self.touched.get(row + 1).copied().unwrap_or(false);
        let touched = self.touched.get_mut(row).is_none_or(std::mem::take);
        touched || below
    }
}
