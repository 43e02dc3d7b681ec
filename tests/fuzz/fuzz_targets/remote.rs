//! Feeds both ends of `tundra.v1` any frame: neither panics, whatever it takes.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tundra::remote::protocol::{ToClient, ToServer};

fuzz_target!(|frame: &[u8]| {
    let frame = Bytes::copy_from_slice(frame);
    let _ = ToServer::decode(&frame);
    let _ = ToClient::decode(&frame);
});
