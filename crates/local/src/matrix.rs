//! Weight matrices and the products with them: quantised blocks through candle's vector kernels, exact reals through our own loop.
//!
//! Every output number is one dot product in a fixed order, so results do not depend on how the work is split over threads.

use std::sync::OnceLock;

use candle_core::quantized::GgmlType;
use candle_core::quantized::k_quants::BlockQ8_0;
use rayon::prelude::*;

/// Weights of a row that one thread multiplies at least before another is worth waking.
const WEIGHTS_A_TASK: usize = 1 << 17;

/// Positions that share one pass over the weights while a prompt is read.
const POSITIONS_A_TILE: usize = 16;

/// A matrix of weights, stored by rows.
pub(crate) struct Matrix {
    columns: usize,
    weights: Weights,
}

enum Weights {
    Reals(Vec<f32>),
    Blocks(Vec<BlockQ8_0>),
}

/// The inputs of a product, one row a position; quantised once, however many matrices they meet.
pub(crate) struct Inputs<'a> {
    columns: usize,
    reals: &'a [f32],
    blocks: OnceLock<Vec<BlockQ8_0>>,
}

impl<'a> Inputs<'a> {
    /// Rows of `columns` numbers.
    pub(crate) fn new(columns: usize, reals: &'a [f32]) -> Self {
        Self { columns, reals, blocks: OnceLock::new() }
    }

    fn blocks(&self) -> &[BlockQ8_0] {
        self.blocks.get_or_init(|| quantise(self.reals))
    }
}

impl Matrix {
    /// A matrix of exact reals; `values` holds whole rows.
    pub(crate) fn from_reals(columns: usize, values: Vec<f32>) -> Self {
        Self { columns, weights: Weights::Reals(values) }
    }

    /// The same matrix in Q8_0 blocks, where its rows are made of whole blocks.
    pub(crate) fn quantised(self) -> Self {
        match self.weights {
            Weights::Reals(values) if self.columns.is_multiple_of(BlockQ8_0::BLCK_SIZE) => {
                Self { columns: self.columns, weights: Weights::Blocks(quantise(&values)) }
            }
            weights => Self { columns: self.columns, weights },
        }
    }

    /// Puts matrices of the same width below each other; quantised if any of them is.
    pub(crate) fn stack(parts: Vec<Matrix>) -> Self {
        let columns = parts.first().map_or(0, |part| part.columns);
        let any_blocks = parts.iter().any(|part| matches!(part.weights, Weights::Blocks(_)));
        let mut reals = Vec::new();
        let mut blocks = Vec::new();
        for part in parts {
            let part = if any_blocks { part.quantised() } else { part };
            match part.weights {
                Weights::Reals(mut values) => reals.append(&mut values),
                Weights::Blocks(mut values) => blocks.append(&mut values),
            }
        }
        Self { columns, weights: if any_blocks { Weights::Blocks(blocks) } else { Weights::Reals(reals) } }
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        match &self.weights {
            Weights::Reals(values) => values.len() / self.columns.max(1),
            Weights::Blocks(blocks) => blocks.len() / self.blocks_a_row().max(1),
        }
    }

    /// Copies one row into `out`; a row that does not exist is all zeros.
    pub(crate) fn copy_row(&self, row: usize, out: &mut [f32]) {
        match &self.weights {
            Weights::Reals(values) => match values.chunks_exact(self.columns).nth(row) {
                Some(found) => out.copy_from_slice(found),
                None => out.fill(0.0),
            },
            Weights::Blocks(blocks) => match blocks.chunks_exact(self.blocks_a_row()).nth(row) {
                Some(found) => BlockQ8_0::to_float(found, out),
                None => out.fill(0.0),
            },
        }
    }

    /// `out[position][row] = inputs[position] · weights[row]`, for every position and row.
    pub(crate) fn multiply(&self, inputs: &Inputs<'_>, out: &mut [f32]) {
        debug_assert_eq!(inputs.columns, self.columns, "a product needs inputs as wide as the matrix");
        match &self.weights {
            Weights::Reals(values) => spread(values, self.columns, inputs.reals, self.columns, out, dot),
            Weights::Blocks(blocks) => {
                let width = self.blocks_a_row();
                spread(blocks, width, inputs.blocks(), self.columns, out, |row, input| {
                    BlockQ8_0::vec_dot(self.columns, row, input)
                });
            }
        }
    }

    fn blocks_a_row(&self) -> usize {
        self.columns / BlockQ8_0::BLCK_SIZE
    }
}

/// Spreads the dot products over the threads of the current pool; `width` is the length of a row in units of `T`.
fn spread<T: Sync>(
    weights: &[T],
    width: usize,
    inputs: &[T],
    columns: usize,
    out: &mut [f32],
    product: impl Fn(&[T], &[T]) -> f32 + Sync,
) {
    let rows = weights.len() / width.max(1);
    if inputs.len() == width {
        // One position: threads share the rows.
        let rows_a_task = (WEIGHTS_A_TASK / columns.max(1)).max(1);
        out.par_chunks_mut(rows_a_task).zip(weights.par_chunks(rows_a_task * width)).for_each(|(out, weights)| {
            for (out, row) in out.iter_mut().zip(weights.chunks_exact(width)) {
                *out = product(row, inputs);
            }
        });
    } else {
        // Many: threads share the positions, and each row of weights serves a tile of them while it is in the nearest cache.
        out.par_chunks_mut(POSITIONS_A_TILE * rows).zip(inputs.par_chunks(POSITIONS_A_TILE * width)).for_each(|(out, inputs)| {
            for (index, row) in weights.chunks_exact(width).enumerate() {
                for (out, input) in out.chunks_exact_mut(rows).zip(inputs.chunks_exact(width)) {
                    if let Some(out) = out.get_mut(index) {
                        *out = product(row, input);
                    }
                }
            }
        });
    }
}

