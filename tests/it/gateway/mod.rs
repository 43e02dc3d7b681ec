//! The gateway in this process, between a client and scripted providers, over real sockets.

mod dialects;
mod faults;
mod front_door;
mod native;
mod streams;
