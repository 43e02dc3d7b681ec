//! What operations ask of the front end.

use std::pin::Pin;

use crate::api::Front;
use crate::api::shapes::FrontShape;
use crate::tui::FrontHandle;

/// The front end as operations see it.
#[derive(Debug)]
pub(super) struct FrontOperations(pub FrontHandle);

impl Front for FrontOperations {
    fn shape(&self) -> FrontShape {
        self.0
            .status()
            .map_or_else(FrontShape::default, |status| FrontShape {
                attached: true,
                since: Some(status.since),
                tty: Some(status.tty),
                cols: Some(status.cols),
                rows: Some(status.rows),
                pid: Some(status.pid),
            })
    }

    fn detach(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.detach())
    }

    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.stop())
    }
}
