//! Logs: to a file that is rotated, never in the way of what tundra does.
//!
//! `app` starts it once for an instance; every room logs through `tracing` and knows nothing of this one. `cli` and the front
//! end read its files. A log line
//! carries fields and a literal message; keys, tokens, prompts and terminal bytes never get here. Lines go through a
//! bounded queue to one writer thread: when the queue is full they are dropped and counted, when the disk is full or
//! the folder cannot be written the trouble is told and tundra goes on.

mod files;
mod filter;
mod journald;
mod line;
mod lines;
mod otlp;
pub mod redact;
mod rotate;
mod start;

pub use files::{Tail, read, read_end};
pub use filter::parse as parse_filter;
pub use lines::{JsonLine, LineFilter, LogLine, json_line, text_line};
pub use otlp::TraceExporter;
pub use start::{Telemetry, TelemetryError, start};
