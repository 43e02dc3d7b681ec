//! The one redactor: takes keys, tokens, logins, cookies, header values and values of environments out of a text.
//!
//! What is known to be a secret goes wherever it stands, in the forms in which texts hold it (plain, in JSON, in an address).
//! What merely looks like one goes too: a bundle is read by others, and a word too many is missed by nobody. Names of the
//! user, the host and the home go on request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::{Captures, Regex};

/// Shorter values are words that stand in any text.
const SHORTEST: usize = 6;
/// Shorter names are syllables.
const SHORTEST_NAME: usize = 2;

/// What kind of secret something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A provider's or the gateway's.
    Key,
    /// Of the listener, of a page, of a login.
    Token,
    Cookie,
    Header,
    Environment,
    Password,
    /// Of the user, the host or the home.
    Name,
}

impl Kind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::Cookie => "cookie",
            Self::Header => "header",
            Self::Environment => "environment",
            Self::Password => "password",
            Self::Name => "name",
        }
    }
}

/// A text without secrets, and how many of each kind were taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    pub text: String,
    pub counts: BTreeMap<Kind, usize>,
}

/// Knows the secrets of one home. Debugging it shows none.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first, so that a part of one does not hide the rest of another.
    known: Vec<(String, Kind)>,
    names: Vec<(Regex, &'static str)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// What a secret looks like; the group `secret` is what goes.
struct Pattern {
    kind: Kind,
    regex: Regex,
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let sources = [
        (
            Kind::Key,
            r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----(?<secret>.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
        ),
        // A header with its value, to the end of the line or the quotes.
        (
            Kind::Cookie,
            r#"(?i)\b(?:set-)?cookie2?["']?\s*[:=]\s*["']?(?<secret>[^"'\r\n]+)"#,
        ),
        (
            Kind::Header,
            r#"(?i)\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?<secret>(?:[a-z]+\s+)?[^\s"',;]+)"#,
        ),
        (
            Kind::Header,
            r#"(?i)\b(?:x-api-key|api-key|x-goog-api-key|x-tundra-key|x-tundra-page|chatgpt-account-id|openai-organization|openai-project|anthropic-organization-id)["']?\s*[:=]\s*["']?(?<secret>[^\s"',;]+)"#,
        ),
        (
            Kind::Token,
            r"(?i)\b(?:bearer|basic)\s+(?<secret>[A-Za-z0-9._~+/=-]{6,})",
        ),
        // Sessions of the page, its key on a socket, a terminal's key in a path, a token in an address.
        (Kind::Cookie, r#"\btundra_[0-9a-f]{8}=(?<secret>[^\s;"']+)"#),
        (Kind::Token, r"tundra\.page\.(?<secret>[A-Za-z0-9_-]+)"),
        (Kind::Key, r"/t/(?<secret>[A-Za-z0-9_-]{12,})"),
        (
            Kind::Token,
            r#"(?i)[?&#](?:token|key|api[_-]?key|access_token|refresh_token|id_token|code|secret|password)=(?<secret>[^&\s"'<>]+)"#,
        ),
        (
            Kind::Password,
            r#"(?i)\b[a-z][a-z0-9+.-]*://(?<secret>[^\s/?"']+)@"#,
        ),
        // The same where the scheme was left out, as proxies may be written.
        (
            Kind::Password,
            r#"(?<secret>[^\s/:=@"'<>()\[\]]+:[^\s/@"'<>\[\]]+)@[A-Za-z0-9\[]"#,
        ),
        // Addresses that are secrets themselves: whoever knows a chat's may write into it.
        (
            Kind::Token,
            r#"(?i)(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/|api\.telegram\.org/bot)(?<secret>[^\s"'?]+)"#,
        ),
        // A header of somebody's own that says what it is.
        (
            Kind::Header,
            r#"(?i)\bx-[a-z0-9-]*(?:auth|token|secret|key|session|password)[a-z0-9-]*["']?\s*[:=]\s*["']?(?<secret>[^\s"',;]+)"#,
        ),
        // A name that says so, and its value: TOML, JSON, shells' assignments, arguments.
        (
            Kind::Key,
            r#"(?i)[a-z0-9_-]*(?:api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|auth[_-]?key)["']?\s*[:=]\s*(?:"(?<secret>[^"\r\n]+)|'(?<secret_b>[^'\r\n]+)|(?<secret_c>[^\s"',;{}\[\]]+))"#,
        ),
        (
            Kind::Token,
            r#"(?i)[a-z0-9_-]*(?:token|secret|credentials?)["']?\s*[:=]\s*(?:"(?<secret>[^"\r\n]+)|'(?<secret_b>[^'\r\n]+)|(?<secret_c>[^\s"',;{}\[\]]+))"#,
        ),
        (
            Kind::Password,
            r#"(?i)[a-z0-9_-]*(?:password|passwd|passphrase)["']?\s*[:=]\s*(?:"(?<secret>[^"\r\n]+)|'(?<secret_b>[^'\r\n]+)|(?<secret_c>[^\s"',;{}\[\]]+))"#,
        ),
        (
            Kind::Key,
            r#"(?i)--?(?:api-?key|token|secret|password|auth-?token)["']?(?:\s*,\s*|\s+|=)["']?(?<secret>[^\s"',\]]+)"#,
        ),
        // What keys begin with (the providers' documentation), and tokens that are JSON.
        (
            Kind::Key,
            r"(?<secret>\b(?:sk|rk|pk)[-_][A-Za-z0-9*._-]{9,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{16,}|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bAIza[A-Za-z0-9_-]{16,}|\bAKIA[A-Z0-9]{12,}|\bhf_[A-Za-z0-9]{16,}|\bgsk_[A-Za-z0-9]{16,}|\btundra-[A-Za-z0-9_-]{20,})",
        ),
        (
            Kind::Token,
            r"(?<secret>\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2})",
        ),
        // 192 bits and more in hex are nobody's name.
        (Kind::Token, r"(?<secret>\b[0-9a-fA-F]{48,}\b)"),
    ];
    sources
        .into_iter()
        .filter_map(|(kind, source)| {
            let regex = Regex::new(source).ok()?;
            Some(Pattern { kind, regex })
        })
        .collect()
});

impl Redactor {
    /// One that knows this secret too; one that is too short to be told from a word is known by its looks alone.
    #[must_use]
    pub fn knowing(mut self, kind: Kind, secret: &str) -> Self {
        let secret = secret.trim();
        let mut forms = vec![secret.to_owned()];
        // What follows a scheme such as `Bearer` is a secret of its own.
        forms.extend(secret.split_whitespace().skip(1).map(str::to_owned));
        for form in forms {
            if form.chars().count() < SHORTEST {
                continue;
            }
            let json = serde_json::to_string(&form).unwrap_or_default();
            let json = json.trim_matches('"').to_owned();
            let encoded = utf8_percent_encode(&form, NON_ALPHANUMERIC).to_string();
            let escaped = form.escape_debug().to_string();
            for text in [form, json, encoded, escaped] {
                if !self.known.iter().any(|(known, _)| *known == text) {
                    self.known.push((text, kind));
                }
            }
        }
        self.known
            .sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        self
    }

    /// One that takes these names out too: of the home first, since it holds the others.
    #[must_use]
    pub fn without_names(mut self, home: Option<&str>, user: &str, host: &str) -> Self {
        let home = home.map(|home| (regex::escape(home.trim_end_matches('/')), "[home]"));
        let word = |name: &str| format!(r"\b{}\b", regex::escape(name));
        let names = [(word(host), "[host]"), (word(user), "[user]")];
        let long = [host, user].map(|name| name.len() >= SHORTEST_NAME);
        let names = names.into_iter().zip(long).filter(|(_, long)| *long);
        for (source, instead) in home.into_iter().chain(names.map(|(name, _)| name)) {
            if let Ok(regex) = Regex::new(&source) {
                self.names.push((regex, instead));
            }
        }
        self
    }

    /// The text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> Redacted {
        let mut counts = BTreeMap::new();
        let mut text = Cow::Borrowed(text);
        for (secret, kind) in &self.known {
            let found = text.matches(secret.as_str()).count();
            if found > 0 {
                *counts.entry(*kind).or_insert(0) += found;
                text = Cow::Owned(text.replace(secret.as_str(), &placeholder(*kind)));
            }
        }
        for Pattern { kind, regex } in PATTERNS.iter() {
            let mut found = 0;
            let replaced = regex.replace_all(&text, |captures: &Captures<'_>| {
                cut(captures, *kind, &mut found)
            });
            if found > 0 {
                *counts.entry(*kind).or_insert(0) += found;
                text = Cow::Owned(replaced.into_owned());
            }
        }
        for (regex, instead) in &self.names {
            let found = regex.find_iter(&text).count();
            if found > 0 {
                *counts.entry(Kind::Name).or_insert(0) += found;
                text = Cow::Owned(regex.replace_all(&text, *instead).into_owned());
            }
        }
        Redacted {
            text: text.into_owned(),
            counts,
        }
    }
}

