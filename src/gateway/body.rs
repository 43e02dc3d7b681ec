//! The body of an answer on its way to the caller.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::keep_alive::KeepAliveBody;
use super::relay::Relay;

/// An answer must be cut rather than look whole.
#[derive(Debug, thiserror::Error)]
#[error("the provider's answer was cut short")]
pub struct Cut;

#[derive(Debug)]
pub enum Body {
    Whole(Option<Bytes>),
    /// A stream that is passed on as it comes.
    Relay(Box<Relay>),
    /// A stream whose provider is still looked for while the caller gets pings.
    KeepAlive(Box<KeepAliveBody>),
}

impl Body {
    pub fn whole(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let polled = match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Self::Relay(relay) => relay.poll_next(cx),
            Self::KeepAlive(stream) => stream.poll_next(cx),
        };
        polled.map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Relay(_) | Self::KeepAlive(_) => SizeHint::default(),
        }
    }
}
