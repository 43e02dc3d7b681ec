//! A validating JSON scanner that tells tokens as spans of the text, so that one value can be cut out and all other
//! bytes stay as they are.

use std::borrow::Cow;

use memchr::memchr2;
use thiserror::Error;

/// Deeper nesting than any client sends; bounds the stack that a hostile body can make us keep.
const MAX_DEPTH: usize = 512;

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{what} at byte {at}")]
pub struct Malformed {
    pub what: &'static str,
    pub at: usize,
}

/// Where a token stands in the text: `start..end`, for strings without their quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The span's bytes in the text that it was scanned from; empty when it does not fit.
    pub fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// The characters that a key or a string stands for, however they are escaped.
    pub fn text<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let raw = self.of(text);
        if memchr::memchr(b'\\', raw).is_none() {
            return Cow::Borrowed(raw);
        }
        let quoted = [b"\"", raw, b"\""].concat();
        match serde_json::from_slice::<String>(&quoted) {
            Ok(plain) => Cow::Owned(plain.into_bytes()),
            // A lone surrogate, which no key of ours has.
            Err(_) => Cow::Borrowed(raw),
        }
    }

    pub fn len(&self) -> usize {
        self.end - self.start
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Key(Span),
    String(Span),
    Number(Span),
    True,
    False,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    KeyOrEnd,
    Key,
    CommaOrEnd,
    Nothing,
}

/// Steps through one JSON text (RFC 8259), refusing what is not grammatical.
///
/// It is laxer than the grammar in one point: control characters within strings pass, since the upstream judges them
/// itself and a second look at every byte would cost as much as the rest. UTF-8 is checked by [`Scanner::new`].
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    expect: Expect,
    /// True for an object, false for an array.
    open: Vec<bool>,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a [u8]) -> Result<Self, Malformed> {
        if let Err(error) = std::str::from_utf8(text) {
            return Err(Malformed {
                what: "not UTF-8",
                at: error.valid_up_to(),
            });
        }
        Ok(Self {
            text,
            at: 0,
            expect: Expect::Value,
            open: Vec::new(),
        })
    }

    /// How many objects and arrays are open: 1 within the outermost.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next token, or none after a whole text.
    pub fn next_token(&mut self) -> Result<Option<Token>, Malformed> {
        loop {
            self.skip_blanks();
            let Some(byte) = self.peek() else {
                return if self.expect == Expect::Nothing {
                    Ok(None)
                } else {
                    Err(self.wrong("text ends early"))
                };
            };
            match self.expect {
                Expect::Nothing => return Err(self.wrong("more than one value")),
                Expect::CommaOrEnd => {
                    if byte == b',' {
                        self.at += 1;
                        self.expect = if self.in_object() {
                            Expect::Key
                        } else {
                            Expect::Value
                        };
                        continue;
                    }
                    return self.close(byte).map(Some);
                }
                Expect::KeyOrEnd if byte == b'}' => return self.close(byte).map(Some),
                Expect::Key | Expect::KeyOrEnd => return self.key(byte).map(Some),
                Expect::ValueOrEnd if byte == b']' => return self.close(byte).map(Some),
                Expect::Value | Expect::ValueOrEnd => return self.value(byte).map(Some),
            }
        }
    }

    fn key(&mut self, byte: u8) -> Result<Token, Malformed> {
        if byte != b'"' {
            return Err(self.wrong("expected a key"));
        }
        let span = self.string()?;
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.wrong("expected a colon"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Token::Key(span))
    }

    fn value(&mut self, byte: u8) -> Result<Token, Malformed> {
        let token = match byte {
            b'{' => return self.open(true),
            b'[' => return self.open(false),
            b'"' => Token::String(self.string()?),
            b't' => self.word(b"true", Token::True)?,
            b'f' => self.word(b"false", Token::False)?,
            b'n' => self.word(b"null", Token::Null)?,
            b'-' | b'0'..=b'9' => Token::Number(self.number()?),
            _ => return Err(self.wrong("expected a value")),
        };
        self.expect = self.after_value();
        Ok(token)
    }

    fn open(&mut self, object: bool) -> Result<Token, Malformed> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.wrong("nested too deep"));
        }
        self.at += 1;
        self.open.push(object);
        if object {
            self.expect = Expect::KeyOrEnd;
            Ok(Token::ObjectStart)
        } else {
            self.expect = Expect::ValueOrEnd;
            Ok(Token::ArrayStart)
        }
    }

    fn close(&mut self, byte: u8) -> Result<Token, Malformed> {
        let token = match (byte, self.open.last()) {
            (b'}', Some(true)) => Token::ObjectEnd,
            (b']', Some(false)) => Token::ArrayEnd,
            _ => return Err(self.wrong("expected a comma or an end")),
        };
        self.at += 1;
        self.open.pop();
        self.expect = self.after_value();
        Ok(token)
    }

    fn after_value(&self) -> Expect {
        if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrEnd
        }
    }

    fn in_object(&self) -> bool {
        self.open.last() == Some(&true)
    }

    fn string(&mut self) -> Result<Span, Malformed> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                self.at = self.text.len();
                return Err(self.wrong("string without an end"));
            };
            at += found;
            if self.text.get(at) == Some(&b'"') {
                self.at = at + 1;
                return Ok(Span { start, end: at });
            }
            at += match self.text.get(at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                Some(b'u') if self.four_hex(at + 2) => 6,
                _ => {
                    self.at = at;
                    return Err(self.wrong("unknown escape"));
                }
            };
        }
    }

    fn four_hex(&self, at: usize) -> bool {
        self.text
            .get(at..at + 4)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    fn number(&mut self) -> Result<Span, Malformed> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Span {
            start,
            end: self.at,
        })
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let before = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == before {
            return Err(self.wrong("expected a digit"));
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8], token: Token) -> Result<Token, Malformed> {
        if self.text.get(self.at..self.at + word.len()) == Some(word) {
            self.at += word.len();
            Ok(token)
        } else {
            Err(self.wrong("unknown word"))
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn wrong(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.at }
    }
}

