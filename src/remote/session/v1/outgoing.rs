//! What goes to a client: output at its own pace, snapshots, and answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use crate::domain::terminal::Exit;
use crate::domain::writer::{Access, Writer};
use crate::pane::{Attachment, Keyframe, Next, OutputCursor, WaitFor};
use crate::remote::protocol::{
    ACK_TIMEOUT, MAX_OUTPUT, Notice, Role, STALL, ToClient, WINDOW, WriterName, close, output_head,
};
use crate::remote::session::client::Client;
use crate::remote::session::connection::{CloseReason, Connection, Sink, TERMINAL_ENDED};
use crate::remote::session::context::ViewerContext;
use crate::remote::session::flow::Flow;

/// Rows of history with the first snapshot: what a person may want to scroll back to at once.
const FIRST_HISTORY: usize = 1000;
/// Rows of history with a snapshot for one who has fallen behind, which must stay small.
const BEHIND_HISTORY: usize = 100;
/// A client that stalled and has less than this to read does so; more is skipped by a snapshot.
const CATCH_UP: u64 = 64 * 1024;
/// Output that follows other output this soon is sent with what comes after it.
const COALESCE: Duration = Duration::from_millis(4);

/// What a client is told first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Beginning {
    /// It has just attached, and has the output up to that number; None for nothing of it.
    Attach(Option<u64>),
    /// It was attached in another program, and was sent the output up to that number; None for nothing of it.
    GoOn(Option<u64>),
}

/// What goes to one client.
pub(super) struct Outgoing<'s, S> {
    pub sink: &'s mut Sink<S>,
    pub connection: &'s Connection,
    pub flow: &'s Flow,
    pub attachment: &'s Attachment,
    pub viewer: &'s ViewerContext,
    pub replies: &'s mut mpsc::Receiver<Message>,
    pub writer: watch::Receiver<Option<Writer>>,
    pub client: &'s Arc<Client>,
    pub last_sent: Option<Instant>,
}

