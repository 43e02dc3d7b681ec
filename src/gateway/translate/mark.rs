//! Marks on reasoning that was told in another dialect than its maker's.
//!
//! A vendor takes back no reasoning but its own, so a caller is given the maker's proof with the maker's name before it,
//! in the place where its dialect has a proof. On the way back the mark tells whether the endpoint that is asked made it;
//! every other one never sees it.

use std::fmt::Write as _;

use ring::digest;

use crate::domain::profile::TranslatedDialect;
use crate::gateway::wire::ir::answer::Proof;

/// What every mark begins with.
pub const PREFIX: &str = "tundra-1.";
/// What the ids of tundra's own making hold after their type.
pub const ID_PART: &str = "_tundra_";

/// Names an endpoint: an address and the dialect in which it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker(String);

impl Maker {
    pub fn of(base_url: &str, dialect: TranslatedDialect) -> Self {
        let endpoint = format!("{} {}", base_url.trim_end_matches('/'), dialect.as_str());
        Self(hex_digest(endpoint.as_bytes(), 16))
    }
}

/// The first `length` hexadecimal digits of the SHA-256 of `text`.
pub fn hex_digest(text: &[u8], length: usize) -> String {
    let digest = digest::digest(&digest::SHA256, text);
    let mut digits = String::with_capacity(64);
    for byte in digest.as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits.truncate(length);
    digits
}

/// The mark for a proof.
pub fn write(maker: &Maker, proof: &Proof) -> String {
    let kind = if proof.redacted { "r" } else { "p" };
    let id = proof
        .id
        .as_deref()
        .filter(|id| !id.contains('.'))
        .unwrap_or_default();
    let data = proof.data.as_deref().unwrap_or_default();
    format!("{PREFIX}{}.{kind}.{id}.{data}", maker.0)
}

/// The maker and its proof; `None` for what is no mark.
pub fn read(text: &str) -> Option<(Maker, Proof)> {
    let mut fields = text.strip_prefix(PREFIX)?.splitn(4, '.');
    let (maker, kind) = (fields.next()?, fields.next()?);
    let filled = |field: Option<&str>| field.filter(|text| !text.is_empty()).map(str::to_owned);
    Some((
        Maker(maker.to_owned()),
        Proof {
            id: filled(fields.next()),
            data: filled(fields.next()),
            redacted: kind == "r",
        },
    ))
}

pub fn is_mark(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether an item's id is one of tundra's making.
pub fn is_own_id(id: &str) -> bool {
    id.split_once(ID_PART).is_some_and(|(kind, _)| {
        !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_gives_back_what_it_holds() {
        let maker = Maker::of("https://api.example.com/", TranslatedDialect::Responses);
        assert_eq!(
            maker,
            Maker::of("https://api.example.com", TranslatedDialect::Responses)
        );
        assert_ne!(
            maker,
            Maker::of("https://api.example.com", TranslatedDialect::Chat)
        );
        let proofs = [
            Proof::default(),
            Proof {
                data: Some("a.b=.c".to_owned()),
                id: Some("rs_1".to_owned()),
                redacted: false,
            },
            Proof {
                data: Some("x".to_owned()),
                id: None,
                redacted: true,
            },
        ];
        for proof in proofs {
            let mark = write(&maker, &proof);
            assert!(is_mark(&mark));
            assert_eq!(read(&mark), Some((maker.clone(), proof)));
        }
        assert_eq!(read("EqQBCg=="), None);
    }

    #[test]
    fn own_ids_are_told_from_others() {
        assert!(is_own_id("msg_tundra_ab_0") && is_own_id("rs_tundra_ab_0"));
        assert!(!is_own_id("call_of_tundra_x") && !is_own_id("msg_1") && !is_own_id("_tundra_"));
    }
}
