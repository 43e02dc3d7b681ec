//! Where things stand while lines are wrapped at another width.

use super::motion::Place;

/// The places that copy mode refers to, as of one count of rewraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub cursor: Place,
    /// The first row in view.
    pub top: u64,
    /// The newest line was in view.
    pub at_bottom: bool,
    pub anchor: Option<Place>,
    pub pressed: Option<Place>,
}

impl Held {
    /// To be asked about, in an order that [`Self::moved`] knows.
    pub fn places(&self) -> Vec<(u64, u16)> {
        let mut places = vec![(self.cursor.row, self.cursor.col), (self.top, 0)];
        let more = [self.anchor, self.pressed];
        places.extend(
            more.into_iter()
                .flatten()
                .map(|place| (place.row, place.col)),
        );
        places
    }

    /// The same places where they are now.
    pub fn moved(mut self, places: &[(u64, u16)]) -> Self {
        let mut places = places.iter().map(|(row, col)| Place {
            row: *row,
            col: *col,
        });
        if let Some(cursor) = places.next() {
            self.cursor = cursor;
        }
        if let Some(top) = places.next() {
            self.top = top.row;
        }
        for place in [&mut self.anchor, &mut self.pressed] {
            if place.is_some() {
                *place = places.next().or(*place);
            }
        }
        self
    }
}
