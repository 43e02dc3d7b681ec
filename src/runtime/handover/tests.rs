use std::io::{Read, Write};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::*;
use crate::runtime::encoded_path::EncodedPath;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    name: String,
    screen: KeptBytes,
    pipe: Option<KeptDescriptor>,
    path: EncodedPath,
}

/// A program of another version: it knows one key less and one more.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Other {
    name: String,
    color: u8,
}

#[test]
fn shapes_bytes_and_descriptors_go_over_and_versions_may_differ() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut out = Outgoing::new("1.2.3");
    out.bytes(b"before");
    let kept = Kept {
        name: "one".to_owned(),
        screen: out.bytes(b"\x1b[1m\0\xff"),
        pipe: Some(out.descriptor(reader.into())),
        path: PathBuf::from("/a/b").into(),
    };
    out.room("pane", &kept).unwrap();
    let Sealed {
        memory,
        descriptors,
    } = out.seal().unwrap();
    assert_eq!(
        rustix::io::write(&memory, b"x"),
        Err(rustix::io::Errno::PERM),
        "what is sealed cannot be changed"
    );
    // As execve(2) would leave them.
    for descriptor in descriptors {
        let _ = descriptor.into_raw_fd();
    }
    let mut incoming = Incoming::open(memory.into_raw_fd()).unwrap();
    assert_eq!(incoming.version(), "1.2.3");
    let read: Kept = incoming.room("pane").unwrap();
    assert_eq!(read, kept);
    assert_eq!(incoming.bytes(read.screen), b"\x1b[1m\0\xff");
    assert_eq!(incoming.room::<Kept>("gateway").unwrap(), Kept::default());
    let other: Other = incoming.room("pane").unwrap();
    assert_eq!((other.name.as_str(), other.color), ("one", 0));
    let pipe = incoming.descriptor(read.pipe.unwrap()).unwrap();
    assert!(incoming.descriptor(read.pipe.unwrap()).is_none());
    (&writer).write_all(b"!").unwrap();
    drop(writer);
    let mut text = String::new();
    std::fs::File::from(pipe).read_to_string(&mut text).unwrap();
    assert_eq!(text, "!");
}

#[test]
fn what_is_no_state_is_refused() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"hello").unwrap();
    drop(writer);
    assert!(Incoming::open(reader.into_raw_fd()).is_err());
    let closed = std::fs::File::open("/dev/null").unwrap();
    let number = closed.as_raw_fd() + 1000;
    assert!(matches!(
        Incoming::open(number),
        Err(HandoverError::NoState(_))
    ));
}

#[test]
fn what_is_given_away_stays_under_its_number_whatever_becomes_of_the_doubles() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut out = Outgoing::new("1.2.3");
    let kept = out.descriptor(reader.into());
    let Sealed {
        memory,
        descriptors,
    } = out.seal().unwrap();
    let number = memory.as_raw_fd();
    for descriptor in descriptors {
        let _ = descriptor.into_raw_fd();
    }
    let mut incoming = Incoming::open(memory.into_raw_fd()).unwrap();
    let given = incoming.give_away().unwrap().unwrap();
    assert!(incoming.give_away().unwrap().is_none(), "it goes once");
    assert_eq!(given.memory, number);
    let held: Vec<_> = given.held.iter().map(AsRawFd::as_raw_fd).collect();
    assert_eq!(held, [number, kept.0]);
    let double = incoming.descriptor(kept).unwrap();
    assert_ne!(double.as_raw_fd(), kept.0);
    drop((double, incoming));
    writer.write_all(b"still there").unwrap();
    drop(writer);
    let mut text = String::new();
    let original = given.held.into_iter().nth(1).unwrap();
    std::fs::File::from(original)
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "still there");
}
