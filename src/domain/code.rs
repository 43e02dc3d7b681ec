//! Every error's code: the closed list that sockets, routes and commands answer with.
//!
//! A code is what a program reads. Each room's error says which one it is by `From`; here alone it is mapped to its text,
//! its HTTP status and its exit code, so that an error has the same name whichever way somebody asked.

/// What kind of thing went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    AddressInUse,
    AlreadyRunning,
    AtCapacity,
    BadRequest,
    BrokeOff,
    Bundle,
    Busy,
    Config,
    Forbidden,
    Gone,
    Import,
    InputFull,
    Internal,
    Ipc,
    NoInstance,
    NoTerminal,
    NobodyLeft,
    NotFound,
    NotUpgraded,
    Paths,
    Refused,
    SchemaNewer,
    ServerFailed,
    ShuttingDown,
    SpawnFailed,
    Timeout,
    TooManyRequests,
    TooManyViewers,
    Transport,
    Unauthorized,
    Unavailable,
    UnknownAgent,
    Usage,
}

impl Code {
    pub const ALL: [Self; 33] = [
        Self::AddressInUse,
        Self::AlreadyRunning,
        Self::AtCapacity,
        Self::BadRequest,
        Self::BrokeOff,
        Self::Bundle,
        Self::Busy,
        Self::Config,
        Self::Forbidden,
        Self::Gone,
        Self::Import,
        Self::InputFull,
        Self::Internal,
        Self::Ipc,
        Self::NoInstance,
        Self::NoTerminal,
        Self::NobodyLeft,
        Self::NotFound,
        Self::NotUpgraded,
        Self::Paths,
        Self::Refused,
        Self::SchemaNewer,
        Self::ServerFailed,
        Self::ShuttingDown,
        Self::SpawnFailed,
        Self::Timeout,
        Self::TooManyRequests,
        Self::TooManyViewers,
        Self::Transport,
        Self::Unauthorized,
        Self::Unavailable,
        Self::UnknownAgent,
        Self::Usage,
    ];

    /// The code as it is written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressInUse => "address_in_use",
            Self::AlreadyRunning => "already_running",
            Self::AtCapacity => "at_capacity",
            Self::BadRequest => "bad_request",
            Self::BrokeOff => "broke_off",
            Self::Bundle => "bundle",
            Self::Busy => "busy",
            Self::Config => "config",
            Self::Forbidden => "forbidden",
            Self::Gone => "gone",
            Self::Import => "import",
            Self::InputFull => "input_full",
            Self::Internal => "internal",
            Self::Ipc => "ipc",
            Self::NoInstance => "no_instance",
            Self::NoTerminal => "no_terminal",
            Self::NobodyLeft => "nobody_left",
            Self::NotFound => "not_found",
            Self::NotUpgraded => "not_upgraded",
            Self::Paths => "paths",
            Self::Refused => "refused",
            Self::SchemaNewer => "schema_newer",
            Self::ServerFailed => "server_failed",
            Self::ShuttingDown => "shutting_down",
            Self::SpawnFailed => "spawn_failed",
            Self::Timeout => "timeout",
            Self::TooManyRequests => "too_many_requests",
            Self::TooManyViewers => "too_many_viewers",
            Self::Transport => "transport",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::UnknownAgent => "unknown_agent",
            Self::Usage => "usage",
        }
    }

    /// The code of that text; `None` for one that this version does not know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The HTTP status that goes with it (RFC 9110, section 15).
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::BadRequest | Self::SpawnFailed | Self::UnknownAgent | Self::Usage => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::AlreadyRunning | Self::Busy | Self::NobodyLeft | Self::NotUpgraded => 409,
            Self::Gone => 410,
            Self::TooManyRequests => 429,
            Self::AddressInUse
            | Self::Bundle
            | Self::Config
            | Self::Import
            | Self::Internal
            | Self::Ipc
            | Self::NoTerminal
            | Self::Paths
            | Self::ServerFailed => 500,
            Self::BrokeOff | Self::Refused | Self::Transport => 502,
            Self::AtCapacity
            | Self::InputFull
            | Self::NoInstance
            | Self::SchemaNewer
            | Self::ShuttingDown
            | Self::TooManyViewers
            | Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// The exit code of a command that fails with it: 1 failure; 2 usage, configuration or no terminal; 3 no running
    /// instance.
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self {
            Self::Config | Self::NoTerminal | Self::UnknownAgent | Self::Usage => 2,
            Self::NoInstance => 3,
            Self::AddressInUse
            | Self::AlreadyRunning
            | Self::AtCapacity
            | Self::BadRequest
            | Self::BrokeOff
            | Self::Bundle
            | Self::Busy
            | Self::Forbidden
            | Self::Gone
            | Self::Import
            | Self::InputFull
            | Self::Internal
            | Self::Ipc
            | Self::NobodyLeft
            | Self::NotFound
            | Self::NotUpgraded
            | Self::Paths
            | Self::Refused
            | Self::SchemaNewer
            | Self::ServerFailed
            | Self::ShuttingDown
            | Self::SpawnFailed
            | Self::Timeout
            | Self::TooManyRequests
            | Self::TooManyViewers
            | Self::Transport
            | Self::Unauthorized
            | Self::Unavailable => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_listed_once_and_reads_back() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            let words = code.as_str().replace('_', "");
            assert_eq!(words, format!("{code:?}").to_lowercase());
        }
        assert_eq!(Code::parse("fallen_over"), None);
    }

    #[test]
    fn a_status_is_an_error_and_an_exit_code_is_one_of_three() {
        for code in Code::ALL {
            assert!((400..600).contains(&code.http_status()), "{code:?}");
            assert!((1..=3).contains(&code.exit()), "{code:?}");
        }
        assert_eq!(Code::InputFull.http_status(), 503);
        assert_eq!(Code::NobodyLeft.http_status(), 409);
        let exits = [
            Code::NotFound,
            Code::Config,
            Code::NoTerminal,
            Code::NoInstance,
        ];
        assert_eq!(exits.map(Code::exit), [1, 2, 2, 3]);
    }
}
