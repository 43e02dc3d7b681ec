//! Where rows and columns went when lines were wrapped at another width.

/// The lines that took or take more than one row, in their order; rows between them have moved as a whole.
#[derive(Debug, Default)]
pub(super) struct RowMap {
    pub old_cols: u16,
    pub new_cols: u16,
    pub lines: Vec<MovedLine>,
}

/// A line before and after.
#[derive(Debug)]
pub(super) struct MovedLine {
    /// The absolute number of the line's first row before.
    pub old: u64,
    pub old_rows: u32,
    /// The same afterwards.
    pub new: u64,
    pub new_rows: u32,
    /// Columns of the whole line.
    pub len: u32,
    /// The columns of the line at which its rows began and begin, where not each but the last is full.
    pub breaks: Option<Box<Breaks>>,
}

#[derive(Debug)]
pub(super) struct Breaks {
    pub old: Vec<u32>,
    pub new: Vec<u32>,
}

impl RowMap {
    /// Where a place is now. A column that is the width stands behind the row's last character. What lay behind its line's
    /// end stays behind it, within the width.
    pub fn place(&self, row: u64, col: u16) -> (u64, u16) {
        let after = self.lines.partition_point(|line| line.old <= row);
        let before = after.checked_sub(1).and_then(|index| self.lines.get(index));
        let Some(line) = before else {
            return (row, self.clamp(col));
        };
        let index = row - line.old;
        if index >= u64::from(line.old_rows) {
            let beyond = index - u64::from(line.old_rows);
            return (
                line.new + u64::from(line.new_rows) + beyond,
                self.clamp(col),
            );
        }
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let offset = line.old_break(index, self.old_cols) + u32::from(col);
        let (index, start) = line.new_row_of(offset, self.new_cols);
        let col = u16::try_from(offset - start).unwrap_or(u16::MAX);
        let col = if offset <= line.len {
            col.min(self.new_cols)
        } else {
            self.clamp(col)
        };
        (line.new + index as u64, col)
    }

    fn clamp(&self, col: u16) -> u16 {
        if col >= self.old_cols && self.old_cols < self.new_cols {
            return self.old_cols;
        }
        col.min(self.new_cols.saturating_sub(1))
    }
}

impl MovedLine {
    fn old_break(&self, index: usize, cols: u16) -> u32 {
        match &self.breaks {
            Some(breaks) => breaks.old.get(index).copied().unwrap_or(self.len),
            None => u32::try_from(index).unwrap_or(u32::MAX) * u32::from(cols),
        }
    }

    /// The row in which a column of the line stands now, and the column at which that row begins. The line's end belongs to
    /// its last row.
    fn new_row_of(&self, offset: u32, cols: u16) -> (usize, u32) {
        let last = self.new_rows.saturating_sub(1) as usize;
        if let Some(breaks) = &self.breaks {
            let index = breaks.new.partition_point(|start| *start <= offset);
            let index = index.saturating_sub(1).min(last);
            return (index, breaks.new.get(index).copied().unwrap_or(0));
        }
        let cols = u32::from(cols.max(1));
        let index = (offset / cols).min(self.new_rows.saturating_sub(1));
        (index as usize, index * cols)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_follows_its_line() {
        // Three lines of 10 columns, of 4, 25 and 10 characters, at 5 columns.
        let map = RowMap {
            old_cols: 10,
            new_cols: 5,
            lines: vec![
                MovedLine {
                    old: 8,
                    old_rows: 3,
                    new: 8,
                    new_rows: 5,
                    len: 25,
                    breaks: None,
                },
                MovedLine {
                    old: 11,
                    old_rows: 1,
                    new: 13,
                    new_rows: 2,
                    len: 10,
                    breaks: None,
                },
            ],
        };
        assert_eq!(map.place(7, 3), (7, 3));
        assert_eq!(map.place(7, 9), (7, 4));
        assert_eq!(map.place(8, 7), (9, 2));
        assert_eq!(map.place(10, 4), (12, 4));
        // Right behind the text, which is full now.
        assert_eq!(map.place(10, 5), (12, 5));
        // Far behind it.
        assert_eq!(map.place(10, 9), (12, 4));
        assert_eq!(map.place(11, 10), (14, 5));
        assert_eq!(map.place(12, 1), (15, 1));
    }

    #[test]
    fn a_wrap_that_was_pending_is_the_next_column_of_a_wider_row() {
        let map = RowMap {
            old_cols: 5,
            new_cols: 10,
            lines: Vec::new(),
        };
        assert_eq!(map.place(3, 5), (3, 5));
        assert_eq!(map.place(3, 4), (3, 4));
    }
}
