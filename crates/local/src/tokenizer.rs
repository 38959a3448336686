//! Text to tokens and back, built from the fields of the GGUF file itself.

use std::collections::BTreeSet;

use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior};

use crate::error::ModelError;
use crate::gguf::{GgufFile, field};

/// Kinds of token in `tokenizer.ggml.token_type` that are found in a text before it is split: control and user-defined tokens.
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Control tokens that end an answer under any name the file gives the end of sequence.
const ENDINGS: [&str; 6] = ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "</s>"];

/// How Llama 3 files split a text before pairs are merged.
const LLAMA_3_SPLIT: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A byte-level BPE tokenizer.
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
        let unknown = || ModelError::UnknownTokenizer {
            kind: kind.to_owned(),
            pre: pre.to_owned(),
            known: "model `gpt2` with pre-tokenizer `smollm`, `gpt-2` or `llama-bpe`",
        };
        if kind != "gpt2" {
            return Err(unknown());
        }
        let (splitter, whole_words_first) = splitter(pre)?.ok_or_else(unknown)?;
        let tokens = file.texts("tokenizer.ggml.tokens")?;
        let kinds = file.optional_numbers("tokenizer.ggml.token_type")?.unwrap_or_default();
        let id = |key: &str| token_id(file, key, tokens.len());
        let bos = id("tokenizer.ggml.bos_token_id")?;
        let eos = id("tokenizer.ggml.eos_token_id")?;
        let kind_of = |index: usize| kinds.get(index).copied().unwrap_or(1);

        let mut inner = tokenizers::Tokenizer::new(pair_encoder(file, &tokens, whole_words_first)?);
        inner.with_pre_tokenizer(Some(splitter));
        let added = tokens.iter().enumerate().filter(|(index, _)| matches!(kind_of(*index), CONTROL | USER_DEFINED));
        let added = added.map(|(index, token)| AddedToken::from(*token, kind_of(index) == CONTROL).normalized(false));
        inner.add_tokens(added).map_err(failed)?;

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
            bytes: tokens.iter().enumerate().map(|(index, token)| spelled(token, kind_of(index))).collect(),
            first: if file.optional_flag("tokenizer.ggml.add_bos_token")?.unwrap_or(false) { bos } else { None },
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

/// The first stage: where a text may never be merged across. The flag says whether a piece that is a token as a whole stays one
/// without merging.
fn splitter(pre: &str) -> Result<Option<(PreTokenizerWrapper, bool)>, ModelError> {
    let words = ByteLevel::new(false, false, true);
    Ok(match pre {
        "gpt-2" => Some((words.into(), false)),
        "smollm" => Some((Sequence::new(vec![Digits::new(true).into(), words.into()]).into(), false)),
        "llama-bpe" => {
            let split = Split::new(SplitPattern::Regex(LLAMA_3_SPLIT.to_owned()), SplitDelimiterBehavior::Isolated, false);
            let bytes = ByteLevel::new(false, false, false);
            Some((Sequence::new(vec![split.map_err(failed)?.into(), bytes.into()]).into(), true))
        }
        _ => None,
    })
}

/// The second stage: pairs of pieces merged by rank.
fn pair_encoder(file: &GgufFile, tokens: &[&str], whole_words_first: bool) -> Result<BPE, ModelError> {
    let vocabulary: Vocab = tokens.iter().zip(0_u32..).map(|(token, id)| ((*token).to_owned(), id)).collect();
    let merges: Merges = file
        .texts("tokenizer.ggml.merges")?
        .into_iter()
        .map(|merge| {
            let (left, right) =
                merge.split_once(' ').ok_or_else(|| field("tokenizer.ggml.merges", "holds an entry that is no pair"))?;
            Ok((left.to_owned(), right.to_owned()))
        })
        .collect::<Result<_, ModelError>>()?;
    BPE::builder().vocab_and_merges(vocabulary, merges).ignore_merges(whole_words_first).build().map_err(failed)
}

/// The bytes of a token as the file spells it.
fn spelled(token: &str, kind: u64) -> Vec<u8> {
    match kind {
        CONTROL => Vec::new(),
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
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    fn pieces(pre: &str, text: &str) -> Vec<String> {
        let (splitter, _) = splitter(pre).unwrap().unwrap();
        let mut split = PreTokenizedString::from(text);
        splitter.pre_tokenize(&mut split).unwrap();
        let splits = split.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits.into_iter().map(|(piece, _, _)| piece.replace('\u{120}', "_").replace('\u{10a}', "/")).collect()
    }

    #[test]
    fn smollm_splits_every_digit_off_before_the_words() {
        assert_eq!(pieces("smollm", "in 2024, x=10"), ["in", "_", "2", "0", "2", "4", ",", "_x", "=", "1", "0"]);
        assert_eq!(pieces("gpt-2", "in 2024, x=10"), ["in", "_2024", ",", "_x", "=", "10"]);
    }

    #[test]
    fn llama_splits_digits_in_threes_and_takes_one_sign_before_a_word() {
        assert_eq!(pieces("llama-bpe", "12345 (word)\n\n  Y'LL"), ["123", "45", "_(", "word", ")//", "_", "_Y", "'LL"]);
    }

    #[test]
    fn all_256_bytes_have_a_character_and_no_two_share_one() {
        let bytes: Vec<u8> = (0..=0x143).filter_map(char::from_u32).filter_map(byte_of).collect();
        assert_eq!(bytes.len(), 256);
        assert_eq!(bytes.iter().collect::<BTreeSet<_>>().len(), 256);
        assert_eq!([byte_of('A'), byte_of('\u{120}'), byte_of('\u{10a}')], [Some(b'A'), Some(b' '), Some(b'\n')]);
        assert_eq!(byte_of('\u{144}'), None);
    }

    #[test]
    fn an_unknown_splitter_is_none() {
        assert!(splitter("martian").unwrap().is_none());
    }
}
