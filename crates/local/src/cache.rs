//! What a sequence remembers of its past: keys and values of every layer, grown as it is read and written.

/// The memory of one sequence; each has its own, so sequences never touch each other.
pub(crate) struct Cache {
    /// Positions stored in every layer.
    pub(crate) length: usize,
    /// One for each layer.
    pub(crate) layers: Vec<LayerCache>,
}

/// Keys and values of one layer, `[position][head][number]`.
#[derive(Default)]
pub(crate) struct LayerCache {
    /// Keys, turned by their position.
    pub(crate) keys: Vec<f32>,
    /// Values.
    pub(crate) values: Vec<f32>,
}

impl Cache {
    /// The memory of a sequence of which nothing was read yet.
    pub(crate) fn new(layers: usize) -> Self {
        Self { length: 0, layers: (0..layers).map(|_| LayerCache::default()).collect() }
    }
}
