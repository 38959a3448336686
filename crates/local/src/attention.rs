//! Causal attention with grouped key and value heads (Ainslie et al. 2023) over one layer's cache.

use rayon::prelude::*;

use crate::cache::LayerCache;
use crate::matrix::dot;

/// Multiplications that one thread does at least before another is worth waking.
const PRODUCTS_A_TASK: usize = 1 << 17;

/// The shape of a model's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heads {
    /// Query heads.
    pub(crate) query: usize,
    /// Key and value heads; divides the number of query heads.
    pub(crate) key_value: usize,
    /// Numbers a head.
    pub(crate) size: usize,
}

/// Attends from the last positions of `cache` to all up to each: `queries` and `out` are `[position][head][number]`, and the cache
/// already holds the keys and values of these positions; `start` is the first of them.
///
/// Every position and head is computed alone and in the same order, so a prompt read whole or token by token gives the same bits.
pub(crate) fn attend(heads: Heads, start: usize, queries: &[f32], cache: &LayerCache, out: &mut [f32]) {
    let group = (heads.query / heads.key_value.max(1)).max(1);
    let stride = heads.key_value * heads.size;
    let scale = 1.0 / (heads.size as f32).sqrt();
    let at_least = (PRODUCTS_A_TASK / ((start + 1) * heads.size * 2)).max(1);
    out.par_chunks_mut(heads.size).zip(queries.par_chunks(heads.size)).enumerate().with_min_len(at_least).for_each_init(
        Vec::new,
        |scores, (index, (out, query))| {
            let (position, head) = (index / heads.query, index % heads.query);
            let offset = head / group * heads.size;
            let visible = start + position + 1;
            scores.clear();
            scores.extend(slots(&cache.keys, stride, offset, heads.size).take(visible).map(|key| dot(query, key) * scale));
            softmax(scores);
            out.fill(0.0);
            for (weight, value) in scores.iter().zip(slots(&cache.values, stride, offset, heads.size)) {
                for (out, value) in out.iter_mut().zip(value) {
                    *out += weight * value;
                }
            }
        },
    );
}

/// One head's part of every position.
fn slots(stored: &[f32], stride: usize, offset: usize, size: usize) -> impl Iterator<Item = &[f32]> {
    stored.chunks_exact(stride).filter_map(move |position| position.get(offset..offset + size))
}

fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: Heads = Heads { query: 2, key_value: 1, size: 2 };

    #[test]
    fn the_first_position_sees_itself_alone() {
        let cache = LayerCache { keys: vec![1.0, 0.0, 9.0, 9.0], values: vec![5.0, 6.0, 100.0, 100.0] };
        let mut out = [0.0; 8];
        attend(HEADS, 0, &[1.0, 1.0, -1.0, 2.0, 0.0, 0.0, 0.0, 0.0], &cache, &mut out);
        assert_eq!(out[..4], [5.0, 6.0, 5.0, 6.0]);
        // The second sees both, and a query of zeros weighs them equally.
        assert_eq!(out[4..], [52.5, 53.0, 52.5, 53.0]);
    }

    #[test]
    fn weights_follow_the_scaled_products() {
        let cache = LayerCache { keys: vec![0.0, 0.0, 2.0_f32.sqrt(), 0.0], values: vec![1.0, 0.0, 0.0, 1.0] };
        let mut out = [0.0; 4];
        attend(HEADS, 1, &[1.0, 0.0, 3.0, 0.0], &cache, &mut out);
        let share = |score: f32| score.exp() / (1.0 + score.exp());
        for (got, want) in out.iter().zip([1.0 - share(1.0), share(1.0), 1.0 - share(3.0), share(3.0)]) {
            assert!((got - want).abs() < 1e-6);
        }
    }

    #[test]
    fn each_group_of_query_heads_has_its_own_keys() {
        let heads = Heads { query: 4, key_value: 2, size: 1 };
        let cache = LayerCache { keys: vec![0.0, 0.0], values: vec![7.0, 8.0] };
        let mut out = [0.0; 4];
        attend(heads, 0, &[1.0; 4], &cache, &mut out);
        assert_eq!(out, [7.0, 7.0, 8.0, 8.0]);
    }
}
