//! Web Push: a browser without a page is told of agents, and nobody else can read what.

use std::os::unix::fs::MetadataExt;

use base64::prelude::*;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::SystemRandom;
use ring::signature;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::upstream::{Seen, Upstream, answer};
use crate::support::viewer::Remote;
use crate::support::{Home, Serve, eventually};

const AUTH: [u8; 16] = *b"sixteen bytes ok";
const CONFIG: &str =
    "[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\n[notify]\ndwell = \"100ms\"\n";

fn text(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A browser, which can read one message.
struct Browser {
    private: EphemeralPrivateKey,
    public: Vec<u8>,
}

impl Browser {
    fn new() -> Self {
        let private = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
        let public = private.compute_public_key().unwrap();
        Self {
            public: public.as_ref().to_vec(),
            private,
        }
    }

    fn subscription(&self, endpoint: &str) -> Value {
        json!({
            "endpoint": endpoint, "expirationTime": null,
            "keys": {"p256dh": text(&self.public), "auth": text(AUTH)},
        })
    }

    /// Opens a message as a browser does (RFC 8291, section 3.4; RFC 8188, section 2).
    fn open(self, sealed: &[u8]) -> Vec<u8> {
        let (salt, rest) = sealed.split_at(16);
        let (record, rest) = rest.split_at(4);
        assert_eq!(record, 4096_u32.to_be_bytes());
        let (length, rest) = rest.split_first().unwrap();
        let (theirs, body) = rest.split_at(usize::from(*length));
        let public = UnparsedPublicKey::new(&ECDH_P256, theirs);
        let shared = agree_ephemeral(self.private, &public, <[u8]>::to_vec).unwrap();
        let info = [b"WebPush: info\0".as_slice(), &self.public, theirs];
        let keying = derive(&AUTH, &shared, &info, 32);
        let key = derive(salt, &keying, &[b"Content-Encoding: aes128gcm\0"], 16);
        let nonce = derive(salt, &keying, &[b"Content-Encoding: nonce\0"], 12);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let mut body = body.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut body).unwrap();
        let (last, plain) = plain.split_last().unwrap();
        assert_eq!(*last, 2, "the last record ends so");
        plain.to_vec()
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(salt: &[u8], secret: &[u8], info: &[&[u8]], length: usize) -> Vec<u8> {
    let mut derived = vec![0; length];
    let secret = Salt::new(HKDF_SHA256, salt).extract(secret);
    secret
        .expand(info, Length(length))
        .unwrap()
        .fill(&mut derived)
        .unwrap();
    derived
}

/// An agent that asks its user at once.
fn asks(serve: &Serve, name: &str) -> String {
    let script = "printf '\\033]9;may I?\\007'; exec cat";
    serve.open_with(&["--agent", "shell", "--name", name], &["sh", "-c", script])
}

/// Checks who says to have sent it (RFC 8292), by the key that the browser was given.
fn check_sender(seen: &Seen, key: &str, origin: &str) {
    let told = seen.header("authorization").unwrap();
    let (token, shown) = told
        .strip_prefix("vapid t=")
        .unwrap()
        .split_once(", k=")
        .unwrap();
    assert_eq!(shown, key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, bytes(key))
        .verify(signed.as_bytes(), &bytes(signature))
        .unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let head: Value = serde_json::from_slice(&bytes(head)).unwrap();
    assert_eq!(head, json!({"typ": "JWT", "alg": "ES256"}));
    let claims: Value = serde_json::from_slice(&bytes(claims)).unwrap();
    assert_eq!(claims["aud"], origin);
    assert!(claims["sub"].as_str().unwrap().starts_with("mailto:"));
}

#[test]
fn a_browser_without_a_page_is_told_by_its_push_service() {
    let service = Upstream::start(answer(201, &[], ""));
    let gone = Upstream::start(answer(410, &[], ""));
    let mut serve = Serve::at(Home::with_config(CONFIG));
    let remote = Remote::of(&serve);
    let key = remote.ask("GET", "/api/push", &Value::Null).json();
    let key = key["key"].as_str().unwrap().to_owned();
    assert_eq!(bytes(&key).len(), 65);

    let browser = Browser::new();
    let endpoint = format!("{}/send/abc?x=1", service.url());
    let taken = remote.ask("POST", "/api/push", &browser.subscription(&endpoint));
    assert_eq!((taken.status, taken.body.as_str()), (204, ""));
    let forgotten = Browser::new().subscription(&gone.url());
    assert_eq!(remote.ask("POST", "/api/push", &forgotten).status, 204);
    let state = serve.home.path().join("state");
    for file in ["push.key", "push.json"] {
        let mode = std::fs::metadata(state.join(file)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    let id = asks(&serve, "reviewer");
    eventually("both services were asked", || {
        (service.requests() == 1 && gone.requests() == 1).then_some(())
    });
    let seen = &service.seen()[0];
    assert_eq!(seen.path(), "/send/abc?x=1");
    for (name, value) in [
        ("content-encoding", "aes128gcm"),
        ("urgency", "high"),
        ("topic", &*id.replace('-', "")),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert!(seen.header("ttl").unwrap().parse::<u32>().unwrap() > 0);
    check_sender(seen, &key, &service.url());
    let told: Value = serde_json::from_slice(&browser.open(&seen.body)).unwrap();
    assert_eq!(told, json!({"id": id, "text": "reviewer waits for you"}));
    // Who is subscribed no longer is forgotten; the other one outlives a restart.
    let kept = || std::fs::read_to_string(state.join("push.json")).unwrap();
    eventually("the stale one is forgotten", || {
        (!kept().contains(&gone.url())).then_some(())
    });
    assert!(kept().contains(&endpoint));

    serve.end(Signal::TERM);
    let home = serve.into_home();
    let serve = Serve::at(home);
    let remote = Remote::of(&serve);
    let again = remote.ask("GET", "/api/push", &Value::Null).json();
    assert_eq!(again["key"], key.as_str());
    asks(&serve, "other");
    eventually("it is told again", || {
        (service.requests() == 2).then_some(())
    });
    let ended = remote.ask("DELETE", "/api/push", &json!({"endpoint": endpoint}));
    assert_eq!(ended.status, 204);
    assert!(!kept().contains(&endpoint));
    assert_eq!(gone.requests(), 1);
}

#[test]
fn only_a_session_subscribes_and_only_what_a_browser_gives() {
    let (_serve, remote) = super::instance("");
    let fine = Browser::new().subscription("https://push.example.org/x");
    for method in ["GET", "POST", "DELETE"] {
        let refused = remote.raw(method, "/api/push", &[], &fine.to_string());
        assert_eq!(refused.status, 401, "{method}");
    }
    let mut key_of_nobody = fine.clone();
    key_of_nobody["keys"]["p256dh"] = text([4; 65]).into();
    let mut short = fine.clone();
    short["keys"]["auth"] = "AAAA".into();
    for wrong in [
        json!({}),
        json!({"endpoint": "https://push.example.org/x"}),
        key_of_nobody,
        short,
        Browser::new().subscription("http://push.example.org/x"),
        Browser::new().subscription("file:///etc/passwd"),
    ] {
        let refused = remote.ask("POST", "/api/push", &wrong);
        assert_eq!(refused.status, 400, "{wrong}");
    }
    assert_eq!(remote.ask("PUT", "/api/push", &fine).status, 405);
    for number in 0..32 {
        let one = Browser::new().subscription(&format!("https://push.example.org/{number}"));
        assert_eq!(remote.ask("POST", "/api/push", &one).status, 204);
    }
    assert_eq!(remote.ask("POST", "/api/push", &fine).status, 429);
    // The worker is served from the root, so that it may show notices for all of the page.
    let worker = remote.raw("GET", "/sw.js", &[], "");
    assert_eq!(worker.status, 200);
    assert!(
        worker
            .header("content-type")
            .unwrap()
            .starts_with("text/javascript")
    );
}
