//! Text to tokens and back, built from the fields of the GGUF file itself.

use std::collections::BTreeSet;

use tokenizers::AddedToken;

use crate::error::ModelError;
use crate::gguf::{GgufFile, field};

mod encoder;

/// Kinds of token in `tokenizer.ggml.token_type`.
const NORMAL: u64 = 1;
/// Stands for what the vocabulary cannot spell.
const UNKNOWN: u64 = 2;
/// Structure, no text; found in a text before it is split.
const CONTROL: u64 = 3;
/// Text that is kept whole; found before it is split too.
const USER_DEFINED: u64 = 4;
/// One byte, spelled `<0x41>`.
const BYTE: u64 = 6;

/// SentencePiece's sign for a space.
const SPACE: &str = "\u{2581}";

/// Control tokens that end an answer under any name the file gives the end of sequence.
const ENDINGS: [&str; 6] = ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "</s>"];

/// The tokenizer of one file.
pub(crate) struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The bytes of every token; none for control tokens, which are no text.
    bytes: Vec<Vec<u8>>,
    /// Put before every text, where the file asks for it.
    first: Option<u32>,
    endings: BTreeSet<u32>,
    first_text: String,
    last_text: String,
}

impl Tokenizer {
    /// Builds the tokenizer of a file.
    pub(crate) fn from_file(file: &GgufFile) -> Result<Self, ModelError> {
        let kind = file.text("tokenizer.ggml.model")?;
        let pre = file.optional_text("tokenizer.ggml.pre")?.unwrap_or("default");
        let tokens = file.texts("tokenizer.ggml.tokens")?;
        let kinds = file.optional_numbers("tokenizer.ggml.token_type")?.unwrap_or_default();
        let made = match kind {
            "gpt2" => encoder::byte_pairs(file, pre, &tokens)?,
            "llama" => Some(encoder::pieces(file, &tokens, &kinds)?),
            _ => None,
        };
        let mut inner = made.ok_or_else(|| ModelError::UnknownTokenizer {
            kind: kind.to_owned(),
            pre: pre.to_owned(),
            known: "`llama`, and `gpt2` with the pre-tokenizer `smollm`, `gpt-2` or `llama-bpe`",
        })?;
        let in_pieces = kind == "llama";
        let kind_of = |index: usize| kinds.get(index).copied().unwrap_or(NORMAL);
        let added = tokens.iter().enumerate().filter(|(index, _)| matches!(kind_of(*index), CONTROL | USER_DEFINED));
        let added = added.map(|(index, token)| AddedToken::from(*token, kind_of(index) == CONTROL).normalized(false));
        inner.add_tokens(added).map_err(failed)?;

        let id = |key: &str| token_id(file, key, tokens.len());
        let bos = id("tokenizer.ggml.bos_token_id")?;
        let eos = id("tokenizer.ggml.eos_token_id")?;
        let mut endings: BTreeSet<u32> = eos.into_iter().collect();
        endings.extend(id("tokenizer.ggml.eot_token_id")?);
        endings.extend(id("tokenizer.ggml.eom_token_id")?);
        let named = tokens.iter().zip(0_u32..).filter(|(token, _)| ENDINGS.contains(token));
        endings.extend(named.filter(|(_, id)| kind_of(*id as usize) == CONTROL).map(|(_, id)| id));
        if endings.is_empty() {
            return Err(field("tokenizer.ggml.eos_token_id", "is missing, so no answer would ever end"));
        }
        let text_of =
            |id: Option<u32>| id.and_then(|id| tokens.get(id as usize)).map_or_else(String::new, |token| (*token).to_owned());
        Ok(Self {
            bytes: tokens.iter().enumerate().map(|(index, token)| spelled(token, kind_of(index), in_pieces)).collect(),
            first: if file.optional_flag("tokenizer.ggml.add_bos_token")?.unwrap_or(in_pieces) { bos } else { None },
            endings,
            first_text: text_of(bos),
            last_text: text_of(eos),
            inner,
        })
    }

    /// The tokens of a rendered prompt; control tokens are recognised in it.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoded = self.inner.encode_fast(text, false).map_err(failed)?;
        let ids = encoded.get_ids();
        // A template may have written the first token itself.
        match self.first {
            Some(first) if ids.first() != Some(&first) => Ok(std::iter::once(first).chain(ids.iter().copied()).collect()),
            _ => Ok(ids.to_vec()),
        }
    }

    /// The bytes that a token stands for; none for a control token or one without a text.
    pub(crate) fn bytes(&self, token: u32) -> &[u8] {
        self.bytes.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether a token ends an answer.
    pub(crate) fn ends(&self, token: u32) -> bool {
        self.endings.contains(&token)
    }

    /// The text of the token that begins a sequence, as templates use it; empty where there is none.
    pub(crate) fn first_text(&self) -> &str {
        &self.first_text
    }

    /// The text of the token that ends a sequence.
    pub(crate) fn last_text(&self) -> &str {
        &self.last_text
    }
}

