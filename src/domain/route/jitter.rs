//! The chance behind the breakers' jitter.

use crate::domain::breaker::Jitter;

/// Enough chance for a jitter (splitmix64).
#[derive(Debug)]
pub(super) struct JitterSource(pub u64);

impl JitterSource {
    pub fn draw(&mut self) -> Jitter {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [high, low, ..] = (mixed ^ (mixed >> 31)).to_be_bytes();
        Jitter(u16::from_be_bytes([high, low]))
    }
}