fn quantise(values: &[f32]) -> Vec<BlockQ8_0> {
    const BLOCKS_A_TASK: usize = 1 << 12;
    let mut blocks = vec![BlockQ8_0::zeros(); values.len() / BlockQ8_0::BLCK_SIZE];
    blocks
        .par_chunks_mut(BLOCKS_A_TASK)
        .zip(values.par_chunks(BLOCKS_A_TASK * BlockQ8_0::BLCK_SIZE))
        .for_each(|(blocks, values)| BlockQ8_0::from_float(values, blocks));
    blocks
}

/// The dot product of two equally long rows, summed in eight lanes so that the compiler can use vector registers.
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left_lanes, left_rest) = left.as_chunks::<8>();
    let (right_lanes, right_rest) = right.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (left, right) in left_lanes.iter().zip(right_lanes) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += left * right;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f32>() + rest
}

/// Root-mean-square normalisation of each row of `values`, scaled by `weight` (Zhang and Sennrich 2019).
pub(crate) fn rms_norm(values: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    for (row, out) in values.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
        let mean_square = dot(row, row) / weight.len() as f32;
        let scale = 1.0 / (mean_square + epsilon).sqrt();
        for (out, (value, weight)) in out.iter_mut().zip(row.iter().zip(weight)) {
            *out = value * scale * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern that a kernel could get right by chance.
    fn numbers(count: usize, salt: u32) -> Vec<f32> {
        let mut state = salt.wrapping_mul(2_654_435_761).max(1);
        (0..count)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (state as f32 / u32::MAX as f32) * 2.0 - 1.0
            })
            .collect()
    }

    fn multiply(matrix: &Matrix, columns: usize, inputs: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; inputs.len() / columns * matrix.rows()];
        matrix.multiply(&Inputs::new(columns, inputs), &mut out);
        out
    }

    #[test]
    fn the_product_of_reals_is_the_textbook_sum() {
        let (weights, inputs) = (numbers(7 * 37, 1), numbers(3 * 37, 2));
        let got = multiply(&Matrix::from_reals(37, weights.clone()), 37, &inputs);
        for position in 0..3 {
            for row in 0..7 {
                let want: f64 = (0..37).map(|k| f64::from(weights[row * 37 + k]) * f64::from(inputs[position * 37 + k])).sum();
                assert!((f64::from(got[position * 7 + row]) - want).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn quantising_costs_less_than_one_percent_of_the_typical_product() {
        let (weights, inputs) = (numbers(50 * 256, 3), numbers(256, 4));
        let exact = multiply(&Matrix::from_reals(256, weights.clone()), 256, &inputs);
        let close = multiply(&Matrix::from_reals(256, weights).quantised(), 256, &inputs);
        let typical = (exact.iter().map(|value| value * value).sum::<f32>() / 50.0).sqrt();
        for (exact, close) in exact.iter().zip(&close) {
            assert!((exact - close).abs() < 0.02 * typical, "{exact} {close} {typical}");
        }
        assert!(exact != close, "the quantised product went through the exact path");
    }

    #[test]
    fn many_positions_at_once_give_the_bits_of_one_at_a_time() {
        // More rows than one task takes, more positions than one tile.
        let matrix = Matrix::from_reals(64, numbers(5000 * 64, 5)).quantised();
        let inputs = numbers(37 * 64, 6);
        let whole = multiply(&matrix, 64, &inputs);
        let single: Vec<f32> = inputs.chunks_exact(64).flat_map(|input| multiply(&matrix, 64, input)).collect();
        assert_eq!(whole, single);
    }

    #[test]
    fn a_stack_multiplies_like_its_parts() {
        let (upper, lower, inputs) = (numbers(3 * 32, 7), numbers(5 * 32, 8), numbers(32, 9));
        let part = |values: &Vec<f32>| Matrix::from_reals(32, values.clone());
        let mut want = multiply(&part(&upper).quantised(), 32, &inputs);
        want.extend(multiply(&part(&lower).quantised(), 32, &inputs));
        // One part quantised makes the whole stack so.
        let stack = Matrix::stack(vec![part(&upper).quantised(), part(&lower)]);
        assert!(matches!(stack.weights, Weights::Blocks(_)) && stack.rows() == 8);
        assert_eq!(multiply(&stack, 32, &inputs), want);
    }

    #[test]
    fn a_row_comes_back_and_a_missing_row_is_zero() {
        let matrix = Matrix::from_reals(2, vec![1.0, 2.0, 3.0, 4.0]);
        let mut out = [0.0; 2];
        matrix.copy_row(1, &mut out);
        assert_eq!(out, [3.0, 4.0]);
        matrix.copy_row(2, &mut out);
        assert_eq!(out, [0.0, 0.0]);
    }

    #[test]
    fn normalised_rows_have_the_root_mean_square_of_their_weight() {
        let mut out = [0.0; 4];
        rms_norm(&[3.0, 4.0, 30.0, 40.0], &[1.0, 2.0], 0.0, &mut out);
        let root = 12.5_f32.sqrt();
        for (got, want) in out.iter().zip([3.0 / root, 8.0 / root, 3.0 / root, 8.0 / root]) {
            assert!((got - want).abs() < 1e-6);
        }
    }
}
