//! Reads what the program before this one kept.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::FdFlags;
use serde::de::DeserializeOwned;

use super::FORMAT;
use super::error::HandoverError;
use super::outgoing::{Document, HEAD, MAGIC};
use super::values::{KeptBytes, KeptDescriptor};

/// What was kept. What is not taken out of it is closed with it.
#[derive(Debug)]
pub struct Incoming {
    /// The memory file under its number; None once the way back has it.
    memory: Option<(RawFd, OwnedFd)>,
    document: Document,
    /// None for what has been taken.
    descriptors: Vec<Option<(RawFd, OwnedFd)>>,
    /// The whole memory file.
    bytes: Vec<u8>,
    /// Where the runs of bytes begin in it.
    behind: usize,
}

/// Everything that a program was executed with.
#[derive(Debug)]
pub(super) struct Given {
    /// The number of the memory file.
    pub memory: RawFd,
    /// All of it, each under the number by which the memory file knows it.
    pub held: Vec<OwnedFd>,
}

impl Incoming {
    /// Reads the memory file at a descriptor of this process, and takes over what it names. To be called before anything
    /// else opens descriptors, and once.
    ///
    /// # Errors
    /// [`HandoverError`] where the descriptor holds no state, or one of an unknown form.
    pub fn open(memory: RawFd) -> Result<Self, HandoverError> {
        let number = memory;
        let memory = adopt(number).ok_or(HandoverError::NoState(number))?;
        let mut memory = File::from(memory);
        let (document, bytes, behind) = read(&mut memory)?;
        let descriptors = document
            .descriptors
            .iter()
            .map(|number| adopt(*number).map(|descriptor| (*number, descriptor)))
            .collect();
        Ok(Self {
            memory: Some((number, memory.into())),
            document,
            descriptors,
            bytes,
            behind,
        })
    }

    /// Gives away everything that this program was executed with, the memory file and then the descriptors, and goes on with
    /// doubles. None where it was given away before.
    ///
    /// # Errors
    /// Where there are no descriptors left; nothing is given away then.
    pub(super) fn give_away(&mut self) -> io::Result<Option<Given>> {
        let mut doubles = Vec::new();
        for slot in &self.descriptors {
            doubles.push(match slot {
                Some((number, descriptor)) => {
                    let double = rustix::io::fcntl_dupfd_cloexec(descriptor, 3)?;
                    Some((*number, double))
                }
                None => None,
            });
        }
        let Some((number, memory)) = self.memory.take() else {
            return Ok(None);
        };
        let originals = std::mem::replace(&mut self.descriptors, doubles);
        let originals = originals.into_iter().flatten();
        let held = originals.map(|(_, original)| original);
        Ok(Some(Given {
            memory: number,
            held: [memory].into_iter().chain(held).collect(),
        }))
    }

    /// The version of the program that kept it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.document.version
    }

    /// What a room kept; its default where it kept nothing.
    ///
    /// # Errors
    /// [`HandoverError::Read`] where that is of another shape.
    pub fn room<T: DeserializeOwned + Default>(
        &self,
        room: &'static str,
    ) -> Result<T, HandoverError> {
        match self.document.rooms.get(room) {
            Some(value) => serde_json::from_str(value.get())
                .map_err(|source| HandoverError::Read { room, source }),
            None => Ok(T::default()),
        }
    }

    /// A descriptor that was kept, the first time that it is asked for.
    pub fn descriptor(&mut self, kept: KeptDescriptor) -> Option<OwnedFd> {
        let is_it = |slot: &&mut Option<(RawFd, OwnedFd)>| {
            slot.as_ref().is_some_and(|(number, _)| *number == kept.0)
        };
        let slot = self.descriptors.iter_mut().find(is_it)?;
        slot.take().map(|(_, descriptor)| descriptor)
    }

    /// The bytes that were kept.
    #[must_use]
    pub fn bytes(&self, kept: KeptBytes) -> &[u8] {
        let from = self.behind.saturating_add(kept.at);
        let range = from..from.saturating_add(kept.length);
        self.bytes.get(range).unwrap_or_default()
    }
}

fn read(file: &mut File) -> Result<(Document, Vec<u8>, usize), HandoverError> {
    let length = file.metadata().map_err(HandoverError::Memory)?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // Another program may have read it before, which leaves its place at the end.
    rustix::fs::seek(&*file, rustix::fs::SeekFrom::Start(0))
        .map_err(|error| HandoverError::Memory(error.into()))?;
    file.read_to_end(&mut bytes)
        .map_err(HandoverError::Memory)?;
    let head = bytes
        .get(MAGIC.len()..HEAD)
        .filter(|_| bytes.starts_with(&MAGIC))
        .and_then(|length| length.try_into().ok())
        .and_then(|length| usize::try_from(u64::from_le_bytes(length)).ok());
    let json = head.and_then(|length| Some((length, bytes.get(HEAD..)?.get(..length)?)));
    let Some((length, json)) = json else {
        let source = serde::de::Error::custom("it is no state of tundra");
        return Err(HandoverError::Read {
            room: "document",
            source,
        });
    };
    let document: Document =
        serde_json::from_slice(json).map_err(|source| HandoverError::Read {
            room: "document",
            source,
        })?;
    if document.format != FORMAT {
        return Err(HandoverError::Form {
            found: document.format,
            known: FORMAT,
        });
    }
    Ok((document, bytes, HEAD + length))
}

/// Takes over a descriptor that this process was executed with; None where it is not open.
fn adopt(number: RawFd) -> Option<OwnedFd> {
    if number < 0 {
        return None;
    }
    // SAFETY: the borrow lasts for one call, which answers EBADF where the number is not open.
    #[allow(unsafe_code)]
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(borrowed, FdFlags::CLOEXEC).ok()?;
    // SAFETY: it is open, as was just seen. It was left open over execve(2) for this process to take over, and nothing
    // else here knows its number: `Incoming::open` is called once, before anything else opens descriptors.
    #[allow(unsafe_code)]
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}
