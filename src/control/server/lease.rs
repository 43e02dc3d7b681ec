//! A terminal on loan: words of its lender to the front end, and back.

use std::os::fd::{IntoRawFd as _, OwnedFd};

use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::reply::{TAKEN_WITHIN, line, shutting_down};
use super::requests::Requests;
use crate::api::shapes::ErrorShape;
use crate::control::lend::{LenderLine, OfferShape, ToldLine};
use crate::control::protocol::Reply;
use crate::domain::code::Code;
use crate::runtime::lend::{
    BORROWER_EVENTS, BorrowerEvent, Departure, LENDER_EVENTS, LenderEvent, LentTerminal, Offer,
};

/// Where lent terminals go.
pub(super) type Borrower = mpsc::Sender<LentTerminal>;

/// A connection whose client lends its terminal.
pub(super) struct Lease<'c> {
    pub read: &'c mut Requests,
    pub write: &'c mut OwnedWriteHalf,
    pub stop: &'c CancellationToken,
}

/// How a lease came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseEnd {
    /// The connection is of no more use.
    Over,
    /// The instance ends: the connection is to stay open until the process is gone.
    Ending,
}

impl Lease<'_> {
    /// Hands the terminal over and passes words on until it is given back.
    ///
    /// # Errors
    /// What to answer where the terminal cannot be taken.
    pub async fn serve(
        &mut self,
        offer: OfferShape,
        pid: u32,
        borrower: &Borrower,
    ) -> Result<LeaseEnd, ErrorShape> {
        let (terminal, events, told) = self.accept(offer.into_offer(pid))?;
        tokio::select! {
            sent = borrower.send(terminal) => sent.map_err(|_| shutting_down())?,
            () = self.read.closed() => return Ok(LeaseEnd::Over),
        }
        self.pass(events, told).await
    }

    fn accept(
        &mut self,
        offer: Offer,
    ) -> Result<
        (
            LentTerminal,
            mpsc::Sender<LenderEvent>,
            mpsc::Receiver<BorrowerEvent>,
        ),
        ErrorShape,
    > {
        let descriptors: Result<[OwnedFd; 2], _> = self.read.take_descriptors().try_into();
        let [input, output] = descriptors.map_err(|_| {
            let message =
                "IPC error: a terminal is lent with two descriptors, its input and its output";
            ErrorShape::new(Code::BadRequest, message)
        })?;
        let (events, for_front) = mpsc::channel(LENDER_EVENTS);
        let (from_front, told) = mpsc::channel(BORROWER_EVENTS);
        let terminal = LentTerminal {
            input,
            output,
            offer,
            events: for_front,
            told: from_front,
        };
        Ok((terminal, events, told))
    }

    async fn pass(
        &mut self,
        events: mpsc::Sender<LenderEvent>,
        mut told: mpsc::Receiver<BorrowerEvent>,
    ) -> Result<LeaseEnd, ErrorShape> {
        let mut events = Some(events);
        let mut is_taken = false;
        loop {
            tokio::select! {
                // The last word goes out before the end that it tells of.
                biased;
                word = told.recv() => {
                    let word = match word {
                        Some(word) => word,
                        // The front end dropped it without a word, or ended before it was taken.
                        None if is_taken => BorrowerEvent::Left(Departure::Detached),
                        None => return Err(shutting_down()),
                    };
                    is_taken = true;
                    if let Some(end) = self.tell(word).await {
                        return Ok(end);
                    }
                }
                line = self.read.next(), if events.is_some() => {
                    let event = match line {
                        Ok(Some(line)) => match serde_json::from_slice::<LenderLine>(&line) {
                            Ok(line) => line.into_event(),
                            Err(error) => {
                                tracing::warn!(%error, "a lender's word is not understood");
                                continue;
                            }
                        },
                        Ok(None) | Err(_) => LenderEvent::Gone,
                    };
                    // A front end that has left does not listen any more.
                    if let Some(front) = &events {
                        let _ = front.send(event).await;
                    }
                    if event == LenderEvent::Gone {
                        events = None;
                    }
                }
                () = self.stop.cancelled() => return Ok(LeaseEnd::Over),
            }
        }
    }

    /// Tells the lender; the lease's end where it was the last one.
    async fn tell(&mut self, event: BorrowerEvent) -> Option<LeaseEnd> {
        let end = match &event {
            BorrowerEvent::Shown => None,
            BorrowerEvent::Left(Departure::Ended { .. } | Departure::Failed { ends: true, .. }) => {
                Some(LeaseEnd::Ending)
            }
            BorrowerEvent::Left(
                Departure::Detached
                | Departure::TakenOver { .. }
                | Departure::Suspended
                | Departure::Again
                | Departure::Failed { ends: false, .. },
            ) => Some(LeaseEnd::Over),
        };
        let reply = line(&Reply::Ok(ToldLine::from(event)));
        // A lender that is gone is noticed where its words are read.
        let _ = timeout(TAKEN_WITHIN, self.write.write_all(&reply)).await;
        end
    }
}

/// Keeps a connection open until the process is gone, which is what its client waits for.
pub(super) fn hold_to_the_end(read: Requests, write: OwnedWriteHalf) {
    if let Ok(stream) = read.reunite(write)
        && let Ok(stream) = stream.into_std()
    {
        let _ = stream.into_raw_fd();
    }
}
