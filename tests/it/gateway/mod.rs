//! The gateway in this process, between a client and scripted providers, over real sockets.

#![allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "a table of faults is one table"
)]

mod borders;
mod consequences;
mod dialects;
mod faults;
mod front_door;
mod generate;
mod native;
mod sdk;
mod streams;
mod translation;
