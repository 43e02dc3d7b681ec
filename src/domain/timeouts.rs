//! How long a provider may take.

use std::time::Duration;

/// How long the steps of a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first try to reach the provider to a connection with TLS.
    pub connect: Duration,
    /// From sending until the answer's head.
    pub first_byte: Duration,
    /// Between any two bytes of the answer's body.
    pub stream_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            stream_idle: Duration::from_secs(90),
        }
    }
}
