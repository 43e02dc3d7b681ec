//! Where in a configuration file values stand that are nobody else's: those of `headers` and of `env`. The file may be
//! refused, or no TOML at all: what looks like such a value is one.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A value, by where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretValue {
    pub kind: SecretKind,
    /// In bytes of the file, quotes included.
    pub span: Range<usize>,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    Header,
    Environment,
}

impl SecretKind {
    fn of_key(key: &str) -> Option<Self> {
        match key {
            "headers" => Some(Self::Header),
            "env" => Some(Self::Environment),
            _ => None,
        }
    }
}

/// Finds them all, in the order of the file.
#[must_use]
pub fn secret_values(text: &str) -> Vec<SecretValue> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut found = Vec::new();
    for (key, value) in document.get_ref() {
        walk(key.get_ref(), value, None, &mut found);
    }
    if !errors.is_empty() {
        // What the parser could not read may stand anywhere in its lines.
        for value in by_line(text) {
            if !found
                .iter()
                .any(|known| known.span.start == value.span.start)
            {
                found.push(value);
            }
        }
    }
    found.sort_by_key(|value| value.span.start);
    found
}

fn walk(
    key: &str,
    value: &toml::Spanned<DeValue<'_>>,
    within: Option<SecretKind>,
    found: &mut Vec<SecretValue>,
) {
    let within = within.or_else(|| SecretKind::of_key(key));
    match value.get_ref() {
        DeValue::Table(table) => {
            for (key, value) in table {
                walk(key.get_ref(), value, within, found);
            }
        }
        DeValue::Array(values) => {
            for value in values {
                walk(key, value, within, found);
            }
        }
        scalar => {
            if let Some(kind) = within {
                let text = match scalar {
                    DeValue::String(text) => text.to_string(),
                    _ => String::new(),
                };
                found.push(SecretValue {
                    kind,
                    span: value.span(),
                    text,
                });
            }
        }
    }
}

/// Every quoted text that stands as a value in a line about headers or environments, or in a section of them.
fn by_line(text: &str) -> Vec<SecretValue> {
    let mut found = Vec::new();
    let mut section = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let named = |key: &str| {
            bare.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == key)
        };
        if bare.starts_with('[') {
            section = ["headers", "env"]
                .into_iter()
                .find(|key| named(key))
                .and_then(SecretKind::of_key);
        } else {
            let own = ["headers", "env"].into_iter().find(|key| named(key));
            if let Some(kind) = section.or_else(|| SecretKind::of_key(own?)) {
                for (span, text) in quoted(line) {
                    found.push(SecretValue {
                        kind,
                        span: start + span.start..start + span.end,
                        text,
                    });
                }
            }
        }
        start += line.len();
    }
    found
}

/// The quoted texts of a line that stand after a `=`; one that is not closed goes to the line's end.
fn quoted(line: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let Some(mut from) = line.find('=') else {
        return found;
    };
    while let Some(rest) = line.get(from..)
        && let Some(at) = rest.find(['"', '\''])
    {
        let open = from + at;
        let quote = if rest.get(at..).is_some_and(|rest| rest.starts_with('"')) {
            '"'
        } else {
            '\''
        };
        let inner = line.get(open + 1..).unwrap_or_default();
        let end = inner.find(quote).unwrap_or(inner.trim_end().len());
        let text = inner.get(..end).unwrap_or_default().to_owned();
        let close = (open + 1 + end + 1).min(line.trim_end().len().max(open + 1));
        found.push((open..close, text));
        from = close;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(toml: &str) -> Vec<String> {
        let values = secret_values(toml).into_iter();
        values.map(|value| value.text).collect()
    }

    #[test]
    fn headers_and_environments_are_found_wherever_they_stand() {
        let toml = r#"
[[profile]]
name = "a"
headers = { x-tenant = "one", "x-other" = 'two' }
[profile.models]
"x" = "y"
[[pane]]
env = { A = "three" }
[[pane]]
[pane.env.deeper]
B = "four"
[[agent]]
name = "n"
[agent.env]
C = "five"
"#;
        assert_eq!(texts(toml), ["one", "two", "three", "four", "five"]);
        let first = &secret_values(toml)[0];
        assert_eq!(&toml[first.span.clone()], "\"one\"");
        assert_eq!(first.kind, SecretKind::Header);
    }

    #[test]
    fn what_is_no_toml_is_searched_by_lines() {
        let toml = "[[profile]\nheaders = { x = \"one\", y = 'two\n[pane.env]\nA = \"three\"\nB = four\n[general]\nshell = \"sh\"\n";
        let found = texts(toml);
        for secret in ["one", "two", "three"] {
            assert!(
                found.iter().any(|text| text == secret),
                "{secret} in {found:?}"
            );
        }
        assert!(!found.iter().any(|text| text == "sh"), "{found:?}");
    }
}
