//! The folder of one run, and the files that are played into terminals.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

pub const MEGABYTE: usize = 1_000_000;

/// Taken away when the bench ends.
pub struct Scratch {
    folder: PathBuf,
}

/// A file to `cat`.
pub struct Sample {
    pub row: &'static str,
    pub file: PathBuf,
    pub bytes: usize,
}

impl Scratch {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("tundra-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A fresh empty folder.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The three files of the throughput rows, made once.
    pub fn samples(&self) -> [Sample; 3] {
        [
            (
                "cat 48 MB base64, MB/s",
                "base64",
                base64 as fn() -> Vec<u8>,
            ),
            (
                "cat 16 MB coloured synchronized redraws, MB/s",
                "redraws",
                redraws,
            ),
            ("cat 16 MB mixed UTF-8, MB/s", "utf8", utf8),
        ]
        .map(|(row, name, make)| {
            let file = self.path(name);
            if !file.exists() {
                fs::write(&file, make()).unwrap();
            }
            let bytes = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
            Sample { row, file, bytes }
        })
    }

    /// 10,000 lines of 100 columns, and some more that stay on the screen.
    pub fn history(&self) -> PathBuf {
        let file = self.path("history");
        let mut random = Random(7);
        let text: String = (0..10_100)
            .map(|_| {
                (0..100)
                    .map(|_| random.letter())
                    .chain(['\n'])
                    .collect::<String>()
            })
            .collect();
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn write_script(path: &Path, script: &str) {
    fs::write(path, format!("{script}\n")).unwrap();
}

/// xorshift64*: the same bytes in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn letter(&mut self) -> char {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char::from(ALPHABET[self.below(ALPHABET.len())])
    }
}

/// Lines of 76 characters, as `base64` writes random bytes.
fn base64() -> Vec<u8> {
    let mut random = Random(1);
    let mut text = String::with_capacity(48 * MEGABYTE + 80);
    while text.len() < 48 * MEGABYTE {
        text.extend((0..76).map(|_| random.letter()));
        text.push('\n');
    }
    text.into_bytes()
}

/// Whole screens of 200x50 in changing colours, each in a synchronized update, as agent command lines repaint.
fn redraws() -> Vec<u8> {
    let mut random = Random(2);
    let mut text = String::with_capacity(16 * MEGABYTE + 20_000);
    while text.len() < 16 * MEGABYTE {
        text.push_str("\x1b[?2026h\x1b[H");
        for row in 0..50 {
            write!(text, "\x1b[{};1H", row + 1).unwrap();
            let mut col = 0;
            while col < 190 {
                let (red, green, blue) = (random.below(256), random.below(256), random.below(256));
                match random.below(3) {
                    0 => write!(text, "\x1b[38;2;{red};{green};{blue}m").unwrap(),
                    1 => write!(text, "\x1b[1;38;5;{red};48;5;{green}m").unwrap(),
                    _ => write!(text, "\x1b[0;3{}m", red % 8).unwrap(),
                }
                let length = 4 + random.below(12);
                text.extend((0..length.min(200 - col)).map(|_| random.letter()));
                col += length;
            }
            text.push_str("\x1b[m\x1b[K");
        }
        text.push_str("\x1b[?2026l");
    }
    text.push_str("\x1b[50;1H\n");
    text.into_bytes()
}

/// Words of Latin, Greek, Cyrillic, CJK, Hangul, emoji and combining characters.
fn utf8() -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "plain",
        "ascii",
        "words",
        "naïve",
        "façade",
        "Übergröße",
        "ελληνικά",
        "слово",
        "Привет",
        "日本語",
        "漢字",
        "한국어",
        "😀",
        "👍🎉",
        "e\u{301}a\u{308}o\u{302}",
        "→│─┼█",
    ];
    let mut random = Random(3);
    let mut text = String::with_capacity(16 * MEGABYTE + 400);
    while text.len() < 16 * MEGABYTE {
        for _ in 0..12 {
            text.push_str(WORDS[random.below(WORDS.len())]);
            text.push(' ');
        }
        text.push('\n');
    }
    text.into_bytes()
}