/// Checks that a text is one whole JSON value.
pub fn validate(text: &[u8]) -> Result<(), Malformed> {
    let mut scanner = Scanner::new(text)?;
    while scanner.next_token()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tells_the_span_of_a_value() {
        let text = br#"{"a":[1,{"model":"no"}], "model" : "claude-\"x\"" }"#;
        let mut scanner = Scanner::new(text).unwrap();
        let mut found = None;
        let mut key = false;
        while let Some(token) = scanner.next_token().unwrap() {
            match token {
                Token::Key(span) => key = scanner.depth() == 1 && span.of(text) == b"model",
                Token::String(span) if key => found = Some(span),
                _ => key = false,
            }
        }
        assert_eq!(found.unwrap().of(text), br#"claude-\"x\""#);
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{'a':1}",
            "nul",
            "01",
            "1.",
            "-",
            "1e",
            "\"\\x\"",
            "\"\\u12g4\"",
            "[1] 2",
            "{\"a\" 1}",
            "[1 2]",
            "\"open",
            "]",
            "hello",
        ] {
            assert!(validate(text.as_bytes()).is_err(), "{text}");
        }
        assert!(validate(b"\"\xff\"").is_err());
        assert!(validate("[".repeat(600).as_bytes()).is_err());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                proptest::collection::hash_map(".*", inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn accepts_every_json(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
            prop_assert_eq!(validate(&text), Ok(()));
        }

        #[test]
        fn agrees_with_another_parser(value in json(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut text = serde_json::to_vec(&value).unwrap();
            let at = cut.index(text.len());
            text[at] = byte;
            let control = byte < 0x20;
            let known = serde_json::from_slice::<serde_json::Value>(&text);
            // Numbers out of range and lone surrogates are grammatical; the other parser refuses them.
            let grammar = known.as_ref().err().is_none_or(|error| {
                let error = error.to_string();
                !error.contains("out of range") && !error.contains("surrogate") && !error.contains("hex escape")
            });
            if !control && grammar {
                prop_assert_eq!(validate(&text).is_ok(), known.is_ok(), "{}", String::from_utf8_lossy(&text));
            }
        }
    }
}
