//! Requests that go to a profile of another dialect: whether they may, and whether they can.

use std::fmt;

use crate::domain::profile::Dialect;

/// When profiles that do not speak the caller's dialect are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Translation {
    /// After all those that do.
    #[default]
    Fallback,
    /// By priority, as any other.
    Priority,
    Off,
}

impl Translation {
    pub const ALL: [Self; 3] = [Self::Fallback, Self::Priority, Self::Off];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Priority => "priority",
            Self::Off => "off",
        }
    }
}

/// What is known of a request's way into other dialects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Foreign {
    /// It has none, such as the counting of tokens.
    #[default]
    Never,
    /// Nobody has looked yet, since a profile of its own dialect may well take it.
    Unknown,
    /// What stands against each dialect in which it cannot be said.
    Judged(Vec<(Dialect, Feature)>),
}

impl Foreign {
    /// What the dialect has no words for, as far as is known.
    pub(super) fn obstacle(&self, dialect: Dialect) -> Option<Feature> {
        match self {
            Self::Never | Self::Unknown => None,
            Self::Judged(obstacles) => obstacles
                .iter()
                .find(|(judged, _)| *judged == dialect)
                .map(|(_, feature)| *feature),
        }
    }
}

/// The name of something that a request holds, short enough to be copied like a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    text: [u8; Self::MAX],
    length: u8,
}

impl Feature {
    const MAX: usize = 40;

    /// Takes as much of `name` as there is room for.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut feature = Self {
            text: [0; Self::MAX],
            length: 0,
        };
        for letter in name.chars() {
            let end = usize::from(feature.length) + letter.len_utf8();
            let Some(room) = feature.text.get_mut(usize::from(feature.length)..end) else {
                break;
            };
            letter.encode_utf8(room);
            feature.length += u8::try_from(letter.len_utf8()).unwrap_or_default();
        }
        feature
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.length));
        text.and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

impl fmt::Debug for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_against_a_dialect_is_what_was_judged_of_it() {
        let search = Feature::new("web_search");
        let judged = Foreign::Judged(vec![(Dialect::Chat, search)]);
        assert_eq!(judged.obstacle(Dialect::Chat), Some(search));
        assert_eq!(judged.obstacle(Dialect::Responses), None);
        for unjudged in [Foreign::Never, Foreign::Unknown] {
            assert_eq!(unjudged.obstacle(Dialect::Chat), None);
        }
        assert_eq!(format!("{search:?}"), "\"web_search\"");
    }

    #[test]
    fn when_others_are_asked_has_the_names_of_the_configuration() {
        let names = Translation::ALL.map(Translation::as_str);
        assert_eq!(names, ["fallback", "priority", "off"]);
    }

    #[test]
    fn a_feature_keeps_its_name() {
        assert_eq!(Feature::new("web_search").as_str(), "web_search");
        assert_eq!(Feature::new("").as_str(), "");
        let long = "ä".repeat(30);
        assert_eq!(Feature::new(&long).as_str(), "ä".repeat(20));
    }
}
