//! Tab stops (HTS, TBC, DECST8C).

pub(super) struct Tabs {
    stops: Vec<bool>,
}

impl Tabs {
    /// A stop in every eighth column.
    pub fn new(cols: u16) -> Self {
        let mut tabs = Self { stops: Vec::new() };
        tabs.resize(cols);
        tabs
    }

    /// Keeps the stops that there are; new columns get the default ones.
    pub fn resize(&mut self, cols: u16) {
        let old = self.stops.len();
        self.stops.truncate(usize::from(cols));
        self.stops
            .extend((old..usize::from(cols)).map(|col| col % 8 == 0));
    }

    /// For each column whether it is a stop.
    pub fn stops(&self) -> &[bool] {
        &self.stops
    }

    pub fn reset(&mut self) {
        for (col, stop) in self.stops.iter_mut().enumerate() {
            *stop = col % 8 == 0;
        }
    }

    pub fn set(&mut self, col: u16, stop: bool) {
        if let Some(slot) = self.stops.get_mut(usize::from(col)) {
            *slot = stop;
        }
    }

    pub fn clear(&mut self) {
        self.stops.fill(false);
    }

    /// The stop after `col`, or the last column.
    pub fn next(&self, col: u16) -> u16 {
        let from = usize::from(col) + 1;
        let next = self.stops.iter().skip(from).position(|stop| *stop);
        let last = self.stops.len().saturating_sub(1);
        column(next.map_or(last, |distance| from + distance))
    }

    /// The stop before `col`, or the first column.
    pub fn previous(&self, col: u16) -> u16 {
        column(
            self.stops
                .iter()
                .take(usize::from(col))
                .rposition(|stop| *stop)
                .unwrap_or(0),
        )
    }
}

fn column(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
