//! What is known of a grid's rows without reading their cells, which is dear: how far they are used, and whether they
//! have changed since they were last read.

use crate::domain::screen::Color;
use crate::domain::size::Size;

pub(super) struct RowUsage {
    size: Size,
    /// For each row, the column from which on it is surely blank in the default colour.
    used: Vec<u16>,
    /// The same of the screen that is not shown.
    other: Vec<u16>,
    touched: Vec<bool>,
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
        let moved = self.moved(first, last);
        let rows = usize::from(rows).min(moved.len());
        moved.rotate_left(rows);
        let kept = moved.len() - rows;
        moved[kept..].fill(0);
    }

    /// Rows have moved down within a region, and blank ones have come in above.
    pub fn move_down(&mut self, first: u16, last: u16, rows: u16) {
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

    /// Whether a row may have changed since this was last asked.
    pub fn take_touched(&mut self, row: u16) -> bool {
        self.touched
            .get_mut(usize::from(row))
            .is_none_or(std::mem::take)
    }
}
