//! The browsers that asked to be told, as they are kept.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use base64::prelude::*;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::error::PushError;
use super::seal::{self, AUTH, PUBLIC_KEY, Receiver};
use crate::runtime::private;

/// Browsers that are told.
const MOST: usize = 32;
/// The longest address, in bytes.
const LONGEST: usize = 2048;
const FILE: &str = "push.json";

/// A browser, as it gives itself (`PushSubscription.toJSON`).
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Subscription {
    endpoint: String,
    keys: Keys,
}

#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl Subscription {
    /// Looks whether messages could be sent to it.
    ///
    /// # Errors
    /// [`PushError::Malformed`] where its address is not one that may be asked, or its keys are none.
    pub fn check(&self) -> Result<(), PushError> {
        if self.endpoint.len() > LONGEST || !is_allowed(&self.endpoint) {
            return Err(PushError::Malformed("endpoint must be an https address"));
        }
        let bytes = |text: &str| decode(text).map_or(0, |bytes| bytes.len());
        if bytes(&self.keys.p256dh) != PUBLIC_KEY || self.seal(b"").is_none() {
            return Err(PushError::Malformed(
                "keys.p256dh must be a public key of P-256",
            ));
        }
        if bytes(&self.keys.auth) != AUTH {
            return Err(PushError::Malformed("keys.auth must be 16 bytes"));
        }
        Ok(())
    }

    /// Where messages for it go; whoever knows it and the keys can write to it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The origin of its push service.
    pub fn audience(&self) -> &str {
        let after = self.endpoint.find("://").map_or(0, |at| at + 3);
        let rest = self.endpoint.get(after..).unwrap_or_default();
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        self.endpoint.get(..after + end).unwrap_or_default()
    }

    /// The name of its push service, which is no secret.
    pub fn service(&self) -> String {
        let url = Url::parse(&self.endpoint).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or_default().to_owned()
    }

    pub fn seal(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let (public_key, auth) = (decode(&self.keys.p256dh)?, decode(&self.keys.auth)?);
        let receiver = Receiver {
            public_key: &public_key,
            auth: &auth,
        };
        seal::seal(receiver, plain)
    }
}

/// Browsers leave the padding out; some libraries do not.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .ok()
}

/// `https`, or plain to this machine, where nobody listens in between.
fn is_allowed(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let has_user = !url.username().is_empty() || url.password().is_some();
    !host.is_empty() && !has_user && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

/// All of them, the oldest first; no two have the same address.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Subscriptions {
    subscriptions: Vec<Subscription>,
}

impl Subscriptions {
    /// Those that are kept in the folder `state`.
    ///
    /// # Errors
    /// What the file system says; a file that is none of ours counts as an error too.
    pub fn read(state: &Path) -> io::Result<Self> {
        match fs::read(state.join(FILE)) {
            Ok(kept) => {
                let mut read: Self = serde_json::from_slice(&kept)?;
                read.subscriptions.retain(|one| one.check().is_ok());
                read.subscriptions.truncate(MOST);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Keeps them in the folder `state`, in place of what is kept there.
    ///
    /// # Errors
    /// What the file system says; the file is as it was then.
    pub fn write(&self, state: &Path) -> io::Result<()> {
        private::replace(&state.join(FILE), &serde_json::to_vec(self)?)
    }

    /// Takes a browser in; one of the same address goes.
    ///
    /// # Errors
    /// [`PushError::TooMany`] where no more are taken.
    pub fn add(&mut self, subscription: Subscription) -> Result<(), PushError> {
        self.remove(&subscription.endpoint);
        if self.subscriptions.len() >= MOST {
            return Err(PushError::TooMany { most: MOST });
        }
        self.subscriptions.push(subscription);
        Ok(())
    }

    /// Answers whether there was one.
    pub fn remove(&mut self, endpoint: &str) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|one| one.endpoint != endpoint);
        self.subscriptions.len() != before
    }

    pub fn len(&self) -> usize {
        self.subscriptions.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(endpoint: &str) -> Subscription {
        Subscription {
            endpoint: endpoint.to_owned(),
            keys: Keys {
                // RFC 8291, section 5.
                p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4".to_owned(),
                auth: "BTBZMqHH6r4Tts7J_aSIgg==".to_owned(),
            },
        }
    }

    #[test]
    fn only_push_services_are_asked() {
        for (endpoint, is_taken) in [
            ("https://push.example.org/send/x?y=z", true),
            ("http://127.0.0.1:9/x", true),
            ("http://[::1]:9/x", true),
            ("http://push.example.org/x", false),
            ("https://user:secret@push.example.org/x", false),
            ("ftp://push.example.org/x", false),
            ("file:///etc/passwd", false),
            ("x", false),
        ] {
            assert_eq!(
                subscription(endpoint).check().is_ok(),
                is_taken,
                "{endpoint}"
            );
        }
        let asked = subscription("https://push.example.org:8443/send/x?y=z");
        assert_eq!(asked.audience(), "https://push.example.org:8443");
        assert_eq!(asked.service(), "push.example.org");
        let mut broken = subscription("https://push.example.org/x");
        broken.keys.auth = "AAAA".to_owned();
        assert!(broken.check().is_err());
    }

    #[test]
    fn what_is_kept_is_read_again_and_no_address_twice() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = Subscriptions::default();
        for number in 0..MOST {
            all.add(subscription(&format!("https://push.example.org/{number}")))
                .unwrap();
        }
        assert!(
            all.add(subscription("https://push.example.org/more"))
                .is_err()
        );
        assert!(all.add(subscription("https://push.example.org/1")).is_ok());
        assert!(
            all.remove("https://push.example.org/2") && !all.remove("https://push.example.org/2")
        );
        all.write(folder.path()).unwrap();
        let read = Subscriptions::read(folder.path()).unwrap();
        assert_eq!(read.len(), MOST - 1);
        assert!(read.iter().eq(all.iter()));
        assert_eq!(
            Subscriptions::read(&folder.path().join("none"))
                .unwrap()
                .len(),
            0
        );
    }
}
