//! Whole bodies that come compressed (RFC 9110 8.4): decoded beside their way on, to know what they hold. A stream is read
//! along by [`super::gzip`].

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use thiserror::Error;

use crate::domain::printable::printable_start;

/// What `Accept-Encoding` tells whoever sent another one.
pub const TAKEN: &str = "gzip, deflate, zstd, identity";
/// The largest window that a zstd frame may ask for, as a power of two: 8 MiB, as RFC 8878 advises.
const ZSTD_WINDOW: u32 = 23;
/// How much of a caller's word an error repeats, in characters.
const MOST_TOLD: usize = 40;

/// A coding that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    Gzip,
    Deflate,
    Zstd,
}

/// Why a body cannot be decoded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CodingError {
    #[error("content-encoding {0} is not taken; {TAKEN} are")]
    Unknown(String),
    #[error("the body is larger than {0} bytes when it is decoded")]
    TooLarge(usize),
    #[error("the body is not whole {coding} data: {cause}")]
    Broken { coding: &'static str, cause: String },
}

impl ContentCoding {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }

    /// The coding that a message's headers name; `None` for a body as it is.
    ///
    /// # Errors
    ///
    /// For a coding that is not read, or several on top of each other.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, CodingError> {
        let mut found = None;
        for value in headers.get_all(CONTENT_ENCODING) {
            let text = value.to_str().unwrap_or("?");
            for name in text.split(',').map(str::trim) {
                let coding = match name.to_ascii_lowercase().as_str() {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    "zstd" => Self::Zstd,
                    _ => return Err(CodingError::Unknown(printable_start(name, MOST_TOLD))),
                };
                if found.replace(coding).is_some() {
                    return Err(CodingError::Unknown(printable_start(text, MOST_TOLD)));
                }
            }
        }
        Ok(found)
    }

    /// The whole body without its coding, at most `most` bytes.
    ///
    /// # Errors
    ///
    /// Where it is no data of this coding, ends early, or is larger.
    pub fn decode(self, body: &[u8], most: usize) -> Result<Bytes, CodingError> {
        match self {
            Self::Gzip => self.read(body, MultiGzDecoder::new(body), most),
            // Named deflate, it is zlib's format; some senders leave its frame out (RFC 9110 8.4.1.2).
            Self::Deflate => match self.read(body, ZlibDecoder::new(body), most) {
                Err(CodingError::Broken { .. }) => self.read(body, DeflateDecoder::new(body), most),
                decoded => decoded,
            },
            Self::Zstd => {
                let broken = |error| self.broken(&error);
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(broken)?;
                decoder.window_log_max(ZSTD_WINDOW).map_err(broken)?;
                self.read(body, decoder, most)
            }
        }
    }

    fn broken(self, error: &std::io::Error) -> CodingError {
        CodingError::Broken {
            coding: self.as_str(),
            cause: printable_start(&error.to_string(), MOST_TOLD),
        }
    }

    fn read(self, body: &[u8], source: impl Read, most: usize) -> Result<Bytes, CodingError> {
        // Texts of agents shrink to a fourth or less; one that says its size saves the copies of a growing buffer.
        let expected = match self {
            Self::Zstd => declared_size(body),
            Self::Gzip | Self::Deflate => None,
        };
        let expected = expected.unwrap_or(body.len().saturating_mul(4));
        let mut text = Vec::with_capacity(expected.min(body.len().saturating_mul(64)).min(most));
        let room = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        source
            .take(room)
            .read_to_end(&mut text)
            .map_err(|error| self.broken(&error))?;
        if text.len() > most {
            return Err(CodingError::TooLarge(most));
        }
        Ok(text.into())
    }
}

/// How long a zstd frame says that it is; many senders do not say.
fn declared_size(body: &[u8]) -> Option<usize> {
    let size = zstd::zstd_safe::get_frame_content_size(body).ok()??;
    usize::try_from(size).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    const TEXT: &[u8] = b"{\"model\":\"m\",\"messages\":[]}";

    fn named(values: &[&'static str]) -> HeaderMap {
        let values = values.iter();
        values
            .map(|value| (CONTENT_ENCODING, HeaderValue::from_static(value)))
            .collect()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_coding_that_is_told_is_read() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();
        let zstd = zstd::encode_all(TEXT, 3).unwrap();
        for (name, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("zstd", zstd),
        ] {
            let coding = ContentCoding::of(&named(&[name])).unwrap().unwrap();
            assert_eq!(coding.decode(&body, TEXT.len()).unwrap(), TEXT, "{name}");
            let small = coding.decode(&body, TEXT.len() - 1).unwrap_err();
            assert!(matches!(small, CodingError::TooLarge(_)), "{name}: {small}");
            let cut = coding.decode(&body[..body.len() - 4], 1000).unwrap_err();
            assert!(matches!(cut, CodingError::Broken { .. }), "{name}: {cut}");
        }
    }

    #[test]
    fn no_coding_is_none_and_others_are_refused_by_name() {
        assert_eq!(ContentCoding::of(&named(&[])).unwrap(), None);
        assert_eq!(ContentCoding::of(&named(&["identity"])).unwrap(), None);
        for (values, told) in [
            (&["br"][..], "br"),
            (&["gzip, zstd"], "gzip, zstd"),
            (&["gzip", "gzip"], "gzip"),
        ] {
            let refused = ContentCoding::of(&named(values)).unwrap_err().to_string();
            let expected = format!("content-encoding {told} is not taken; {TAKEN} are");
            assert_eq!(refused, expected);
        }
    }

    #[test]
    fn what_swells_without_end_takes_no_more_than_its_room() {
        let zeros = vec![0; 10 << 20];
        let coding = ContentCoding::Zstd;
        let body = zstd::encode_all(&zeros[..], 3).unwrap();
        assert!(matches!(
            coding.decode(&body, 1 << 20),
            Err(CodingError::TooLarge(_))
        ));
        let body = gzip(&zeros);
        let coding = ContentCoding::Gzip;
        assert!(matches!(
            coding.decode(&body, 1 << 20),
            Err(CodingError::TooLarge(_))
        ));
    }
}
