//! Parameters of a control sequence.

/// How many parameters a sequence may have; what comes after is dropped, as xterm does.
const MAX_PARAMS: usize = 32;

/// The numeric parameters of a CSI or DCS sequence, those after a colon belonging to the one before them.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    values: [u16; MAX_PARAMS],
    len: usize,
    /// Bit `n`: value `n` follows a colon.
    colons: u32,
}

impl Params {
    pub fn clear(&mut self) {
        self.len = 0;
        self.colons = 0;
    }

    /// Whether no parameter was given at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a value; an omitted one is 0. `colon` says that it follows a colon.
    pub fn push(&mut self, value: u16, colon: bool) {
        if let Some(slot) = self.values.get_mut(self.len) {
            *slot = value;
            if colon {
                self.colons |= 1 << self.len;
            }
            self.len += 1;
        }
    }

    /// Appends the parameters as they stand in a sequence.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (index, value) in self.values.iter().take(self.len).enumerate() {
            if index > 0 {
                let colon = self.colons & (1 << index) != 0;
                out.push(if colon { b':' } else { b';' });
            }
            out.extend_from_slice(value.to_string().as_bytes());
        }
    }

    /// Each parameter with its sub-parameters.
    pub fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let mut start = 0;
        std::iter::from_fn(move || {
            if start >= self.len {
                return None;
            }
            let mut end = start + 1;
            while end < self.len && self.colons & (1 << end) != 0 {
                end += 1;
            }
            let group = self.values.get(start..end);
            start = end;
            group
        })
    }

    /// The parameter at `index`, 0 where it is missing.
    pub fn get(&self, index: usize) -> u16 {
        if self.colons == 0 {
            return if index < self.len {
                self.values[index]
            } else {
                0
            };
        }
        self.groups().nth(index).map_or(0, |group| group[0])
    }

    /// The parameter at `index` as a count: 1 where it is missing or 0.
    pub fn count(&self, index: usize) -> u16 {
        self.get(index).max(1)
    }
}

/// A control sequence up to its final byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    pub params: Params,
    /// `?`, `>`, `<`, `=`, or 0.
    pub private: u8,
    /// The intermediate byte, 0 for none.
    pub intermediate: u8,
    pub last: u8,
}
