//! Rotary position embedding (Su et al. 2021): pairs of numbers of a head are turned by an angle that grows with the position.

/// The rotation of one model.
pub(crate) struct Rope {
    /// Radians a position, for each pair.
    frequencies: Vec<f64>,
}

/// Cosine and sine of every pair at some consecutive positions.
pub(crate) struct Turns {
    pairs: usize,
    cos_sin: Vec<(f32, f32)>,
}

impl Rope {
    /// A rotation of the first `dimensions` numbers of each head with base `theta`. `stretch`, where given, divides the frequency of
    /// each pair (the tensor `rope_freqs.weight` of Llama 3 files), and `scale` divides all (linear position scaling).
    pub(crate) fn new(dimensions: usize, theta: f64, scale: f64, stretch: Option<&[f32]>) -> Self {
        let frequencies = (0..dimensions / 2)
            .map(|pair| {
                let factor = stretch.and_then(|factors| factors.get(pair)).map_or(1.0, |&factor| f64::from(factor));
                theta.powf(-2.0 * pair as f64 / dimensions as f64) / factor / scale
            })
            .collect();
        Self { frequencies }
    }

    /// The turns of `count` positions from `start` on.
    pub(crate) fn turns(&self, start: usize, count: usize) -> Turns {
        let cos_sin = (start..start + count)
            .flat_map(|position| {
                self.frequencies.iter().map(move |frequency| {
                    let (sine, cosine) = (position as f64 * frequency).sin_cos();
                    (cosine as f32, sine as f32)
                })
            })
            .collect();
        Turns { pairs: self.frequencies.len(), cos_sin }
    }
}

impl Turns {
    /// Turns every head of one position in place; `index` counts from the first position of these turns. Pairs are neighbours
    /// (0 and 1, 2 and 3, ...): files of the `llama` architecture have their query and key rows permuted for that.
    pub(crate) fn apply(&self, index: usize, heads: &mut [f32], head_size: usize) {
        let Some(turns) = self.cos_sin.chunks_exact(self.pairs.max(1)).nth(index) else { return };
        for head in heads.chunks_exact_mut(head_size) {
            let (pairs, _) = head.as_chunks_mut::<2>();
            for ([first, second], (cosine, sine)) in pairs.iter_mut().zip(turns) {
                let (x, y) = (*first, *second);
                *first = x * cosine - y * sine;
                *second = x * sine + y * cosine;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_zero_does_not_turn() {
        let mut head = [1.0, 2.0, 3.0, 4.0];
        Rope::new(4, 10_000.0, 1.0, None).turns(0, 1).apply(0, &mut head, 4);
        assert_eq!(head, [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn the_first_pair_turns_by_one_radian_a_position_and_the_rest_of_a_partial_head_stays() {
        let mut head = [1.0, 0.0, 5.0, 6.0];
        Rope::new(2, 10_000.0, 1.0, None).turns(2, 2).apply(1, &mut head, 4);
        assert!((head[0] - 3.0_f32.cos()).abs() < 1e-6 && (head[1] - 3.0_f32.sin()).abs() < 1e-6);
        assert_eq!(head[2..], [5.0, 6.0]);
    }

    #[test]
    fn products_of_turned_heads_depend_on_the_distance_alone() {
        let rope = Rope::new(4, 100.0, 1.0, None);
        let product = |a: usize, b: usize| {
            let (mut query, mut key) = ([0.3, -0.7, 0.2, 0.9], [0.5, 0.1, -0.4, 0.8]);
            rope.turns(a, 1).apply(0, &mut query, 4);
            rope.turns(b, 1).apply(0, &mut key, 4);
            crate::matrix::dot(&query, &key)
        };
        assert!((product(3, 1) - product(12, 10)).abs() < 1e-5);
        assert!((product(3, 1) - product(3, 2)).abs() > 1e-3);
    }

    #[test]
    fn stretch_and_scale_slow_the_turning() {
        let plain = Rope::new(2, 10.0, 1.0, None).turns(1, 1).cos_sin;
        assert_eq!(Rope::new(2, 10.0, 2.0, None).turns(2, 1).cos_sin, plain);
        assert_eq!(Rope::new(2, 10.0, 1.0, Some(&[4.0])).turns(4, 1).cos_sin, plain);
    }
}