fn placeholder(kind: Kind) -> String {
    format!("[redacted {}]", kind.as_str())
}

/// What stands in a match's place: all of it, but for the secret. What was taken out already stays as it is.
fn cut(captures: &Captures<'_>, kind: Kind, found: &mut usize) -> String {
    let whole = captures.get(0).map_or("", |whole| whole.as_str());
    let start = captures.get(0).map_or(0, |whole| whole.start());
    let secret = ["secret", "secret_b", "secret_c"]
        .into_iter()
        .find_map(|name| captures.name(name));
    let Some(secret) = secret.filter(|secret| !is_harmless(secret.as_str())) else {
        return whole.to_owned();
    };
    *found += 1;
    let before = whole.get(..secret.start() - start).unwrap_or_default();
    let after = whole.get(secret.end() - start..).unwrap_or_default();
    format!("{before}{}{after}", placeholder(kind))
}

/// What stands where a secret could and is none: nothing at all, or what was put there before.
fn is_harmless(value: &str) -> bool {
    value.contains("[redacted")
        || value.starts_with("redacted ")
        || matches!(
            value,
            "null" | "true" | "false" | "none" | "None" | "[set]" | "[unset]"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        Redactor::default().redact(text).text
    }

    #[test]
    fn what_looks_like_a_secret_goes_and_the_rest_stays() {
        for (text, left) in [
            (
                "authorization: Bearer abc.def-123",
                "authorization: [redacted header]",
            ),
            (
                "\"Authorization\":\"Basic dXNlcjpwYXNz\"",
                "\"Authorization\":\"[redacted header]\"",
            ),
            ("x-api-key: s3cr3t", "x-api-key: [redacted header]"),
            (
                "Cookie: tundra_0a1b2c3d=xyz; other=1",
                "Cookie: [redacted cookie]",
            ),
            (
                "got tundra_0a1b2c3d=xyzzy; next",
                "got tundra_0a1b2c3d=[redacted cookie]; next",
            ),
            (
                "sent Bearer abcdefgh12 on",
                "sent Bearer [redacted token] on",
            ),
            (
                "key sk-ant-api03-abcdefgh is wrong",
                "key [redacted key] is wrong",
            ),
            (
                "POST /t/tundra0123456789ab/v1/messages",
                "POST /t/[redacted key]/v1/messages",
            ),
            (
                "http://h/#token=T0k&terminal=ID",
                "http://h/#token=[redacted token]&terminal=ID",
            ),
            (
                "HTTPS_PROXY=http://me:pass@proxy:3128",
                "HTTPS_PROXY=http://[redacted password]@proxy:3128",
            ),
            (
                "ANTHROPIC_API_KEY=abcdef",
                "ANTHROPIC_API_KEY=[redacted key]",
            ),
            (
                "\"access_token\": \"abc def\"",
                "\"access_token\": \"[redacted token]\"",
            ),
            (
                "HTTPS_PROXY=me:pass@proxy:3128",
                "HTTPS_PROXY=[redacted password]@proxy:3128",
            ),
            (
                "http://me:p@ss@proxy:3128/x@y",
                "http://[redacted password]@proxy:3128/x@y",
            ),
            (
                "[\"curl\",\"-H\",\"X-Auth: abc\",\"https://hooks.slack.com/services/T0/B0/xyz\"]",
                "[\"curl\",\"-H\",\"X-Auth: [redacted header]\",\"https://hooks.slack.com/services/[redacted token]\"]",
            ),
            ("password = 'x y z'", "password = '[redacted password]'"),
            (
                "[\"llama\",\"--api-key\",\"abc\"]",
                "[\"llama\",\"--api-key\",\"[redacted key]\"]",
            ),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.sig", "[redacted token]"),
        ] {
            assert_eq!(redacted(text), left);
        }
        for text in [
            "api_key_env = \"ANTHROPIC_API_KEY\"",
            "\"tokens\":{\"input\":1,\"output\":2},\"key_file\":\"/s/gateway.key\"",
            "max_tokens = 4096",
            "id=0199a3f2-7c1e-7000-8000-000000000000 kind=terminal.opened",
            "commit 0123456789abcdef0123456789abcdef01234567",
            "{\"key\":\"2026-11-29\",\"requests\":3}",
            "2026-11-29T22:00:00Z ada@engine: npm i left-pad@1.3.0, see https://example.org/@scope",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn a_known_secret_goes_in_every_form_and_is_counted() {
        let redactor = Redactor::default()
            .knowing(Kind::Header, "Bearer te\"nant/secret")
            .knowing(Kind::Environment, "short")
            .knowing(Kind::Key, "plainword");
        let text = "te\"nant/secret te\\\"nant/secret te%22nant%2Fsecret plainword short plainword";
        let Redacted { text, counts } = redactor.redact(text);
        assert_eq!(
            text,
            "[redacted header] [redacted header] [redacted header] [redacted key] short [redacted key]"
        );
        assert_eq!(counts[&Kind::Header], 3);
        assert_eq!(counts[&Kind::Key], 2);
        assert!(!format!("{redactor:?}").contains("plainword"));
    }

    #[test]
    fn names_go_on_request() {
        let redactor = Redactor::default().without_names(Some("/home/ada"), "ada", "engine");
        let redacted = redactor.redact("/home/ada/x of ada@engine, not adamant");
        assert_eq!(redacted.text, "[home]/x of [user]@[host], not adamant");
        assert_eq!(redacted.counts[&Kind::Name], 3);
    }

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(PATTERNS.len(), 20);
    }
}
