//! Cursor movement (CUU to CUP and their kin), as xterm does it: margins stop the cursor only where it is within them.

use super::canvas::Canvas;

/// Moves a canvas's cursor.
pub(super) struct Motion<'a> {
    canvas: &'a mut Canvas,
}

impl<'a> Motion<'a> {
    pub fn new(canvas: &'a mut Canvas) -> Self {
        Self { canvas }
    }

    pub fn up(&mut self, count: u16) {
        let (row, col) = self.canvas.position();
        let top = self.canvas.margins().top;
        let limit = if row >= top { top } else { 0 };
        self.canvas.place(row.saturating_sub(count).max(limit), col);
    }

    pub fn down(&mut self, count: u16) {
        let (row, col) = self.canvas.position();
        let bottom = self.canvas.margins().bottom;
        let limit = if row <= bottom {
            bottom
        } else {
            self.canvas.size().rows() - 1
        };
        self.canvas.place(row.saturating_add(count).min(limit), col);
    }

    pub fn right(&mut self, count: u16) {
        let (row, col) = self.canvas.position();
        let right = self.canvas.margins().right;
        let limit = if col <= right {
            right
        } else {
            self.canvas.size().cols() - 1
        };
        self.canvas.place(row, col.saturating_add(count).min(limit));
    }

    pub fn left(&mut self, count: u16) {
        let (mut row, mut col) = self.canvas.position();
        let margins = self.canvas.margins();
        let reverse = self.canvas.placing.reverse_wrap && self.canvas.placing.autowrap;
        let mut count = count;
        if reverse && self.canvas.pending() {
            count -= 1;
        }
        loop {
            let limit = if col >= margins.left { margins.left } else { 0 };
            let step = count.min(col - limit);
            col -= step;
            count -= step;
            if count == 0 || !reverse {
                break;
            }
            // From the left edge on to the right end of the row above; from the top one round to the bottom.
            count -= 1;
            col = margins.right;
            row = if row == margins.top {
                margins.bottom
            } else {
                row.saturating_sub(1)
            };
        }
        self.canvas.place(row, col);
    }

    /// CUP: counted from 0, from the margins in origin mode.
    pub fn go_to(&mut self, row: u16, col: u16) {
        let size = self.canvas.size();
        let margins = self.canvas.margins();
        if self.canvas.placing.origin {
            self.canvas.place(
                row.saturating_add(margins.top).min(margins.bottom),
                col.saturating_add(margins.left).min(margins.right),
            );
        } else {
            self.canvas
                .place(row.min(size.rows() - 1), col.min(size.cols() - 1));
        }
    }

    /// CHA and HPA.
    pub fn go_to_col(&mut self, col: u16) {
        let (row, _) = self.canvas.position();
        self.go_to(row.saturating_sub(self.canvas.origin().0), col);
    }

    /// VPA.
    pub fn go_to_row(&mut self, row: u16) {
        let (_, col) = self.canvas.position();
        self.go_to(row, col.saturating_sub(self.canvas.origin().1));
    }
}
