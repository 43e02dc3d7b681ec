//! What a simulated provider can be made to do, and which of the two it is.

/// One of the two providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Player {
    A,
    B,
}

impl Player {
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The name of its profile.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "simulated-a",
            Self::B => "simulated-b",
        }
    }

    /// What its routes begin with.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::A => "/a",
            Self::B => "/b",
        }
    }

    /// The key that chooses it.
    #[must_use]
    pub const fn key(self) -> u8 {
        match self {
            Self::A => b'a',
            Self::B => b'b',
        }
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It answers 500.
    Broken,
    /// It answers 429 and asks to come back in some seconds.
    Limited,
    /// It takes requests and answers nothing.
    Stalled,
    /// It cuts the connection after the first words.
    Cut,
}

impl Fault {
    pub const ALL: [Self; 5] = [
        Self::Broken,
        Self::Limited,
        Self::Stalled,
        Self::Cut,
        Self::None,
    ];

    /// The key that brings it about.
    #[must_use]
    pub const fn key(self) -> u8 {
        match self {
            Self::Broken => b'5',
            Self::Limited => b'4',
            Self::Stalled => b's',
            Self::Cut => b'c',
            Self::None => b'k',
        }
    }

    /// What the screen calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broken => "500",
            Self::Limited => "429",
            Self::Stalled => "stall",
            Self::Cut => "cut",
            Self::None => "back",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    #[must_use]
    pub fn of_key(key: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.key() == key)
    }
}
