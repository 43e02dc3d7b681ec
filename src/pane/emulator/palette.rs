//! Colours that programs set and ask for (OSC 4, 10 to 12, 104, 110 to 112). They are remembered for the answers alone.

use std::collections::HashMap;

use super::kept::KeptColor;
use crate::domain::screen::Backdrop;
use crate::pane::backdrop::SharedBackdrop;

pub(super) type Rgb = [u8; 3];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    Indexed(u8),
    Foreground,
    Background,
    Cursor,
}

#[derive(Default)]
pub(super) struct Palette {
    set: HashMap<Slot, Rgb>,
    /// What programs draw on that set nothing.
    backdrop: SharedBackdrop,
}

impl Palette {
    pub fn get(&self, slot: Slot) -> Rgb {
        self.set
            .get(&slot)
            .copied()
            .unwrap_or_else(|| self.default_of(slot))
    }

    fn default_of(&self, slot: Slot) -> Rgb {
        match slot {
            Slot::Indexed(index) => indexed(index),
            Slot::Foreground | Slot::Cursor => self.backdrop.get().foreground,
            Slot::Background => self.backdrop.get().background,
        }
    }

    pub fn backdrop(&self) -> &SharedBackdrop {
        &self.backdrop
    }

    pub fn set_backdrop(&mut self, backdrop: SharedBackdrop) {
        self.backdrop = backdrop;
    }

    /// Whether the background that the program sees is light.
    pub fn is_light(&self) -> bool {
        Backdrop::on(self.get(Slot::Background)).is_light()
    }

    /// Forgets what the program has set.
    pub fn reset_all(&mut self) {
        self.set.clear();
    }

    pub fn set(&mut self, slot: Slot, color: Rgb) {
        self.set.insert(slot, color);
    }

    pub fn keep(&self) -> Vec<KeptColor> {
        let kept = self.set.iter().map(|(slot, rgb)| KeptColor {
            slot: match slot {
                Slot::Indexed(index) => index.to_string(),
                Slot::Foreground => "foreground".to_owned(),
                Slot::Background => "background".to_owned(),
                Slot::Cursor => "cursor".to_owned(),
            },
            rgb: *rgb,
        });
        kept.collect()
    }

    /// The colours that were kept; one for a slot that is not known here is left out.
    pub fn resume(kept: &[KeptColor]) -> Self {
        let slot = |name: &str| {
            Some(match name {
                "foreground" => Slot::Foreground,
                "background" => Slot::Background,
                "cursor" => Slot::Cursor,
                index => Slot::Indexed(index.parse().ok()?),
            })
        };
        let set = kept
            .iter()
            .filter_map(|color| Some((slot(&color.slot)?, color.rgb)))
            .collect();
        Self {
            set,
            backdrop: SharedBackdrop::default(),
        }
    }

    pub fn reset(&mut self, slot: Slot) {
        self.set.remove(&slot);
    }

    pub fn reset_indexed(&mut self) {
        self.set.retain(|slot, _| !matches!(slot, Slot::Indexed(_)));
    }
}

/// xterm's colours.
fn indexed(index: u8) -> Rgb {
    const BASE: [Rgb; 16] = [
        [0x00, 0x00, 0x00],
        [0xcd, 0x00, 0x00],
        [0x00, 0xcd, 0x00],
        [0xcd, 0xcd, 0x00],
        [0x00, 0x00, 0xee],
        [0xcd, 0x00, 0xcd],
        [0x00, 0xcd, 0xcd],
        [0xe5, 0xe5, 0xe5],
        [0x7f, 0x7f, 0x7f],
        [0xff, 0x00, 0x00],
        [0x00, 0xff, 0x00],
        [0xff, 0xff, 0x00],
        [0x5c, 0x5c, 0xff],
        [0xff, 0x00, 0xff],
        [0x00, 0xff, 0xff],
        [0xff, 0xff, 0xff],
    ];
    match index {
        0..16 => BASE[usize::from(index)],
        16..232 => {
            let part = |value: u8| if value == 0 { 0 } else { value * 40 + 55 };
            let index = index - 16;
            [part(index / 36), part(index / 6 % 6), part(index % 6)]
        }
        232.. => [(index - 232) * 10 + 8; 3],
    }
}

/// Reads `rgb:RR/GG/BB` (one to four digits each) or `#RRGGBB` (one to four digits each), as `XParseColor` does.
pub(super) fn parse(text: &[u8]) -> Option<Rgb> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(parts) = text.strip_prefix("rgb:") {
        let mut parts = parts.split('/');
        let color = [
            scaled(parts.next()?)?,
            scaled(parts.next()?)?,
            scaled(parts.next()?)?,
        ];
        return parts.next().is_none().then_some(color);
    }
    let digits = text.strip_prefix('#').filter(|digits| digits.is_ascii())?;
    let size = digits.len() / 3;
    if !matches!(digits.len(), 3 | 6 | 9 | 12) {
        return None;
    }
    let part = |at: usize| -> Option<u8> {
        let digits = digits.get(at * size..(at + 1) * size)?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        // Here a short form gives the upper digits, not a fraction.
        let value = value << (16 - 4 * size);
        Some(value.to_be_bytes()[2])
    };
    Some([part(0)?, part(1)?, part(2)?])
}

fn scaled(digits: &str) -> Option<u8> {
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    let most = (1u32 << (4 * digits.len())) - 1;
    u8::try_from(value * 255 / most).ok()
}