fn failed(error: tokenizers::Error) -> ModelError {
    ModelError::Tokenizer(error.to_string())
}

fn token_id(file: &GgufFile, key: &str, tokens: usize) -> Result<Option<u32>, ModelError> {
    match file.optional_size(key)? {
        Some(id) if id >= tokens => Err(field(key, "is no token of the vocabulary")),
        Some(id) => Ok(u32::try_from(id).ok()),
        None => Ok(None),
    }
}

/// The bytes of a token as the file spells it.
fn spelled(token: &str, kind: u64, in_pieces: bool) -> Vec<u8> {
    let digits = || token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    match kind {
        CONTROL | UNKNOWN => Vec::new(),
        BYTE => digits().and_then(|digits| u8::from_str_radix(digits, 16).ok()).into_iter().collect(),
        _ if in_pieces => token.replace(SPACE, " ").into_bytes(),
        USER_DEFINED => token.as_bytes().to_vec(),
        _ => token.chars().map(byte_of).collect::<Option<Vec<u8>>>().unwrap_or_else(|| token.as_bytes().to_vec()),
    }
}

/// The byte that a character of a byte-level vocabulary stands for: printable bytes are themselves, the other 68 are the characters
/// from U+0100 on, in order (Radford et al. 2019).
fn byte_of(character: char) -> Option<u8> {
    let printable = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    match u32::from(character) {
        code @ 0..=0xff => u8::try_from(code).ok().filter(printable),
        code => (0..=255_u8).filter(|byte| !printable(byte)).nth(usize::try_from(code - 0x100).ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::quantized::gguf_file::{self, Value};
    use serde_json::Value as Json;

    #[test]
    fn all_256_bytes_have_a_character_and_no_two_share_one() {
        let bytes: Vec<u8> = (0..=0x143).filter_map(char::from_u32).filter_map(byte_of).collect();
        assert_eq!(bytes.len(), 256);
        assert_eq!(bytes.iter().collect::<BTreeSet<_>>().len(), 256);
        assert_eq!([byte_of('A'), byte_of('\u{120}'), byte_of('\u{10a}')], [Some(b'A'), Some(b' '), Some(b'\n')]);
        assert_eq!(byte_of('\u{144}'), None);
    }

    /// A file without tensors that holds the vocabulary of `pieces.json`.
    fn pieces() -> (Tokenizer, Json) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pieces.json");
        let json: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let list = |key: &str, value: fn(&Json) -> Value| Value::Array(json[key].as_array().unwrap().iter().map(value).collect());
        let metadata = [
            ("tokenizer.ggml.model", Value::String("llama".to_owned())),
            ("tokenizer.ggml.tokens", list("tokens", |text| Value::String(text.as_str().unwrap().to_owned()))),
            ("tokenizer.ggml.scores", list("scores", |score| Value::F32(score.as_f64().unwrap() as f32))),
            ("tokenizer.ggml.token_type", list("kinds", |kind| Value::I32(kind.as_i64().unwrap() as i32))),
            ("tokenizer.ggml.bos_token_id", Value::U32(1)),
            ("tokenizer.ggml.eos_token_id", Value::U32(2)),
        ];
        let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        gguf_file::write(&mut file, &metadata, &[]).unwrap();
        (Tokenizer::from_file(&GgufFile::open(file.path()).unwrap()).unwrap(), json)
    }

    #[test]
    fn sentence_pieces_are_those_of_the_reference_and_spell_the_text() {
        let (tokenizer, json) = pieces();
        let cases = json["cases"].as_array().unwrap();
        assert!(cases.len() > 35);
        for case in cases {
            let text = case["text"].as_str().unwrap();
            let wanted: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
            let got = tokenizer.encode(text).unwrap();
            assert_eq!(got, [&[1], wanted.as_slice()].concat(), "{text:?}");
            let spelled: Vec<u8> = got.iter().flat_map(|&token| tokenizer.bytes(token)).copied().collect();
            let with_prefix = if text.is_empty() { String::new() } else { format!(" {text}") };
            assert_eq!(String::from_utf8(spelled).unwrap(), with_prefix);
        }
    }

    #[test]
    fn control_tokens_are_found_in_a_text_and_end_it() {
        let (tokenizer, _) = pieces();
        let tokens = tokenizer.encode("<s>if</s>").unwrap();
        assert_eq!((tokens.first(), tokens.last()), (Some(&1), Some(&2)));
        assert!(tokenizer.ends(2) && !tokenizer.ends(1));
        assert_eq!((tokenizer.first_text(), tokenizer.last_text(), tokenizer.bytes(2)), ("<s>", "</s>", &[][..]));
    }
}
