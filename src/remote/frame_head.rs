//! The beginning of a WebSocket frame (RFC 6455, section 5.2), as far as one must know where the frame ends.

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    /// Of the whole frame, its head included, in bytes.
    pub length: u64,
    /// The last part of its message.
    pub is_last: bool,
    /// A ping, a pong or a close, which may stand between the parts of a message.
    pub is_control: bool,
}

impl FrameHead {
    /// The head of the frame that begins with these bytes; None where they are too few to tell.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else {
            return None;
        };
        let (extended, payload) = match second & 0x7f {
            126 => {
                let (length, _) = rest.split_first_chunk()?;
                (2, u64::from(u16::from_be_bytes(*length)))
            }
            127 => {
                let (length, _) = rest.split_first_chunk()?;
                (8, u64::from_be_bytes(*length))
            }
            length => (0, u64::from(length)),
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        Some(Self {
            length: payload.saturating_add(2 + extended + mask),
            is_last: first & 0x80 != 0,
            is_control: first & 0x08 != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_length_is_read() {
        let head = |length, is_last, is_control| {
            Some(FrameHead {
                length,
                is_last,
                is_control,
            })
        };
        assert_eq!(FrameHead::parse(&[0x82]), None);
        assert_eq!(FrameHead::parse(&[0x82, 0x85]), head(11, true, false));
        assert_eq!(FrameHead::parse(&[0x01, 5]), head(7, false, false));
        assert_eq!(FrameHead::parse(&[0x89, 0x80]), head(6, true, true));
        assert_eq!(FrameHead::parse(&[0x82, 0xfe, 1]), None);
        assert_eq!(
            FrameHead::parse(&[0x82, 0xfe, 1, 0]),
            head(264, true, false)
        );
        let long = [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(FrameHead::parse(&long), head(65_550, true, false));
        assert_eq!(FrameHead::parse(&long[..9]), None);
    }
}
