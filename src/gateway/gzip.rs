//! Reads along in a gzip stream that is passed on as it is.

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

/// The most bytes that one body may decode to while it is read along; a bomb is passed on but no longer counted.
pub const MAX_DECODED: usize = 64 * 1024 * 1024;

/// A chunk could not be decoded: the data is no gzip or decodes to too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Decodes chunk by chunk, as far as each allows.
#[derive(Debug)]
pub struct GzipDecoder {
    decoder: MultiGzDecoder<Vec<u8>>,
    total: usize,
}

impl Default for GzipDecoder {
    fn default() -> Self {
        Self {
            decoder: MultiGzDecoder::new(Vec::new()),
            total: 0,
        }
    }
}

impl GzipDecoder {
    /// What the stream so far holds beyond what was answered before.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no gzip, or decodes to too much; the stream cannot be read further then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Bytes, Unreadable> {
        for piece in chunk.chunks(4096) {
            self.decoder.write_all(piece).map_err(|_| Unreadable)?;
            self.check()?;
        }
        self.decoder.flush().map_err(|_| Unreadable)?;
        self.check()?;
        let decoded = std::mem::take(self.decoder.get_mut());
        self.total += decoded.len();
        Ok(Bytes::from(decoded))
    }

    fn check(&self) -> Result<(), Unreadable> {
        if self.total + self.decoder.get_ref().len() > MAX_DECODED {
            Err(Unreadable)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    #[test]
    fn unfolds_each_flushed_part_at_once() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let mut decoder = GzipDecoder::default();
        let mut before = 0;
        for part in ["data: one\n\n", "data: two\n\n"] {
            encoder.write_all(part.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let all = encoder.get_ref();
            let text = decoder.push(&all[before..]).unwrap();
            before = all.len();
            assert_eq!(text, part.as_bytes());
        }
    }

    #[test]
    fn refuses_bombs_and_nonsense() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&vec![0; MAX_DECODED + 1]).unwrap();
        let bomb = encoder.finish().unwrap();
        assert_eq!(GzipDecoder::default().push(&bomb), Err(Unreadable));
        let nonsense = GzipDecoder::default().push(b"no gzip at all");
        assert_eq!(nonsense, Err(Unreadable));
    }
}