impl<S> Outgoing<'_, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    pub async fn run(mut self, beginning: Beginning) -> CloseReason {
        match self.stream(beginning).await {
            Ok(()) => TERMINAL_ENDED,
            Err(reason) => reason,
        }
    }

    /// Sends everything until the terminal ends.
    async fn stream(&mut self, beginning: Beginning) -> Result<(), CloseReason> {
        let mut output = self.begin(beginning).await?;
        let mut stalled: Option<Instant> = None;
        let mut behind = false;
        loop {
            while let Ok(reply) = self.replies.try_recv() {
                self.connection.send(self.sink, reply).await?;
            }
            let acked = self.flow.now();
            let waited = acked.waiting_since.map(|since| since + ACK_TIMEOUT);
            if waited.is_some_and(|until| until <= Instant::now()) {
                return Err(CloseReason::server(
                    close::TRY_AGAIN,
                    "nothing was acknowledged for 30 s",
                ));
            }
            if acked.unacked() >= acked.window().unwrap_or(WINDOW) {
                let since = *stalled.get_or_insert_with(Instant::now);
                behind |= since.elapsed() >= STALL;
                let wake = if behind { waited } else { Some(since + STALL) };
                self.wait(None, wake).await?;
                continue;
            }
            stalled = None;
            if std::mem::take(&mut behind) && output.backlog() > CATCH_UP {
                self.catch_up(&mut output).await?;
                continue;
            }
            if let Some(pause) = self.viewer.send_delay(&output) {
                self.wait(None, Some(Instant::now() + pause)).await?;
                continue;
            }
            let mut frame = Vec::with_capacity(64);
            output_head(output.next(), &mut frame);
            match output.take(MAX_OUTPUT, &mut frame) {
                Next::Bytes => {
                    self.viewer.count_sent(frame.len());
                    self.flow.sent(output.next());
                    self.connection
                        .send_output(self.sink, frame.into(), output.next())
                        .await?;
                    self.last_sent = Some(Instant::now());
                }
                Next::Keyframe(keyframe) => self.send_snapshot(&keyframe).await?,
                Next::Behind => self.catch_up(&mut output).await?,
                Next::End => return self.send_exit().await,
                Next::Nothing => {
                    self.wait(Some(&mut output), waited).await?;
                    self.coalesce(&output).await?;
                }
            }
        }
    }

    /// Goes on where the client is, or begins with a snapshot.
    async fn begin(&mut self, beginning: Beginning) -> Result<OutputCursor, CloseReason> {
        // What another program had under way for this socket goes first.
        self.connection.flush(self.sink).await?;
        let (Beginning::Attach(next) | Beginning::GoOn(next)) = beginning;
        let resumed = next.and_then(|next| self.viewer.pane.output_from(next));
        let was_resumed = resumed.is_some();
        let (keyframe, output) = if let Some(output) = resumed {
            (None, output)
        } else {
            let fresh = self.viewer.pane.output(FIRST_HISTORY).await;
            let (keyframe, output) = fresh.map_err(|_| TERMINAL_ENDED)?;
            (Some(keyframe), output)
        };
        self.flow.begin(output.next());
        match beginning {
            Beginning::Attach(_) => {
                let attached = Notice::Attached {
                    resumed: was_resumed,
                    next_seq: output.next(),
                    input_id: self.client.input_id(),
                    read_only: self.attachment.access() == Access::ReadOnly,
                };
                self.connection
                    .send(self.sink, attached.to_message())
                    .await?;
            }
            Beginning::GoOn(_) if was_resumed => self.connection.set_written(output.next()),
            Beginning::GoOn(_) => {}
        }
        let writer = *self.writer.borrow_and_update();
        self.send_role(writer).await?;
        if let Some(keyframe) = keyframe {
            self.send_snapshot(&keyframe).await?;
        }
        Ok(output)
    }

    /// Waits until there is something to do, or until a moment.
    async fn wait(
        &mut self,
        output: Option<&mut OutputCursor>,
        until: Option<Instant>,
    ) -> Result<(), CloseReason> {
        let more = async {
            match output {
                Some(output) => output.changed().await,
                None => std::future::pending().await,
            }
        };
        let clock = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            reply = self.replies.recv() => match reply {
                Some(reply) => self.connection.send(self.sink, reply).await,
                None => Ok(()),
            },
            changed = self.writer.changed() => {
                if changed.is_err() {
                    return std::future::pending().await;
                }
                let writer = *self.writer.borrow_and_update();
                self.send_role(writer).await
            }
            () = self.flow.changed.notified() => Ok(()),
            () = more => Ok(()),
            () = clock => Ok(()),
        }
    }

    /// Lets output that comes in small pieces gather for a moment, unless it is the first after a pause or after something
    /// that the client typed.
    async fn coalesce(&mut self, output: &OutputCursor) -> Result<(), CloseReason> {
        let Some(due) = self.last_sent.map(|at| at + COALESCE) else {
            return Ok(());
        };
        let is_little = || (1..MAX_OUTPUT as u64).contains(&output.backlog());
        if is_little() && self.connection.take_echo() {
            return Ok(());
        }
        while Instant::now() < due && is_little() {
            self.wait(None, Some(due)).await?;
        }
        Ok(())
    }

    async fn catch_up(&mut self, output: &mut OutputCursor) -> Result<(), CloseReason> {
        let Some(keyframe) = output.keyframe(BEHIND_HISTORY).await else {
            return Err(TERMINAL_ENDED);
        };
        self.send_snapshot(&keyframe).await
    }

    async fn send_snapshot(&mut self, keyframe: &Keyframe) -> Result<(), CloseReason> {
        self.viewer.count_sent(keyframe.bytes.len());
        let frame = ToClient::Snapshot {
            seq: keyframe.seq,
            size: keyframe.size,
            bytes: keyframe.bytes.clone(),
        };
        self.flow.skipped(keyframe.seq);
        self.connection
            .send_output(self.sink, frame.encode(), keyframe.seq)
            .await
    }

    async fn send_role(&mut self, writer: Option<Writer>) -> Result<(), CloseReason> {
        let mine = writer == Some(Writer::Viewer(self.attachment.id()));
        let notice = Notice::Role {
            role: if mine { Role::Writer } else { Role::Viewer },
            writer: writer.map(|writer| match writer {
                Writer::Front => WriterName::Front,
                Writer::Viewer(_) if mine => WriterName::You,
                Writer::Viewer(_) => WriterName::Viewer,
            }),
        };
        self.connection.send(self.sink, notice.to_message()).await
    }

    async fn send_exit(&mut self) -> Result<(), CloseReason> {
        self.viewer.pane.wait(WaitFor::Exit).await;
        let (code, signal) = match self.viewer.pane.info().exit {
            Some(Exit::Code(code)) => (Some(code), None),
            Some(Exit::Signal(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        let notice = Notice::Exit { code, signal };
        self.connection.send(self.sink, notice.to_message()).await
    }
}
