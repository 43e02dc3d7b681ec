//! Writes frames to the outer terminal: one frame in flight, never a queue.
//!
//! A frame that the terminal takes at once is written where it was drawn, which spares it the way through another thread.
//! What the terminal does not take is left to a thread that waits for it. While a frame is in flight the front end draws nothing and only remembers that something changed, so a terminal
//! that stops reading costs one frame of memory and is brought up to date by the next one.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::PipeFlags;
use tokio::sync::mpsc;

/// A full repaint in colour is some 100 KB; a buffer beyond this is not kept around.
const KEEP_BYTES: usize = 256 * 1024;

/// The slot in front of the writer thread.
#[derive(Debug)]
pub struct Writer {
    /// A description of the terminal of its own, so that not blocking is nobody else's concern; None where it cannot be
    /// opened anew.
    direct: Option<OwnedFd>,
    frames: SyncSender<Vec<u8>>,
    written: mpsc::Receiver<io::Result<Vec<u8>>>,
    spare: Vec<u8>,
    in_flight: bool,
    /// Closing it ends the thread, also one that waits for a terminal which does not read.
    _stop: OwnedFd,
}

impl Writer {
    /// Starts the thread behind it. `direct` is a description of the terminal of its own.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn spawn(output: OwnedFd, direct: Option<OwnedFd>) -> io::Result<Self> {
        let (stopped, stop) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let output = match &direct {
            Some(direct) => direct.try_clone()?,
            None => output,
        };
        let (frames, from_front) = sync_channel(1);
        let (to_front, written) = mpsc::channel(1);
        std::thread::Builder::new()
            .name("tui-output".to_owned())
            .stack_size(128 * 1024)
            .spawn(move || write_frames(&output, &stopped, &from_front, &to_front))?;
        Ok(Self {
            direct,
            frames,
            written,
            spare: Vec::new(),
            in_flight: false,
            _stop: stop,
        })
    }

    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.in_flight
    }

    /// An empty buffer to fill; its memory is used again.
    #[must_use]
    pub fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    /// Hands a frame over. To be called while idle; a frame handed over while one is in flight is dropped.
    pub fn send(&mut self, mut frame: Vec<u8>) {
        debug_assert!(!self.in_flight);
        if let Some(direct) = &self.direct {
            // A fault is met again, and told, by the thread.
            let taken = rustix::io::write(direct, &frame).unwrap_or(0);
            frame.drain(..taken);
            if frame.is_empty() {
                frame.shrink_to(KEEP_BYTES);
                self.spare = frame;
                return;
            }
        }
        self.in_flight = self.frames.try_send(frame).is_ok();
    }

    /// Waits until the frame in flight is written; forever if there is none. Cancel-safe.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn finished(&mut self) -> io::Result<()> {
        if !self.in_flight {
            std::future::pending::<()>().await;
        }
        let result = self.written.recv().await;
        self.in_flight = false;
        match result {
            Some(Ok(mut buffer)) => {
                buffer.clear();
                buffer.shrink_to(KEEP_BYTES);
                self.spare = buffer;
                Ok(())
            }
            Some(Err(error)) => Err(error),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

fn write_frames(
    output: &OwnedFd,
    stopped: &OwnedFd,
    frames: &Receiver<Vec<u8>>,
    written: &mpsc::Sender<io::Result<Vec<u8>>>,
) {
    while let Ok(frame) = frames.recv() {
        let result = write_all(output, stopped, &frame);
        if written.blocking_send(result.map(|()| frame)).is_err() {
            return;
        }
    }
}

fn write_all(output: &OwnedFd, stopped: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(output, bytes) {
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let mut fds = [
                    PollFd::new(output, PollFlags::OUT),
                    PollFd::new(stopped, PollFlags::IN),
                ];
                let _ = poll(&mut fds, None);
                if !fds[1].revents().is_empty() {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
