//! Collects what is to be kept, and writes it into a memory file.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

use super::FORMAT;
use super::error::HandoverError;
use super::values::{KeptBytes, KeptDescriptor};
use crate::runtime::fault;

/// How the memory file begins.
pub(super) const MAGIC: [u8; 8] = *b"tundra\0\x01";
/// The magic, and the length of the JSON.
pub(super) const HEAD: usize = MAGIC.len() + size_of::<u64>();

/// What the JSON says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    pub format: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// Every descriptor that goes over.
    pub descriptors: Vec<i32>,
    /// What each room keeps, in its own shapes.
    pub rooms: BTreeMap<String, Box<RawValue>>,
}

/// What is to be kept, while it is being collected.
#[derive(Debug)]
pub struct Outgoing {
    document: Document,
    descriptors: Vec<OwnedFd>,
    bytes: Vec<u8>,
}

/// Everything that goes over, ready for the next program.
#[derive(Debug)]
pub struct Sealed {
    pub(super) memory: OwnedFd,
    pub(super) descriptors: Vec<OwnedFd>,
}

impl Outgoing {
    /// Nothing yet. `version` is this program's.
    #[must_use]
    pub fn new(version: &str) -> Self {
        Self {
            document: Document {
                format: FORMAT,
                version: version.to_owned(),
                ..Document::default()
            },
            descriptors: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Lets a descriptor go over, under the number that it has.
    pub fn descriptor(&mut self, descriptor: OwnedFd) -> KeptDescriptor {
        let kept = KeptDescriptor(descriptor.as_raw_fd());
        self.document.descriptors.push(kept.0);
        self.descriptors.push(descriptor);
        kept
    }

    /// Keeps bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> KeptBytes {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        KeptBytes {
            at,
            length: bytes.len(),
        }
    }

    /// Keeps what a room says.
    ///
    /// # Errors
    /// [`HandoverError::Written`] where the shape has no form in JSON.
    pub fn room(
        &mut self,
        room: &'static str,
        shape: &impl Serialize,
    ) -> Result<(), HandoverError> {
        let value = if fault::detail_of("version").is_some() {
            serde_json::to_value(shape)
                .map(of_another_version)
                .and_then(|value| to_raw_value(&value))
        } else {
            to_raw_value(shape)
        };
        let value = value.map_err(|source| HandoverError::Written { room, source })?;
        self.document.rooms.insert(room.to_owned(), value);
        Ok(())
    }

    /// Writes all of it into a memory file that nobody can change any more.
    ///
    /// # Errors
    /// [`HandoverError::Memory`] where there is no memory file, or no room in it.
    pub fn seal(self) -> Result<Sealed, HandoverError> {
        let json = serde_json::to_vec(&self.document).map_err(|source| HandoverError::Written {
            room: "document",
            source,
        })?;
        let memory = write(&json, &self.bytes).map_err(HandoverError::Memory)?;
        Ok(Sealed {
            memory,
            descriptors: self.descriptors,
        })
    }
}

/// The same as a test's program of another version would write it: with a key in every object that nobody knows.
fn of_another_version(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            // What has other names is a map, whose keys are not the program's.
            let is_field =
                |name: &String| name.bytes().all(|b| b == b'_' || b.is_ascii_lowercase());
            let is_shape = !fields.is_empty() && fields.keys().all(is_field);
            let strange = ("of_another_version".to_owned(), Value::from("strange"));
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, of_another_version(value)));
            fields.chain(is_shape.then_some(strange)).collect()
        }
        Value::Array(values) => values.into_iter().map(of_another_version).collect(),
        plain => plain,
    }
}

fn write(json: &[u8], bytes: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(rustix::fs::memfd_create("tundra-state", flags)?);
    let length = u64::try_from(json.len()).map_err(io::Error::other)?;
    let length = length.to_le_bytes();
    let parts = [&MAGIC[..], &length, json, bytes];
    let mut parts = parts.map(IoSlice::new);
    let mut left = &mut parts[..];
    while !left.is_empty() {
        match file.write_vectored(left)? {
            0 if left.iter().all(|part| part.is_empty()) => break,
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut left, written),
        }
    }
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
    )?;
    Ok(file.into())
}
