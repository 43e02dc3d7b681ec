//! The screens of the panes that are to be seen.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use crate::domain::id::TerminalId;
use crate::domain::screen::ScreenSnapshot;
use crate::pane::{Pool, ScreenWatch};
use crate::tui::model::Model;

/// One watch for each pane on the screen; a pane that nobody sees publishes nothing.
#[derive(Debug, Default)]
pub(super) struct Watches {
    watches: Vec<(TerminalId, Watch)>,
}

#[derive(Debug)]
struct Watch {
    screen: ScreenWatch,
    /// Its first screen has been handed on.
    begun: bool,
    /// The pane has ended; there will be no more.
    over: bool,
}

impl Watches {
    /// Watches exactly the panes that are to be seen.
    pub(super) fn keep(&mut self, pool: &Pool, model: &Model) {
        let visible = model.visible();
        self.watches
            .retain(|(id, _)| visible.iter().any(|(seen, _)| seen == id));
        for (id, _) in visible {
            if self.watches.iter().any(|(watched, _)| *watched == id) {
                continue;
            }
            if let Some(pane) = pool.get(id) {
                let watch = Watch {
                    screen: pane.watch(),
                    begun: false,
                    over: false,
                };
                self.watches.push((id, watch));
            }
        }
    }

    /// The screen of a pane as it is now.
    pub(super) fn last(&self, id: TerminalId) -> Option<Arc<ScreenSnapshot>> {
        self.watches
            .iter()
            .find(|(watched, _)| *watched == id)
            .map(|(_, watch)| watch.screen.latest())
    }

    /// Waits for some pane's newer screen. Cancel-safe.
    pub(super) async fn changed(&mut self) -> (TerminalId, Arc<ScreenSnapshot>) {
        for (id, watch) in &mut self.watches {
            if !std::mem::replace(&mut watch.begun, true) {
                return (*id, watch.screen.latest());
            }
        }
        loop {
            let index = first_change(&mut self.watches).await;
            if let Some((id, watch)) = self.watches.get_mut(index)
                && !watch.over
            {
                return (*id, watch.screen.latest());
            }
        }
    }
}

/// The index of the first watch that changed or ended.
async fn first_change(watches: &mut [(TerminalId, Watch)]) -> usize {
    let mut waits: Vec<_> = watches
        .iter_mut()
        .enumerate()
        .filter(|(_, (_, watch))| !watch.over)
        .map(|(index, (_, watch))| {
            Box::pin(async move {
                watch.over = !watch.screen.changed().await;
                index
            })
        })
        .collect();
    poll_fn(|context| {
        for wait in &mut waits {
            if let Poll::Ready(index) = pin!(wait).poll(context) {
                return Poll::Ready(index);
            }
        }
        Poll::Pending
    })
    .await
}
