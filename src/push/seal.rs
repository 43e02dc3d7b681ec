//! A message for one browser alone: RFC 8291 over the content coding `aes128gcm` (RFC 8188), in one record.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a public key, as an uncompressed point of P-256.
pub const PUBLIC_KEY: usize = 65;
/// Bytes of what a browser and its pages share besides.
pub const AUTH: usize = 16;

const SALT: usize = 16;
/// Bytes of a record; the message fits into one.
const RECORD: u32 = 4096;
/// Ends the last record.
const LAST: u8 = 2;

/// What a browser tells of itself.
#[derive(Clone, Copy, Debug)]
pub struct Receiver<'a> {
    pub public_key: &'a [u8],
    pub auth: &'a [u8],
}

/// What is chosen for one message.
struct Sender<'a> {
    public_key: &'a [u8],
    /// What both sides agree on.
    shared: &'a [u8],
    salt: [u8; SALT],
}

/// A length that is asked of a key derivation.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Seals `plain`; `None` where the receiver's key is no point of the curve.
pub fn seal(receiver: Receiver<'_>, plain: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?;
    let public_key = own.compute_public_key().ok()?;
    let mut salt = [0; SALT];
    random.fill(&mut salt).ok()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, receiver.public_key);
    agree_ephemeral(own, &theirs, |shared| {
        let sender = Sender {
            public_key: public_key.as_ref(),
            shared,
            salt,
        };
        seal_with(&sender, receiver, plain)
    })
    .ok()?
}

fn seal_with(sender: &Sender<'_>, receiver: Receiver<'_>, plain: &[u8]) -> Option<Vec<u8>> {
    let info = [
        b"WebPush: info\0".as_slice(),
        receiver.public_key,
        sender.public_key,
    ];
    let keying = derive(receiver.auth, sender.shared, &info, 32)?;
    let key = derive(
        &sender.salt,
        &keying,
        &[b"Content-Encoding: aes128gcm\0"],
        16,
    )?;
    let nonce = derive(&sender.salt, &keying, &[b"Content-Encoding: nonce\0"], 12)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let mut record = [plain, &[LAST]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)
        .ok()?;

    let mut sealed = sender.salt.to_vec();
    sealed.extend_from_slice(&RECORD.to_be_bytes());
    sealed.push(u8::try_from(sender.public_key.len()).ok()?);
    sealed.extend_from_slice(sender.public_key);
    sealed.extend_from_slice(&record);
    Some(sealed)
}

/// HKDF (RFC 5869) with SHA-256.
fn derive(salt: &[u8], secret: &[u8], info: &[&[u8]], length: usize) -> Option<Vec<u8>> {
    let mut derived = vec![0; length];
    let secret = Salt::new(HKDF_SHA256, salt).extract(secret);
    let expanded = secret.expand(info, Length(length)).ok()?;
    expanded.fill(&mut derived).ok()?;
    Some(derived)
}

#[cfg(test)]
mod tests {
    use base64::prelude::*;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn the_rfcs_example_is_sealed_as_there() {
        let sender = Sender {
            public_key: &bytes(
                "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
            ),
            shared: &bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        };
        let receiver = Receiver {
            public_key: &bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            auth: &bytes("BTBZMqHH6r4Tts7J_aSIgg"),
        };
        let sealed = seal_with(
            &sender,
            receiver,
            b"When I grow up, I want to be a watermelon",
        );
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(sealed.unwrap()),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn a_key_that_is_no_point_is_refused() {
        let receiver = Receiver {
            public_key: &[4; PUBLIC_KEY],
            auth: &[0; AUTH],
        };
        assert_eq!(seal(receiver, b"x"), None);
    }
}
