//! Reads along in a gzip stream that is passed on as it is.

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

/// The most that one body may decode to while it is read along; a bomb is passed on but no longer counted.
const MAX_DECODED: usize = 64 * 1024 * 1024;

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

    /// Decodes a whole body.
    pub fn whole(body: &[u8]) -> Result<Bytes, Unreadable> {
        let mut decoder = Self::default();
        let text = decoder.push(body)?;
        decoder.decoder.try_finish().map_err(|_| Unreadable)?;
        decoder.check()?;
        let rest = std::mem::take(decoder.decoder.get_mut());
        if rest.is_empty() {
            return Ok(text);
        }
        let mut all = text.to_vec();
        all.extend_from_slice(&rest);
        Ok(Bytes::from(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn compress(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

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
        let bomb = compress(&vec![0; MAX_DECODED + 1]);
        assert!(GzipDecoder::whole(&bomb).is_err());
        assert_eq!(GzipDecoder::whole(b"no gzip at all"), Err(Unreadable));
        let compressed = compress(b"{\"a\":1}");
        assert_eq!(GzipDecoder::whole(&compressed).unwrap(), &b"{\"a\":1}"[..]);
        assert_eq!(
            GzipDecoder::whole(&compressed[..compressed.len() - 9]),
            Err(Unreadable)
        );
    }
}
