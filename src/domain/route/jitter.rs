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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_the_upper_bits_of_splitmix64() {
        // The first outputs for seed 0 of Vigna's reference (prng.di.unimi.it/splitmix64.c).
        let mut source = JitterSource(0);
        let expected = [0xe220, 0x6e78, 0x06c4, 0xf88b].map(Jitter);
        assert_eq!([(); 4].map(|()| source.draw()), expected);
    }
}
