//! Who pushes: a key pair of this home's, by which push services know that all messages come from one sender (RFC 8292).

use std::fs;
use std::io;
use std::path::Path;

use base64::prelude::*;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

use crate::runtime::private;

/// The pair, as PKCS #8.
const FILE: &str = "push.key";
/// How long a token holds, in seconds; at most a day is allowed.
const HOLDS_S: i64 = 12 * 3600;
/// Whom a push service may write to. Some refuse a token without one.
const CONTACT: &str = "mailto:tundra@users.noreply.github.com";

/// The key pair.
pub struct Vapid {
    pair: EcdsaKeyPair,
    public_key: String,
    random: SystemRandom,
}

impl Vapid {
    /// Reads the pair in the folder `state`, and makes one where there is none or it is broken.
    ///
    /// # Errors
    /// What the file system says, or that there is no randomness.
    pub fn read_or_make(state: &Path) -> io::Result<Self> {
        let path = state.join(FILE);
        let kept = match fs::read(&path) {
            Ok(kept) => Self::of(&kept),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let no_key = || io::Error::other("no key pair can be made");
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let made = made.map_err(|_| no_key())?;
        private::replace(&path, made.as_ref())?;
        Self::of(made.as_ref()).ok_or_else(no_key)
    }

    fn of(document: &[u8]) -> Option<Self> {
        let random = SystemRandom::new();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document, &random).ok()?;
        Some(Self {
            public_key: BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
            pair,
            random,
        })
    }

    /// In base64url, as an uncompressed point.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// A token for the push service at the origin `audience` (RFC 8292, section 2; RFC 7515).
    pub fn token(&self, audience: &str) -> Option<String> {
        let head = json!({"typ": "JWT", "alg": "ES256"});
        let expires = Timestamp::now().as_second() + HOLDS_S;
        let claims = json!({"aud": audience, "exp": expires, "sub": CONTACT});
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let signature = self.pair.sign(&self.random, signed.as_bytes()).ok()?;
        Some(format!(
            "{signed}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_token_is_signed_by_the_key_that_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let made = Vapid::read_or_make(folder.path()).unwrap();
        let again = Vapid::read_or_make(folder.path()).unwrap();
        assert_eq!(made.public_key(), again.public_key());
        let token = again.token("https://push.example.org").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let public = BASE64_URL_SAFE_NO_PAD.decode(made.public_key()).unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
    }
}
