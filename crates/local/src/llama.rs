//! The `llama` decoder: RMS normalisation, rotary positions, grouped attention, a gated SiLU network (Touvron et al. 2023).

use crate::architecture::Decoder;
use crate::attention::{self, Heads};
use crate::cache::Cache;
use crate::error::ModelError;
use crate::gguf::{GgufFile, field};
use crate::matrix::{Inputs, Matrix, rms_norm};
use crate::rope::Rope;

/// A model of the architecture `llama`.
pub(crate) struct Llama {
    width: usize,
    hidden: usize,
    heads: Heads,
    context: usize,
    epsilon: f32,
    rope: Rope,
    embedding: Matrix,
    layers: Vec<Layer>,
    output_norm: Vec<f32>,
    /// `None` where the embedding is used both ways.
    output: Option<Matrix>,
}

struct Layer {
    attention_norm: Vec<f32>,
    /// Queries, keys and values below each other, so that one product serves all three.
    query_key_value: Matrix,
    attention_output: Matrix,
    network_norm: Vec<f32>,
    /// Gate and up projection below each other.
    gate_up: Matrix,
    down: Matrix,
}

impl Llama {
    /// Reads the weights; `prefix` is the architecture's name in the keys.
    pub(crate) fn load(file: &mut GgufFile, prefix: &str) -> Result<Self, ModelError> {
        let key = |name: &str| format!("{prefix}.{name}");
        let width = positive(file, &key("embedding_length"))?;
        let hidden = positive(file, &key("feed_forward_length"))?;
        let context = positive(file, &key("context_length"))?;
        let blocks = positive(file, &key("block_count"))?;
        let epsilon = file
            .optional_real(&key("attention.layer_norm_rms_epsilon"))?
            .ok_or_else(|| field(&key("attention.layer_norm_rms_epsilon"), "is missing"))? as f32;
        let heads = read_heads(file, prefix, width)?;
        let vocabulary = file.texts("tokenizer.ggml.tokens")?.len();
        if vocabulary == 0 {
            return Err(field("tokenizer.ggml.tokens", "is empty"));
        }
        let rope = read_rope(file, prefix, heads.size)?;
        let embedding = file.matrix("token_embd.weight", vocabulary, width)?;
        let mut layers = Vec::new();
        for index in 0..blocks {
            layers.push(Layer::load(file, index, width, hidden, heads)?);
        }
        let output_norm = file.vector("output_norm.weight", width)?;
        let output = if file.has_tensor("output.weight") { Some(file.matrix("output.weight", vocabulary, width)?) } else { None };
        Ok(Self { width, hidden, heads, context, epsilon, rope, embedding, layers, output_norm, output })
    }

    fn embed(&self, tokens: &[u32]) -> Vec<f32> {
        let mut states = vec![0.0; tokens.len() * self.width];
        for (&token, state) in tokens.iter().zip(states.chunks_exact_mut(self.width)) {
            self.embedding.copy_row(usize::try_from(token).unwrap_or(usize::MAX), state);
        }
        states
    }
}

impl Layer {
    fn load(file: &mut GgufFile, index: usize, width: usize, hidden: usize, heads: Heads) -> Result<Self, ModelError> {
        let name = |part: &str| format!("blk.{index}.{part}.weight");
        let (queries, keys) = (heads.query * heads.size, heads.key_value * heads.size);
        Ok(Self {
            attention_norm: file.vector(&name("attn_norm"), width)?,
            query_key_value: Matrix::stack(vec![
                file.matrix(&name("attn_q"), queries, width)?,
                file.matrix(&name("attn_k"), keys, width)?,
                file.matrix(&name("attn_v"), keys, width)?,
            ]),
            attention_output: file.matrix(&name("attn_output"), width, queries)?,
            network_norm: file.vector(&name("ffn_norm"), width)?,
            gate_up: Matrix::stack(vec![
                file.matrix(&name("ffn_gate"), hidden, width)?,
                file.matrix(&name("ffn_up"), hidden, width)?,
            ]),
            down: file.matrix(&name("ffn_down"), width, hidden)?,
        })
    }
}

impl Decoder for Llama {
    fn layers(&self) -> usize {
        self.layers.len()
    }

    fn vocabulary(&self) -> usize {
        self.embedding.rows()
    }

    fn context(&self) -> usize {
        self.context
    }

