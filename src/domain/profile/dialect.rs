//! The wire formats of the providers' interfaces.

/// A wire format: Anthropic's Messages, `OpenAI`'s Chat Completions, `OpenAI`'s Responses, Google's `generateContent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    Messages,
    Chat,
    Responses,
    /// Passed on as it is, never translated.
    Generate,
}

impl Dialect {
    pub const ALL: [Self; 4] = [Self::Messages, Self::Chat, Self::Responses, Self::Generate];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Generate => "generate",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The same where what is said in it can be said in another dialect.
    #[must_use]
    pub const fn translated(self) -> Option<TranslatedDialect> {
        match self {
            Self::Messages => Some(TranslatedDialect::Messages),
            Self::Chat => Some(TranslatedDialect::Chat),
            Self::Responses => Some(TranslatedDialect::Responses),
            Self::Generate => None,
        }
    }
}

/// A dialect whose requests and answers can be said in each of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TranslatedDialect {
    Messages,
    Chat,
    Responses,
}

impl TranslatedDialect {
    pub const ALL: [Self; 3] = [Self::Messages, Self::Chat, Self::Responses];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        Dialect::from(self).as_str()
    }

    /// The others, the one that loses least first.
    #[must_use]
    pub const fn others(self) -> [Self; 2] {
        match self {
            Self::Messages => [Self::Chat, Self::Responses],
            Self::Chat => [Self::Responses, Self::Messages],
            Self::Responses => [Self::Chat, Self::Messages],
        }
    }
}

impl From<TranslatedDialect> for Dialect {
    fn from(dialect: TranslatedDialect) -> Self {
        match dialect {
            TranslatedDialect::Messages => Self::Messages,
            TranslatedDialect::Chat => Self::Chat,
            TranslatedDialect::Responses => Self::Responses,
        }
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

    /// Whether requests of another dialect can be said in one of them.
    #[must_use]
    pub fn is_translated(self) -> bool {
        self.iter().any(|dialect| dialect.translated().is_some())
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
        assert_eq!(names, ["messages", "chat", "responses", "generate"]);
        assert_eq!(names.map(Dialect::from_name), Dialect::ALL.map(Some));
        assert_eq!(Dialect::from_name("telnet"), None);
    }

    #[test]
    fn what_is_translated_has_the_name_of_its_dialect() {
        for dialect in TranslatedDialect::ALL {
            assert_eq!(Dialect::from(dialect).translated(), Some(dialect));
            assert_eq!(dialect.as_str(), Dialect::from(dialect).as_str());
            assert!(!dialect.others().contains(&dialect));
        }
        assert_eq!(Dialect::Generate.translated(), None);
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
