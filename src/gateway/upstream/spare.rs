//! A connection that was opened ahead and has carried nothing, for a request that must have one of its own.
//!
//! A login's request closes its connection behind it, so without a spare one it would wait for name lookup, TCP and TLS
//! each time. There is at most one for each login, and it is closed where no request takes it within a while.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::sleep;

use super::link::{DialError, Link};

/// How long it is kept: the pause between a tool's call and its result, and less than servers wait for a first request.
const KEEP: Duration = Duration::from_secs(45);

/// The place of one spare connection; cheap to clone. Dropping the last clone closes what is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare {
    place: Arc<Mutex<SpareState>>,
    /// Told when a connection of a request is closed.
    closed: Arc<Notify>,
}

#[derive(Debug, Default)]
enum SpareState {
    #[default]
    Empty,
    Opening,
    Held(Held),
}

#[derive(Debug)]
struct Held {
    link: Link,
    /// Tells its keeper, by being dropped, that it is gone.
    _there: oneshot::Sender<Infallible>,
}

impl Spare {
    /// The connection, unless its peer has left or said something in the meantime.
    pub fn take(&self) -> Option<Link> {
        let mut place = lock(&self.place);
        let SpareState::Held(_) = *place else {
            return None;
        };
        let SpareState::Held(mut held) = std::mem::take(&mut *place) else {
            return None;
        };
        let mut cx = Context::from_waker(Waker::noop());
        let is_quiet = held.link.poll_disturbed(&mut cx).is_pending();
        is_quiet.then(|| self.hand_out(held.link))
    }

    /// The connection of a request, whose end is when the next one's is opened.
    pub fn hand_out(&self, link: Link) -> Link {
        link.telling(Arc::clone(&self.closed))
    }

    /// What opens a connection by `dial`, once a request is over, so that it takes nothing from one under way; and keeps it
    /// for 45 s at most, until a request takes it, its peer leaves, or `ending`. `None` where that is under way already.
    pub fn open(
        &self,
        dial: impl Future<Output = Result<Link, DialError>> + Send + 'static,
        ending: impl Future<Output = ()> + Send + 'static,
    ) -> Option<impl Future<Output = ()> + Send + 'static> {
        {
            let mut place = lock(&self.place);
            if !matches!(*place, SpareState::Empty) {
                return None;
            }
            *place = SpareState::Opening;
        }
        let opening = Opening(Arc::downgrade(&self.place));
        let closed = Arc::clone(&self.closed);
        Some(async move {
            let kept = async move {
                closed.notified().await;
                // Who needs a connection opens one, and hears then what is wrong.
                if let Some(taken) = dial.await.ok().and_then(|link| opening.done(link)) {
                    opening.keep(taken).await;
                }
            };
            tokio::select! {
                () = kept => {}
                () = ending => {}
            }
        })
    }
}

fn lock(place: &Mutex<SpareState>) -> MutexGuard<'_, SpareState> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place as its keeper knows it, which is empty again once the keeper is gone.
struct Opening(Weak<Mutex<SpareState>>);

impl Opening {
    /// Puts `link` there; answers what ends once it is gone.
    fn done(&self, link: Link) -> Option<oneshot::Receiver<Infallible>> {
        let place = self.0.upgrade()?;
        let (there, taken) = oneshot::channel();
        *lock(&place) = SpareState::Held(Held {
            link,
            _there: there,
        });
        Some(taken)
    }

    async fn keep(&self, mut taken: oneshot::Receiver<Infallible>) {
        let disturbed = poll_fn(|cx| {
            let Some(place) = self.0.upgrade() else {
                return Poll::Ready(());
            };
            match &mut *lock(&place) {
                SpareState::Held(held) => held.link.poll_disturbed(cx),
                SpareState::Empty | SpareState::Opening => Poll::Ready(()),
            }
        });
        tokio::select! {
            biased;
            _ = &mut taken => return,
            () = disturbed => {}
            () = sleep(KEEP) => {}
        }
        let Some(place) = self.0.upgrade() else {
            return;
        };
        let mut place = lock(&place);
        // Another one may stand there by now.
        if taken.try_recv() == Err(TryRecvError::Empty) {
            *place = SpareState::Empty;
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let Some(place) = self.0.upgrade() else {
            return;
        };
        let mut place = lock(&place);
        if matches!(*place, SpareState::Opening) {
            *place = SpareState::Empty;
        }
    }
}
