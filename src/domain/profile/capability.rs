//! What a request may ask of a model.

/// Something that a request may use and a model may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    Streaming,
    Tools,
    Vision,
    Json,
}

impl Capability {
    pub const ALL: [Self; 4] = [Self::Streaming, Self::Tools, Self::Vision, Self::Json];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Tools => "tools",
            Self::Vision => "vision",
            Self::Json => "json",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u8);

impl Capabilities {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub const fn of(capabilities: &[Capability]) -> Self {
        let (mut set, mut rest) = (Self::NONE, capabilities);
        while let [first, tail @ ..] = rest {
            set = set.with(*first);
            rest = tail;
        }
        set
    }

    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u8)
    }

    #[must_use]
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL
            .into_iter()
            .filter(move |capability| self.contains(*capability))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_read_back_from_their_configured_names() {
        let names = Capability::ALL.map(Capability::as_str);
        assert_eq!(names, ["streaming", "tools", "vision", "json"]);
        assert_eq!(names.map(Capability::from_name), Capability::ALL.map(Some));
        assert_eq!(Capability::from_name("telepathy"), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        for capability in Capability::ALL {
            let all = Capability::ALL.into_iter();
            let others: Vec<Capability> = all.filter(|c| *c != capability).collect();
            assert!(Capabilities::of(&[capability]).contains(capability));
            assert!(!Capabilities::of(&others).contains(capability));
            assert_eq!(Capabilities::of(&others).iter().collect::<Vec<_>>(), others);
        }
        let tools = Capabilities::of(&[Capability::Tools]);
        assert_eq!(tools.with(Capability::Tools), tools);
    }
}
