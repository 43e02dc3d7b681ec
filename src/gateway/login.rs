//! What a caller brings besides its terminal's key: a login of its own.
//!
//! The login stays in the request's headers and goes to its profile's address alone. Here it is only looked at: whose
//! plan it is, as a keyed hash, so that nothing that is kept tells anything of it.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use ring::hmac;

use crate::domain::login::{Login, LoginId};
use crate::domain::profile::Dialect;

/// How `OpenAI`'s API keys begin.
const API_KEY_START: &str = "sk-";
/// How a token of a Claude plan begins, which has the start of an API key.
const CLAUDE_TOKEN_START: &str = "sk-ant-oat";

/// Names logins; the same one the same way as long as its secret is kept.
#[derive(Debug)]
pub struct LoginHasher(hmac::Key);

impl LoginHasher {
    /// `secret` is kept beside what is kept of the plans, and is worth nothing elsewhere.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The login in a request's headers, if any. `user` is what the body calls its user.
    ///
    /// An account outlives its tokens, so it names the login where it is told: `ChatGPT` in a header, Claude Code within
    /// `metadata.user_id`. Else the token does.
    pub fn login(
        &self,
        dialect: Dialect,
        headers: &HeaderMap,
        user: Option<&str>,
    ) -> Option<Login> {
        let secret = secret(headers)?;
        let account = headers
            .get("chatgpt-account-id")
            .and_then(|account| account.to_str().ok())
            .or_else(|| account(user?));
        let (what, named) = match account {
            Some(account) => ("account", account.as_bytes()),
            None => ("token", secret),
        };
        let mut context = hmac::Context::with_key(&self.0);
        for part in [
            dialect.as_str().as_bytes(),
            b"\0",
            what.as_bytes(),
            b"\0",
            named,
        ] {
            context.update(part);
        }
        let tag = context.sign();
        let mut hash = [0; 16];
        for (to, from) in hash.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Some(Login {
            id: LoginId::from_hash(hash),
            is_api_key: secret.starts_with(API_KEY_START.as_bytes())
                && !secret.starts_with(CLAUDE_TOKEN_START.as_bytes()),
        })
    }
}

/// The caller's secret, without its scheme.
fn secret(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(AUTHORIZATION).map(|value| {
        let value = value.as_bytes();
        let at = value.iter().position(|byte| *byte == b' ');
        at.and_then(|at| value.get(at + 1..)).unwrap_or(value)
    });
    let mut names = ["x-api-key", "x-goog-api-key"].into_iter();
    let plain = names.find_map(|name| headers.get(name));
    bearer
        .or_else(|| plain.map(http::HeaderValue::as_bytes))
        .map(<[u8]>::trim_ascii)
        .filter(|secret| !secret.is_empty())
}

/// The account within what Claude Code calls its user: `user_…_account_UUID_session_UUID`, or JSON with `account_uuid`.
fn account(user: &str) -> Option<&str> {
    const UUID: usize = 36;
    ["_account_", "\"account_uuid\":\""]
        .into_iter()
        .find_map(|mark| {
            let (_, rest) = user.split_once(mark)?;
            let account = rest.get(..UUID)?;
            let fits = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
            account.bytes().all(fits).then_some(account)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "0b1c2d3e-0000-4000-8000-000000000001";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: http::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    fn login(pairs: &[(&'static str, &str)], user: Option<&str>) -> Option<Login> {
        LoginHasher::new(b"secret").login(Dialect::Messages, &headers(pairs), user)
    }

    #[test]
    fn a_login_is_named_by_its_token() {
        let id = |pairs: &[_]| login(pairs, None).unwrap().id;
        let one = id(&[("authorization", "Bearer one")]);
        assert_eq!(one, id(&[("authorization", "bearer one")]));
        assert_eq!(one, id(&[("x-api-key", "one")]));
        assert_ne!(one, id(&[("authorization", "Bearer two")]));
        assert_eq!(login(&[], None), None);
        assert_eq!(login(&[("authorization", "Bearer ")], None), None);
        let other = LoginHasher::new(b"another secret");
        let given = headers(&[("authorization", "Bearer one")]);
        assert_ne!(
            other.login(Dialect::Messages, &given, None).unwrap().id,
            one
        );
    }

    #[test]
    fn an_account_outlives_its_tokens() {
        let plain = format!("user_ab_account_{ACCOUNT}_session_{ACCOUNT}");
        let json = format!(r#"{{"device_id":"ab","account_uuid":"{ACCOUNT}","session_id":"x"}}"#);
        let id = |token: &str, user: &str| {
            let bearer = format!("Bearer {token}");
            login(&[("authorization", &bearer)], Some(user)).unwrap().id
        };
        assert_eq!(id("one", &plain), id("two", &plain));
        assert_eq!(id("one", &plain), id("two", &json));
        assert_ne!(id("one", "user-1"), id("two", "user-1"));
        let empty = r#"{"account_uuid":""}"#;
        assert_ne!(id("one", empty), id("two", empty));
        let chatgpt = |token, account| {
            let pairs = [("authorization", token), ("chatgpt-account-id", account)];
            login(&pairs, None).unwrap().id
        };
        assert_eq!(chatgpt("Bearer a", "acc"), chatgpt("Bearer b", "acc"));
        assert_ne!(chatgpt("Bearer a", "acc"), chatgpt("Bearer a", "other"));
    }

    #[test]
    fn an_api_key_is_told_from_a_plans_token() {
        let is_api_key = |token: &str| {
            let bearer = format!("Bearer {token}");
            login(&[("authorization", &bearer)], None)
                .unwrap()
                .is_api_key
        };
        assert!(is_api_key("sk-proj-abc"));
        assert!(is_api_key("sk-ant-api03-abc"));
        assert!(!is_api_key("sk-ant-oat01-abc"));
        assert!(!is_api_key("eyJhbGciOi"));
    }
}
