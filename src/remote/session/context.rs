//! What a session is told about its viewer, and what it does on the viewer's behalf.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::connection::{
    CloseReason, Connection, Heartbeat, MessageHandler, REPLACED, Stream, TERMINAL_ENDED,
    TUNDRA_ENDS,
};
use super::leaving::AboutToLeave;
use super::registry::{ViewerPermit, ViewerRegistry};
use super::send_rate::EXEMPT;
use crate::domain::fact::{self, Fact, Recorder, Viewer, What};
use crate::domain::terminal::Owner;
use crate::domain::writer::Access;
use crate::pane::{Attachment, OutputCursor, PaneHandle, WaitFor};
use crate::remote::protocol::close;
use crate::remote::service::{Peer, Service};

/// How a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::remote) enum Mode {
    /// Without a subprotocol.
    Plain,
    V1,
}

/// A viewer that has been let in.
pub(in crate::remote) struct ViewerContext {
    pub pane: PaneHandle,
    pub registry: Arc<ViewerRegistry>,
    /// Given back when the context is dropped.
    pub _permit: ViewerPermit,
    pub access: Access,
    /// For the log.
    pub peer: String,
    /// For the history.
    pub origin: fact::Peer,
    pub recorder: Arc<dyn Recorder>,
    /// Cancelled when tundra ends.
    pub stop: CancellationToken,
    /// Cancelled when another program is to go on in this one's place.
    pub upgrade: CancellationToken,
}

impl ViewerContext {
    pub fn new(
        service: &Service,
        pane: PaneHandle,
        permit: ViewerPermit,
        access: Access,
        peer: Peer,
    ) -> Self {
        Self {
            pane,
            registry: Arc::clone(&service.registry),
            _permit: permit,
            access,
            peer: peer.to_string(),
            origin: peer.origin(),
            recorder: service.services.store.recorder(),
            stop: service.stop.clone(),
            upgrade: service.upgrade.clone(),
        }
    }

    /// The clocks of this session, as the configuration has them now.
    pub(super) fn heartbeat(&self) -> Heartbeat {
        let options = self.registry.options();
        Heartbeat {
            interval: options.heartbeat_interval,
            pong_timeout: options.pong_timeout,
            idle_timeout: options.idle_timeout,
        }
    }

    /// How long this session waits for others before it sends on; None where it need not.
    pub fn send_delay(&self, output: &OutputCursor) -> Option<Duration> {
        if output.backlog() <= EXEMPT {
            return None;
        }
        self.registry.send_rate().delay(Instant::now())
    }

    /// Draws what was sent from what all sessions together may send.
    pub fn count_sent(&self, bytes: usize) {
        self.registry.send_rate().count(bytes, Instant::now());
    }

    /// Attaches to the terminal, and tells so in the log and in the history.
    ///
    /// # Errors
    /// The reason to close with, where the terminal has ended.
    pub(super) fn attach(&self, access: Access) -> Result<Attachment, CloseReason> {
        let attachment = self.pane.attach(access).map_err(|_| TERMINAL_ENDED)?;
        self.log_attached(&attachment);
        Ok(attachment)
    }

    /// Reads and writes side by side until one of them comes to its end, the clock says so, another socket takes this
    /// one's place, or tundra ends. What is being written then is written whole. Whoever comes back meanwhile waits until
    /// the session has left, when what is answered beside the reason is dropped.
    pub(super) async fn run<S, H>(
        &self,
        connection: &Connection,
        stream: &mut Stream<S>,
        handler: &mut H,
        writing: impl Future<Output = CloseReason>,
        replaced: &CancellationToken,
    ) -> (CloseReason, AboutToLeave<'_>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        H: MessageHandler,
    {
        tokio::pin!(writing);
        let reason = tokio::select! {
            reason = connection.receive(stream, handler) => reason,
            reason = &mut writing => reason,
            reason = connection.keep_time(self.heartbeat()) => reason,
            () = replaced.cancelled() => REPLACED,
            () = self.upgrade.cancelled() => connection.leave(),
            () = self.stop.cancelled() => TUNDRA_ENDS,
        };
        let leaving = self.registry.leaving().begin(self.pane.id());
        connection.finish(writing).await;
        (reason, leaving)
    }

    fn log_attached(&self, attachment: &Attachment) {
        let (id, viewer, access) = (self.pane.id(), attachment.id(), attachment.access());
        info!(%id, peer = self.peer, %viewer, ?access, "viewer attached");
        self.record(What::ViewerAttached {
            terminal: id,
            viewer: self.viewer(attachment),
        });
    }

    fn viewer(&self, attachment: &Attachment) -> Viewer {
        Viewer {
            peer: self.origin,
            client: attachment.id().to_string(),
        }
    }

    fn record(&self, what: What) {
        self.recorder.record(Fact::at(Timestamp::now(), what));
    }

    /// Detaches. A writer that was cut off keeps its place for the grace; a terminal that nobody else needs begins its own.
    pub(super) fn leave(
        &self,
        attachment: &mut Attachment,
        left_off: Option<u64>,
        reason: &CloseReason,
    ) {
        let grace = self.registry.options().reconnect_grace;
        let keep_for = reason.is_cut().then_some(grace);
        let nobody_left = attachment.leave(left_off, keep_for);
        if keep_for.is_some() {
            self.registry.expire_writer_after(&self.pane, grace);
        }
        if *reason != CloseReason::GoesOver {
            self.record(What::ViewerDetached {
                terminal: self.pane.id(),
                viewer: self.viewer(attachment),
            });
        }
        let idle = matches!(reason, CloseReason::Server { code, .. } if *code == close::IDLE);
        let facts = self.pane.info();
        if nobody_left && !idle && facts.owner == Owner::Remote && !facts.persistent {
            self.registry.end_after_grace(&self.pane);
        }
    }

    /// Waits until everybody else sees the terminal dead, too.
    pub(super) async fn terminal_ended(&self) -> CloseReason {
        self.pane.wait(WaitFor::Exit).await;
        TERMINAL_ENDED
    }
}
