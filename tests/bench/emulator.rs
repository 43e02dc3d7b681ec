//! How fast the emulator alone takes in output, and what its history costs: `cargo bench --bench emulator`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tundra::domain::size::Size;
use tundra::pane::emulator::{Emulator, Feedback};

/// The size of a chunk as a pty gives it, in bytes.
const CHUNK: usize = 4096;
/// How often a front end looks.
const FRAME: Duration = Duration::from_millis(16);

fn main() -> std::io::Result<()> {
    let payloads: [(&str, Vec<u8>); 8] = [
        ("base64", base64(48 << 20)),
        ("coloured redraw", redraw(16 << 20)),
        ("mixed utf-8", utf8(16 << 20)),
        ("y lines", b"y\r\n".repeat(4 << 20)),
        ("region scroll", region(8 << 20)),
        ("agent output", agent(16 << 20)),
        ("coloured log", log(16 << 20)),
        ("cursor motion", motion(8 << 20)),
    ];
    // First, so that nothing freed before is taken for memory that was not needed.
    let memory = memory();
    let mut table = String::new();
    for (name, payload) in &payloads {
        let speeds: Vec<f64> = (0..3).map(|_| speed(payload)).collect();
        let best = speeds.iter().copied().fold(0.0, f64::max);
        let _ = writeln!(table, "{name:16} {best:8.1} MB/s");
    }
    let _ = writeln!(table, "{}", snapshots());
    let _ = writeln!(table, "{memory}");
    std::io::Write::write_all(&mut std::io::stdout(), table.as_bytes())
}

/// Megabytes a second in chunks, looked at as often as a front end does.
fn speed(payload: &[u8]) -> f64 {
    let mut emulator = Emulator::new(Size::clamped(200, 50), 10_000);
    let mut feedback = Feedback::default();
    let mut previous = None;
    let start = Instant::now();
    let mut frame = start;
    for chunk in payload.chunks(CHUNK) {
        emulator.feed(chunk, &mut feedback);
        if frame.elapsed() > FRAME {
            previous = Some(emulator.snapshot(previous.as_ref()));
            frame = Instant::now();
        }
    }
    black_box(emulator.snapshot(previous.as_ref()));
    let megabytes = f64::from(u32::try_from(payload.len()).unwrap_or(u32::MAX)) / 1e6;
    megabytes / start.elapsed().as_secs_f64()
}

/// What a snapshot costs when one row has changed, and when all have.
fn snapshots() -> String {
    let mut emulator = Emulator::new(Size::clamped(200, 50), 100);
    let mut feedback = Feedback::default();
    emulator.feed(&redraw(1 << 20), &mut feedback);
    let mut previous = emulator.snapshot(None);
    let mut cost = |change: &dyn Fn(u32) -> String| {
        let mut total = Duration::ZERO;
        for round in 0..200 {
            emulator.feed(change(round).as_bytes(), &mut feedback);
            let start = Instant::now();
            previous = emulator.snapshot(Some(&previous));
            total += start.elapsed();
        }
        total / 200
    };
    let one = cost(&|round| format!("\x1b[10;10H{round}"));
    let all = cost(&|round| format!("\x1b[50;1H{round}\r\n"));
    format!("snapshot: one row changed {one:?}, all rows {all:?}")
}

/// The memory that 10,000 lines of 100 columns take.
fn memory() -> String {
    let mut feedback = Feedback::default();
    let mut line = "x".repeat(100);
    line.push_str("\r\n");
    let before = resident();
    let mut emulator = Emulator::new(Size::clamped(200, 50), 10_000);
    let empty = resident();
    for _ in 0..10_100 {
        emulator.feed(line.as_bytes(), &mut feedback);
    }
    let full = resident();
    black_box(emulator.snapshot(None));
    format!(
        "memory: empty {} KiB, with 10,000 lines of 100 columns {} KiB more",
        empty - before,
        full - empty
    )
}

/// Resident memory of this process in KiB; 0 where it cannot be told.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok())
        .unwrap_or(0)
}

/// A small generator of numbers that look random.
struct Noise(usize);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn base64(size: usize) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut noise = Noise(1);
    let mut out = Vec::with_capacity(size + 80);
    while out.len() < size {
        out.extend((0..76).map(|_| digits[noise.next(64)]));
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Whole screens in 24-bit colours, each within a synchronized update.
fn redraw(size: usize) -> Vec<u8> {
    let mut noise = Noise(2);
    let mut out = String::with_capacity(size + 20_000);
    while out.len() < size {
        out.push_str("\x1b[?2026h\x1b[H");
        for row in 1..=50 {
            let _ = write!(out, "\x1b[{row};1H");
            for _ in 0..20 {
                let (red, green) = (noise.next(256), noise.next(256));
                let _ = write!(
                    out,
                    "\x1b[38;2;{red};{green};120mword{:05} ",
                    noise.next(100_000)
                );
            }
            out.push_str("\x1b[0m\x1b[K");
        }
        out.push_str("\x1b[?2026l");
    }
    out.into_bytes()
}

fn utf8(size: usize) -> Vec<u8> {
    let words = [
        "plain",
        "naïve",
        "Übergröße",
        "日本語",
        "한국어",
        "русский",
        "ελληνικά",
        "🎉",
        "e\u{301}",
        "❤\u{fe0f}",
    ];
    let mut noise = Noise(3);
    let mut out = String::with_capacity(size + 200);
    while out.len() < size {
        for _ in 0..noise.next(12) {
            out.push_str(words[noise.next(words.len())]);
            out.push(' ');
        }
        out.push_str("\r\n");
    }
    out.into_bytes()
}

fn region(size: usize) -> Vec<u8> {
    let mut out = String::from("\x1b[1;40r\x1b[40;1H");
    let mut number = 0;
    while out.len() < size {
        number += 1;
        let _ = write!(out, "line {number} that scrolls within a region\r\n");
    }
    out.into_bytes()
}

/// What agents write: a status line redrawn above lines that scroll.
fn agent(size: usize) -> Vec<u8> {
    let mut out = String::with_capacity(size + 1000);
    let mut number = 0;
    while out.len() < size {
        number += 1;
        out.push_str("\x1b[?2026h\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[G");
        let _ = write!(
            out,
            "\x1b[38;5;12m●\x1b[39m \x1b[1mRead\x1b[22m(src/file_{number}.rs) and some more words here\r\n"
        );
        let _ = write!(
            out,
            "  \x1b[2m⎿ {number} lines\x1b[22m\r\n\x1b[38;2;215;119;87m✻ Thinking… ({number}s)\x1b[39m\r\n> \x1b[?2026l"
        );
    }
    out.into_bytes()
}

fn log(size: usize) -> Vec<u8> {
    let mut out = String::with_capacity(size + 200);
    let mut number = 0;
    while out.len() < size {
        number += 1;
        let _ = write!(
            out,
            "\x1b[32m   Compiling\x1b[0m crate-{number} v1.2.{}\t(\x1b[4mpath\x1b[24m)\x1b[K\r\n",
            number % 10
        );
    }
    out.into_bytes()
}

fn motion(size: usize) -> Vec<u8> {
    let mut noise = Noise(4);
    let mut out = String::with_capacity(size + 20);
    while out.len() < size {
        let _ = write!(out, "\x1b[{};{}Hx", noise.next(50) + 1, noise.next(200) + 1);
    }
    out.into_bytes()
}
