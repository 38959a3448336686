//! The decoder over a tiny random model, against logits that another implementation computed (`data/make_reference.py`).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use tempfile::TempDir;
use turncoat_local::{Finish, Generated, Model, ModelError, Sampling};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn tiny() -> Model {
    Model::load(&data("tiny.gguf")).unwrap()
}

fn reference() -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(data("tiny-logits.json")).unwrap()).unwrap()
}

fn ids(value: &serde_json::Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The parts of a GGUF file, to be changed and written again.
struct Parts {
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, QTensor>,
    folder: TempDir,
}

impl Parts {
    fn of_tiny() -> Self {
        let mut reader = BufReader::new(File::open(data("tiny.gguf")).unwrap());
        let content = gguf_file::Content::read(&mut reader).unwrap();
        let names: Vec<String> = content.tensor_infos.keys().cloned().collect();
        let tensors =
            names.into_iter().map(|name| (name.clone(), content.tensor(&mut reader, &name, &Device::Cpu).unwrap())).collect();
        Self { metadata: content.metadata.into_iter().collect(), tensors, folder: TempDir::new().unwrap() }
    }

    fn set(mut self, key: &str, value: Value) -> Self {
        self.metadata.insert(key.to_owned(), value);
        self
    }

    fn without(mut self, key: &str) -> Self {
        self.metadata.remove(key);
        self.tensors.remove(key);
        self
    }

    fn add(mut self, name: &str, shape: &[usize]) -> Self {
        let tensor = Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        self.tensors.insert(name.to_owned(), QTensor::quantize(&tensor, GgmlDType::F32).unwrap());
        self
    }

    /// Every matrix in another type; `back` turns it into reals again, which keeps the loss and drops the type.
    fn quantise(mut self, kind: GgmlDType, back: bool) -> Self {
        for tensor in self.tensors.values_mut().filter(|tensor| tensor.rank() == 2) {
            *tensor = QTensor::quantize(&tensor.dequantize(&Device::Cpu).unwrap(), kind).unwrap();
            if back {
                *tensor = QTensor::quantize(&tensor.dequantize(&Device::Cpu).unwrap(), GgmlDType::F32).unwrap();
            }
        }
        self
    }

    fn write(&self) -> PathBuf {
        let path = self.folder.path().join("altered.gguf");
        let metadata: Vec<(&str, &Value)> = self.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<(&str, &QTensor)> = self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        gguf_file::write(&mut File::create(&path).unwrap(), &metadata, &tensors).unwrap();
        path
    }

    fn load(&self) -> Result<Model, ModelError> {
        Model::load(&self.write())
    }

    fn refusal(&self) -> String {
        self.load().map(|_| ()).unwrap_err().to_string()
    }
}

fn sampling(max_tokens: u32) -> Sampling {
    Sampling {
        temperature: Some(0.8),
        top_p: Some(0.95),
        top_k: Some(100),
        repetition_penalty: Some(1.1),
        max_tokens,
        stop: Vec::new(),
    }
}

fn chat(model: &Model, sampling: &Sampling, seed: u64) -> Generated {
    model.chat("Be brief.", "hello world", sampling, seed, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn logits_are_those_of_the_reference() {
    let (model, reference) = (tiny(), reference());
    let all = ids(&reference["ids"]);
    for (count, wanted) in reference["after"].as_object().unwrap() {
        let wanted: Vec<f32> = serde_json::from_value(wanted.clone()).unwrap();
        let got = model.logits(&all[..count.parse::<usize>().unwrap()], 128);
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(&wanted) {
            assert!((got - wanted).abs() < 1e-4, "after {count}: {got} {wanted}");
        }
    }
}

#[test]
fn a_prompt_read_whole_in_parts_or_token_by_token_gives_the_same_bits() {
    let all = ids(&reference()["ids"]);
    let quantised = Parts::of_tiny().quantise(GgmlDType::Q8_0, false).load().unwrap();
    for model in [tiny(), quantised] {
        let whole = model.logits(&all, 128);
        for part in [1, 7, 16, 39] {
            assert_eq!(model.logits(&all, part), whole, "parts of {part}");
        }
    }
}

#[test]
fn every_quantised_type_is_computed_from_its_own_values_in_one_type() {
    let all = ids(&reference()["ids"]);
    let logits = |parts: Parts| parts.load().unwrap().logits(&all, 128);
    for kind in [GgmlDType::Q4_0, GgmlDType::Q4_1, GgmlDType::Q5_0, GgmlDType::Q5_1] {
        let values = Parts::of_tiny().quantise(kind, true);
        assert_eq!(logits(Parts::of_tiny().quantise(kind, false)), logits(values.quantise(GgmlDType::Q8_0, false)), "{kind:?}");
    }
    for kind in [GgmlDType::F16, GgmlDType::BF16] {
        assert_eq!(logits(Parts::of_tiny().quantise(kind, false)), logits(Parts::of_tiny().quantise(kind, true)), "{kind:?}");
    }
    // And 8 bits stay near the reals: the typical error against the typical logit.
    let (exact, close) = (logits(Parts::of_tiny()), logits(Parts::of_tiny().quantise(GgmlDType::Q8_0, false)));
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>().sqrt();
    let error = norm(&mut exact.iter().zip(&close).map(|(exact, close)| exact - close));
    let size = norm(&mut exact.iter().copied());
    assert!(error > 0.0 && error < 0.06 * size, "{error} of {size}");
}

#[test]
fn the_first_token_is_put_where_the_file_asks_for_it_and_never_twice() {
    let reference = reference();
    let (text, wanted) = (reference["text"].as_str().unwrap(), ids(&reference["text_ids"]));
    assert_eq!(tiny().tokens(text).unwrap(), [&[0], wanted.as_slice()].concat());
    assert_eq!(tiny().tokens(&format!("<|begin|>{text}")).unwrap(), [&[0], wanted.as_slice()].concat());
    let without = Parts::of_tiny().set("tokenizer.ggml.add_bos_token", Value::Bool(false)).load().unwrap();
    assert_eq!(without.tokens(text).unwrap(), wanted);
}

#[test]
fn the_files_own_template_is_used() {
    assert_eq!(tiny().render(" Be brief. ", "hello").unwrap(), "<|role|>system: Be brief.<|role|>user: hello<|role|>assistant: ");
}

#[test]
fn the_same_seed_gives_the_same_text_alone_and_beside_others() {
    let model = tiny();
    let alone: Vec<Generated> = (0..4).map(|seed| chat(&model, &sampling(24), seed)).collect();
    assert!(alone.iter().any(|made| made.text != alone[0].text), "the seed changes nothing: {alone:?}");
    let together: Vec<Generated> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|seed| {
                scope.spawn({
                    let model = &model;
                    move || chat(model, &sampling(24), seed)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(alone, together);
    assert_eq!(chat(&tiny(), &sampling(24), 2), alone[2]);
}

#[test]
fn an_answer_ends_at_its_length_its_stop_string_or_the_callers_wish() {
    let model = tiny();
    // The end token is drawn now and then: a seed without it shows the other ends.
    let (seed, whole) = (0..)
        .map(|seed| (seed, chat(&model, &sampling(12), seed)))
        .find(|(_, made)| made.finish == Finish::Length && made.text.chars().filter(char::is_ascii_graphic).count() > 3)
        .unwrap();
    assert_eq!(whole.output_tokens, 12);
    let last = whole.text.chars().rfind(char::is_ascii_graphic).unwrap();
    let before = whole.text.split(last).next().unwrap().to_owned();
    let stopped = chat(&model, &Sampling { stop: vec![last.to_string()], ..sampling(12) }, seed);
    assert_eq!((stopped.finish, stopped.text), (Finish::Stop, before));
    let mut pieces = String::new();
    let cancelled = model
        .chat("Be brief.", "hello world", &sampling(12), seed, &mut |piece| {
            pieces.push_str(piece);
            if pieces.is_empty() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .unwrap();
    assert_eq!((cancelled.finish, &cancelled.text), (Finish::Cancelled, &pieces));
    assert!(cancelled.output_tokens < 12 && whole.text.starts_with(pieces.trim_end_matches('\u{fffd}')));
    let at_once = model.chat("Be brief.", "hello", &sampling(12), seed, &mut |_| ControlFlow::Break(())).unwrap();
    assert_eq!((at_once.finish, at_once.output_tokens), (Finish::Cancelled, 0));
}

#[test]
fn the_end_token_ends_an_answer_and_is_no_part_of_it() {
    let model = tiny();
    let made = (0..).map(|seed| chat(&model, &sampling(60), seed)).find(|made| made.finish == Finish::Stop).unwrap();
    assert!(made.output_tokens < 60 && !made.text.contains("<|end|>"));
}

#[test]
fn the_context_limits_prompt_and_answer() {
    let model = tiny();
    let error = model.chat("x", &"7".repeat(96), &sampling(5), 1, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, ModelError::PromptTooLong { context_tokens: 96, .. }), "{error}");
    let made = (0..).map(|seed| chat(&model, &sampling(1000), seed)).find(|made| made.finish == Finish::Length).unwrap();
    assert_eq!(made.prompt_tokens + made.output_tokens, 96);
}

#[test]
fn files_that_would_not_be_the_same_model_are_refused() {
    let text = |value: &str| Value::String(value.to_owned());
    for (parts, expected) in [
        (Parts::of_tiny().set("general.architecture", text("qwen3next")), "architecture `qwen3next`; this engine runs `llama`"),
        (Parts::of_tiny().without("tokenizer.chat_template"), "no chat template"),
        (Parts::of_tiny().set("tokenizer.chat_template", text("{% if %}")), "chat template failed"),
        (Parts::of_tiny().set("tokenizer.ggml.pre", text("martian")), "pre-tokenizer `martian`"),
        (Parts::of_tiny().set("tokenizer.ggml.model", text("bert")), "tokenizer (`bert`"),
        (Parts::of_tiny().set("tokenizer.ggml.model", text("llama")), "`tokenizer.ggml.scores` is missing"),
        (Parts::of_tiny().set("tokenizer.ggml.eos_token_id", Value::U32(9999)), "no token of the vocabulary"),
        (Parts::of_tiny().add("blk.0.attn_q.bias", &[32]), "does not know (`blk.0.attn_q.bias`)"),
        (
            Parts::of_tiny().without("blk.1.ffn_up.weight"),
            "`blk.1.ffn_up.weight` of the model file cannot be used: it is missing",
        ),
        (Parts::of_tiny().set("llama.feed_forward_length", Value::U32(96)), "its shape is [64, 32], not [96, 32]"),
        (Parts::of_tiny().set("llama.attention.head_count_kv", Value::U32(3)), "does not divide"),
        (Parts::of_tiny().set("llama.rope.scaling.type", text("yarn")), "position scaling"),
        (Parts::of_tiny().set("llama.block_count", Value::U64(u64::MAX)), "larger than any model"),
        (Parts::of_tiny().set("llama.embedding_length", text("wide")), "is not a whole number"),
        (Parts::of_tiny().without("llama.context_length"), "`llama.context_length` is missing"),
    ] {
        let refusal = parts.refusal();
        assert!(refusal.contains(expected), "{expected} is not in: {refusal}");
    }
}

#[test]
fn files_that_are_cut_or_no_gguf_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cut.gguf");
    let whole = std::fs::read(data("tiny.gguf")).unwrap();
    for length in [0, 3, 20, 4000, whole.len() - 100] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(Model::load(&path).is_err(), "{length} bytes were accepted");
    }
    std::fs::write(&path, "PK\u{3}\u{4} a zip").unwrap();
    let error = Model::load(&path).err().unwrap().to_string();
    assert!(error.contains("is not a GGUF file"), "{error}");
    // The type of the first tensor described: 39 is MXFP4, which the reader does not have.
    let mut altered = whole.clone();
    let name = b"token_embd.weight";
    let at = altered.windows(name.len()).rposition(|window| window == name).unwrap() + name.len() + 4 + 2 * 8;
    assert_eq!(altered[at..at + 4], [0; 4], "the file's layout is not as this test thinks");
    altered[at] = 39;
    std::fs::write(&path, altered).unwrap();
    let error = Model::load(&path).err().unwrap().to_string();
    assert!(error.contains("of a type that this engine does not read"), "{error}");
    let error = Model::load(&folder.path().join("none.gguf")).err().unwrap().to_string();
    assert!(error.contains("cannot read the model file"), "{error}");
}
