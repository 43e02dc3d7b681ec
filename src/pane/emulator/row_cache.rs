//! The rows as they were last shown, so that rows which have not changed are shared with older snapshots.

use std::sync::Arc;

use super::grid::Grid;
use crate::domain::screen::Row;

#[derive(Default)]
pub(super) struct RowCache {
    rows: Vec<Arc<Row>>,
}

impl RowCache {
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// The rows of the grid, each the same allocation as before while it has not changed.
    pub fn refresh(&mut self, grid: &mut Grid) -> &[Arc<Row>] {
        let mut read = Row::default();
        for row in 0..grid.size().rows() {
            let index = usize::from(row);
            if !grid.take_touched(row) && index < self.rows.len() {
                continue;
            }
            grid.read_row(row, &mut read);
            match self.rows.get(index) {
                Some(shown) if **shown == read => {}
                Some(_) => self.rows[index] = self.shared(&read, index),
                None => self.rows.push(self.shared(&read, index)),
            }
        }
        &self.rows
    }

    /// The row in an allocation of its own, or its neighbour's where they are equal, as blank rows often are.
    fn shared(&self, row: &Row, index: usize) -> Arc<Row> {
        match index.checked_sub(1).and_then(|above| self.rows.get(above)) {
            Some(above) if **above == *row => Arc::clone(above),
            _ => Arc::new(row.clone()),
        }
    }

    /// The rows of the grid, in the allocations of `previous` where those are equal.
    pub fn share(&mut self, grid: &mut Grid, previous: &[Arc<Row>]) -> Vec<Arc<Row>> {
        self.refresh(grid);
        for (row, older) in self.rows.iter_mut().zip(previous) {
            if !Arc::ptr_eq(row, older) && **row == **older {
                row.clone_from(older);
            }
        }
        self.rows.clone()
    }
}