    fn advance(&self, tokens: &[u32], cache: &mut Cache) -> Vec<f32> {
        let (count, width, heads) = (tokens.len(), self.width, self.heads);
        let (queries_width, keys_width) = (heads.query * heads.size, heads.key_value * heads.size);
        let start = cache.length;
        let turns = self.rope.turns(start, count);

        let mut states = self.embed(tokens);
        let mut normed = vec![0.0; count * width];
        let mut update = vec![0.0; count * width];
        let mut projected = vec![0.0; count * (queries_width + 2 * keys_width)];
        let mut queries = vec![0.0; count * queries_width];
        let mut attended = vec![0.0; count * queries_width];
        let mut gate_up = vec![0.0; count * 2 * self.hidden];
        let mut gated = vec![0.0; count * self.hidden];

        for (layer, remembered) in self.layers.iter().zip(&mut cache.layers) {
            rms_norm(&states, &layer.attention_norm, self.epsilon, &mut normed);
            layer.query_key_value.multiply(&Inputs::new(width, &normed), &mut projected);
            let rows = projected.chunks_exact_mut(queries_width + 2 * keys_width);
            for (index, (row, queries)) in rows.zip(queries.chunks_exact_mut(queries_width)).enumerate() {
                let (turned, values) = row.split_at_mut(queries_width + keys_width);
                turns.apply(index, turned, heads.size);
                let (query, keys) = turned.split_at(queries_width);
                queries.copy_from_slice(query);
                remembered.keys.extend_from_slice(keys);
                remembered.values.extend_from_slice(values);
            }
            attention::attend(heads, start, &queries, remembered, &mut attended);
            layer.attention_output.multiply(&Inputs::new(queries_width, &attended), &mut update);
            add(&mut states, &update);

            rms_norm(&states, &layer.network_norm, self.epsilon, &mut normed);
            layer.gate_up.multiply(&Inputs::new(width, &normed), &mut gate_up);
            for (row, gated) in gate_up.chunks_exact(2 * self.hidden).zip(gated.chunks_exact_mut(self.hidden)) {
                let (gate, up) = row.split_at(self.hidden);
                for (gated, (gate, up)) in gated.iter_mut().zip(gate.iter().zip(up)) {
                    *gated = gate / (1.0 + (-gate).exp()) * up;
                }
            }
            layer.down.multiply(&Inputs::new(self.hidden, &gated), &mut update);
            add(&mut states, &update);
        }
        cache.length += count;

        // Only what follows the last token is wanted, and the output matrix is the largest of all.
        let last = states.chunks_exact(width).next_back().unwrap_or(&[]);
        let mut normed = vec![0.0; width];
        rms_norm(last, &self.output_norm, self.epsilon, &mut normed);
        let mut logits = vec![0.0; self.vocabulary()];
        self.output.as_ref().unwrap_or(&self.embedding).multiply(&Inputs::new(width, &normed), &mut logits);
        logits
    }
}

fn add(states: &mut [f32], update: &[f32]) {
    for (state, update) in states.iter_mut().zip(update) {
        *state += update;
    }
}

fn positive(file: &GgufFile, key: &str) -> Result<usize, ModelError> {
    match file.size(key)? {
        0 => Err(field(key, "is zero")),
        size => Ok(size),
    }
}

fn read_heads(file: &GgufFile, prefix: &str, width: usize) -> Result<Heads, ModelError> {
    let key = |name: &str| format!("{prefix}.attention.{name}");
    let query = positive(file, &key("head_count"))?;
    let key_value = match file.optional_size(&key("head_count_kv"))? {
        None => query,
        Some(count) => count,
    };
    if key_value == 0 || !query.is_multiple_of(key_value) {
        return Err(field(&key("head_count_kv"), "does not divide the number of query heads"));
    }
    let size = file.optional_size(&key("key_length"))?.unwrap_or(width / query);
    if size == 0 || !size.is_multiple_of(2) {
        return Err(field(&key("key_length"), "gives heads whose numbers do not pair"));
    }
    if file.optional_size(&key("value_length"))?.is_some_and(|length| length != size) {
        return Err(field(&key("value_length"), "differs from the key length, which this decoder cannot do"));
    }
    Ok(Heads { query, key_value, size })
}

fn read_rope(file: &mut GgufFile, prefix: &str, head_size: usize) -> Result<Rope, ModelError> {
    let key = |name: &str| format!("{prefix}.rope.{name}");
    let dimensions = file.optional_size(&key("dimension_count"))?.unwrap_or(head_size);
    if dimensions == 0 || dimensions > head_size || !dimensions.is_multiple_of(2) {
        return Err(field(&key("dimension_count"), "does not fit the size of a head"));
    }
    let theta = file.optional_real(&key("freq_base"))?.unwrap_or(10_000.0);
    let kind = file.optional_text(&key("scaling.type"))?.unwrap_or("none");
    let scale = match kind {
        "none" => 1.0,
        "linear" => file.optional_real(&key("scaling.factor"))?.unwrap_or(1.0),
        _ => {
            return Err(field(
                &key("scaling.type"),
                "names a position scaling that this decoder cannot do; it knows `none` and `linear`",
            ));
        }
    };
    if !(theta > 0.0 && scale > 0.0) {
        return Err(field(&key("freq_base"), "and the scaling factor must be above zero"));
    }
    let stretch =
        if file.has_tensor("rope_freqs.weight") { Some(file.vector("rope_freqs.weight", dimensions / 2)?) } else { None };
    Ok(Rope::new(dimensions, theta, scale, stretch.as_deref()))
}
