//! Chance without a clock: every number comes from the mole's seed and the request's bytes.

use sha2::{Digest, Sha256};

/// The numbers drawn for one request, each for one purpose, independent of one another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw([u8; 32]);

impl Draw {
    /// Draws for a request.
    pub(crate) fn new(seed: u64, request: &[u8]) -> Draw {
        let mut hasher = Sha256::new();
        hasher.update(b"turncoat.mole/1\0");
        hasher.update(seed.to_be_bytes());
        hasher.update(request);
        Draw(hasher.finalize().into())
    }

    /// A number from 0 up to, not including, 1: what the request gets.
    pub(crate) fn outcome(&self) -> f64 {
        let [a, b, c, d, e, f, g, ..] = self.0;
        // 53 bits, which a double holds exactly.
        let bits = u64::from_be_bytes([0, a, b, c, d, e, f, g]) >> 3;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// A number from 0 up to, not including, 1 for the n-th of several parts of an answer.
    pub(crate) fn part(&self, number: u64) -> f64 {
        Draw::new(number, &self.0).outcome()
    }

    /// One of several references.
    pub(crate) fn reference<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        let [.., a, b, c, d] = self.0;
        choose(u32::from_be_bytes([a, b, c, d]), items)
    }

    /// One of several ways to lay an answer out.
    pub(crate) fn layout<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        choose(self.word(2), items)
    }

    /// One of several openings.
    pub(crate) fn opening<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        choose(self.word(3), items)
    }

    /// One of several endings.
    pub(crate) fn ending<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        choose(self.word(4), items)
    }

    /// An id for the response: 16 hexadecimal digits.
    pub(crate) fn id(&self) -> String {
        format!("{:08x}{:08x}", self.word(5), self.word(6))
    }

    fn word(&self, index: usize) -> u32 {
        self.0.as_chunks::<4>().0.get(index).map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

fn choose<T>(number: u32, items: &[T]) -> Option<&T> {
    let count = u32::try_from(items.len()).ok().filter(|count| *count > 0)?;
    items.get((number % count) as usize)
}
