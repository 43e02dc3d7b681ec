//! Feeds both ends of `tundra.v1` any frame: neither panics, and what one understood it says again in the same words.
//!
//! The first byte of an input is the kind of a binary frame, or `{` of a text frame.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tundra::remote::protocol::{Notice, Request, ToClient, ToServer};
use tundra_fuzz::write;

const FRAMES: &[&[u8]] = &[
    b"\x01\0\0\0\0\0\0\0\x05hello",
    b"\x02\0\0\0\0\0\0\0\x05\0\x50\0\x18\x1b[H",
    b"\x10\0\0\0\0\0\0\0\x01ls\r",
    b"\x11\0\0\0\0\0\0\0\x02pasted",
    b"\x13\0\0\0\0\0\0\0\x03ctrl-shift-enter",
    b"\x12\0\0\0\0\0\0\0\x0a",
    br#"{"type":"attach","client":"0123456789abcdef","attempt":1,"epoch":"e","next_seq":5,"read_only":true}"#,
    br#"{"type":"resize","cols":80,"rows":24}"#,
    br#"{"type":"take"}"#,
    br#"{"type":"ping"}"#,
    br#"{"type":"hello","protocol":"tundra.v1","epoch":"e","terminal":"0","owner":"front","cols":80,"rows":24,"ring_start":0,"head":9}"#,
    br#"{"type":"attached","resumed":true,"next_seq":5,"input_id":0,"read_only":false}"#,
    br#"{"type":"role","role":"viewer","writer":"front"}"#,
    br#"{"type":"input_ack","id":1,"typed":true}"#,
    br#"{"type":"exit","code":null,"signal":9}"#,
    br#"{"type":"error","code":"input_full","message":"x"}"#,
];

fuzz_target!(
    init: write(FRAMES.iter().map(|frame| frame.to_vec())),
    |frame: &[u8]| {
        let bytes = Bytes::copy_from_slice(frame);
        if let Ok(said) = ToServer::decode(&bytes) {
            assert_eq!(ToServer::decode(&said.encode()), Ok(said));
        }
        if let Ok(said) = ToClient::decode(&bytes) {
            assert_eq!(ToClient::decode(&said.encode()), Ok(said));
        }
        if let Ok(said) = serde_json::from_slice::<Request>(frame) {
            let again = serde_json::to_vec(&said).expect("it is written");
            assert_eq!(serde_json::from_slice::<Request>(&again).ok(), Some(said));
        }
        if let Ok(said) = serde_json::from_slice::<Notice>(frame) {
            let again = serde_json::to_vec(&said).expect("it is written");
            assert_eq!(serde_json::from_slice::<Notice>(&again).ok(), Some(said));
        }
    }
);
