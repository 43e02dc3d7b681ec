//! The wire formats of the providers' interfaces.

/// A wire format: Anthropic's Messages, `OpenAI`'s Chat Completions, `OpenAI`'s Responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    Messages,
    Chat,
    Responses,
}

impl Dialect {
    pub const ALL: [Self; 3] = [Self::Messages, Self::Chat, Self::Responses];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Chat => "chat",
            Self::Responses => "responses",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A set of dialects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialects(u8);

impl Dialects {
    #[must_use]
    pub const fn of(dialects: &[Dialect]) -> Self {
        let (mut bits, mut rest) = (0, dialects);
        while let [first, tail @ ..] = rest {
            bits |= 1 << *first as u8;
            rest = tail;
        }
        Self(bits)
    }

    #[must_use]
    pub const fn contains(self, dialect: Dialect) -> bool {
        self.0 & (1 << dialect as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Dialect> {
        Dialect::ALL
            .into_iter()
            .filter(move |dialect| self.contains(*dialect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_read_back_from_their_configured_names() {
        let names = Dialect::ALL.map(Dialect::as_str);
        assert_eq!(names, ["messages", "chat", "responses"]);
        assert_eq!(names.map(Dialect::from_name), Dialect::ALL.map(Some));
        assert_eq!(Dialect::from_name("telnet"), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        for dialect in Dialect::ALL {
            let others: Vec<Dialect> = Dialect::ALL.into_iter().filter(|d| *d != dialect).collect();
            assert!(Dialects::of(&[dialect]).contains(dialect));
            assert!(!Dialects::of(&others).contains(dialect));
            assert_eq!(Dialects::of(&others).iter().collect::<Vec<_>>(), others);
        }
        assert_eq!(
            Dialects::of(&[Dialect::Chat; 2]),
            Dialects::of(&[Dialect::Chat])
        );
    }
}
