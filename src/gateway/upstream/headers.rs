//! Which headers go from one side to the other.

use http::header::{
    ACCEPT_ENCODING, ALT_SVC, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE,
    EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION, REFRESH, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};

use crate::domain::profile::{Dialect, Profile, ProviderKind};

/// The version of Messages that translated requests are written in.
const ANTHROPIC_VERSION: &str = "2023-06-01";
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// In which Google's clients show their key.
pub const GOOGLE_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
/// In which a caller shows its terminal's key apart from its login.
pub const TERMINAL_KEY: HeaderName = HeaderName::from_static("x-tundra-key");
/// Whose plan a `ChatGPT` login is.
const ACCOUNT: HeaderName = HeaderName::from_static("chatgpt-account-id");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What concerns one connection alone (RFC 9110 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The caller's headers without those that are about the connection, its key and its host.
///
/// What encodings it takes is narrowed to gzip, which can be read along, and identity.
pub fn from_caller(headers: &HeaderMap) -> HeaderMap {
    let mut kept = with_login(headers);
    for name in [AUTHORIZATION, API_KEY, GOOGLE_KEY, COOKIE, ACCOUNT] {
        kept.remove(name);
    }
    kept
}

/// The caller's headers with the login that it brings: without those about the connection, its host and its terminal's key.
pub fn with_login(headers: &HeaderMap) -> HeaderMap {
    let mut kept = end_to_end(headers);
    for name in [HOST, CONTENT_LENGTH, EXPECT, TERMINAL_KEY] {
        kept.remove(name);
    }
    if let Some(narrowed) = narrowed_encoding(headers) {
        kept.insert(ACCEPT_ENCODING, narrowed);
    }
    kept
}

/// The caller's headers for an upstream of another dialect: none of those that its own vendor gave a meaning to.
pub fn across(headers: &HeaderMap, upstream: Dialect) -> HeaderMap {
    const PASSED: [HeaderName; 3] = [
        USER_AGENT,
        HeaderName::from_static("traceparent"),
        HeaderName::from_static("tracestate"),
    ];
    let mut passed = HeaderMap::new();
    for name in PASSED {
        if let Some(value) = headers.get(&name) {
            passed.insert(name, value.clone());
        }
    }
    passed.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if upstream == Dialect::Messages {
        set_version(&mut passed);
    }
    passed
}

/// Says which version of Messages a request of tundra's own is written in.
pub fn set_version(headers: &mut HeaderMap) {
    let version = HeaderValue::from_static(ANTHROPIC_VERSION);
    headers.insert("anthropic-version", version);
}

/// What a provider could do to a caller that is a browser, or to other services of this machine, by headers: set cookies,
/// clear what a site has stored, lead elsewhere, open an answer to foreign pages, have reports sent.
const FOR_BROWSERS: [HeaderName; 10] = [
    SET_COOKIE,
    HeaderName::from_static("set-cookie2"),
    HeaderName::from_static("clear-site-data"),
    ALT_SVC,
    STRICT_TRANSPORT_SECURITY,
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("reporting-endpoints"),
    HeaderName::from_static("service-worker-allowed"),
    REFRESH,
];

/// The provider's headers as they go on to the caller.
pub fn from_provider(headers: &HeaderMap) -> HeaderMap {
    let mut kept = end_to_end(headers);
    kept.remove(CONTENT_LENGTH);
    for name in &FOR_BROWSERS {
        kept.remove(name);
    }
    let shared: Vec<HeaderName> = kept
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in shared {
        kept.remove(name);
    }
    kept
}

/// Adds the profile's own headers and its key, in the way that its vendor reads it.
pub fn sign(headers: &mut HeaderMap, profile: &Profile, key: Option<&HeaderValue>) {
    if let Some(key) = key {
        // Anthropic takes an OAuth token as a bearer and refuses it as a key.
        let plain = profile.provider == ProviderKind::Anthropic
            && !key.as_bytes().starts_with(b"sk-ant-oat");
        if plain {
            headers.insert(API_KEY, key.clone());
        } else if profile.provider == ProviderKind::Gemini {
            headers.insert(GOOGLE_KEY, key.clone());
        } else if let Ok(mut bearer) =
            HeaderValue::from_bytes(&[b"Bearer ", key.as_bytes()].concat())
        {
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
    }
    for (name, value) in &profile.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let mut kept = headers.clone();
    for name in HOP_BY_HOP.iter().chain(&named) {
        kept.remove(name);
    }
    kept
}

fn narrowed_encoding(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut asked = headers.get_all(ACCEPT_ENCODING).iter().peekable();
    asked.peek()?;
    let gzip = asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0_f32));
            matches!(name.trim(), "gzip" | "x-gzip" | "*") && !refused
        });
    Some(HeaderValue::from_static(if gzip {
        "gzip, identity"
    } else {
        "identity"
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn all_but_the_connection_key_and_host_go_on() {
        let asked = headers(&[
            ("host", "127.0.0.1:3100"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("authorization", "Bearer tundra-x"),
            ("x-api-key", "tundra-x"),
            ("x-goog-api-key", "tundra-x"),
            ("content-length", "3"),
            ("anthropic-beta", "a,b"),
            ("anthropic-version", "2023-06-01"),
            ("x-anything", "yes"),
            ("accept-encoding", "br, gzip;q=0.5, zstd"),
        ]);
        assert_eq!(
            from_caller(&asked),
            headers(&[
                ("anthropic-beta", "a,b"),
                ("anthropic-version", "2023-06-01"),
                ("x-anything", "yes"),
                ("accept-encoding", "gzip, identity"),
            ])
        );
    }

    #[test]
    fn nothing_for_browsers_comes_back_from_a_provider() {
        let answered = headers(&[
            ("content-type", "application/json"),
            ("set-cookie", "a=b"),
            ("clear-site-data", "*"),
            ("alt-svc", "h3"),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("strict-transport-security", "max-age=1"),
            ("x-request-id", "r"),
        ]);
        assert_eq!(
            from_provider(&answered),
            headers(&[("content-type", "application/json"), ("x-request-id", "r")])
        );
    }

    #[test]
    fn encodings_are_narrowed() {
        let narrowed = |asked| narrowed_encoding(&headers(&[("accept-encoding", asked)])).unwrap();
        assert_eq!(narrowed("br, zstd"), "identity");
        assert_eq!(narrowed("gzip;q=0"), "identity");
        assert_eq!(narrowed("*"), "gzip, identity");
        assert_eq!(narrowed_encoding(&HeaderMap::new()), None);
    }

    #[test]
    fn each_vendor_reads_its_key_where_it_wants_it() {
        let signed = |provider, key: &'static str| {
            let mut headers = HeaderMap::new();
            sign(
                &mut headers,
                &Profile::new("p", provider),
                Some(&HeaderValue::from_static(key)),
            );
            headers
        };
        assert_eq!(
            signed(ProviderKind::Anthropic, "k"),
            headers(&[("x-api-key", "k")])
        );
        assert_eq!(
            signed(ProviderKind::Anthropic, "sk-ant-oat01-k"),
            headers(&[("authorization", "Bearer sk-ant-oat01-k")])
        );
        assert_eq!(
            signed(ProviderKind::OpenAi, "k"),
            headers(&[("authorization", "Bearer k")])
        );
        assert_eq!(
            signed(ProviderKind::Gemini, "k"),
            headers(&[("x-goog-api-key", "k")])
        );
    }
}
