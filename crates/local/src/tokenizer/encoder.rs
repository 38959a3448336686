//! How a text becomes tokens: the two families of encoders that files of the `llama` architecture carry.

use std::collections::HashMap;

use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::{NormalizerWrapper, Prepend, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use super::{NORMAL, SPACE, failed, token_id};
use crate::error::ModelError;
use crate::gguf::{GgufFile, field};

/// How Llama 3 files split a text before pairs are merged.
const LLAMA_3_SPLIT: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The encoder of kind `gpt2`: bytes as characters, merged pair by pair in the order of the file's list. `None` where the way the
/// text is split before that is not known.
pub(super) fn byte_pairs(file: &GgufFile, pre: &str, tokens: &[&str]) -> Result<Option<Tokenizer>, ModelError> {
    let Some((splitter, whole_words_first)) = splitter(pre)? else { return Ok(None) };
    let vocabulary: Vocab = tokens.iter().zip(0_u32..).map(|(token, id)| ((*token).to_owned(), id)).collect();
    let merges: Merges = file
        .texts("tokenizer.ggml.merges")?
        .into_iter()
        .map(|merge| {
            let pair = merge.split_once(' ').ok_or_else(|| field("tokenizer.ggml.merges", "holds an entry that is no pair"))?;
            Ok((pair.0.to_owned(), pair.1.to_owned()))
        })
        .collect::<Result<_, ModelError>>()?;
    let merger = BPE::builder().vocab_and_merges(vocabulary, merges).ignore_merges(whole_words_first).build().map_err(failed)?;
    let mut made = Tokenizer::new(merger);
    made.with_pre_tokenizer(Some(splitter));
    Ok(Some(made))
}

/// Where a text may never be merged across. The flag says whether a piece that is a token as a whole stays one without merging.
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

/// The encoder of kind `llama`, SentencePiece's (Kudo and Richardson 2018): spaces are a visible sign, the two neighbours that make
/// the piece with the best score are joined until none do, and what is no piece falls back to its bytes.
pub(super) fn pieces(file: &GgufFile, tokens: &[&str], kinds: &[u64]) -> Result<Tokenizer, ModelError> {
    let scores = file.reals("tokenizer.ggml.scores")?;
    if scores.len() != tokens.len() {
        return Err(field("tokenizer.ggml.scores", "has another length than the vocabulary"));
    }
    let unknown = token_id(file, "tokenizer.ggml.unknown_token_id", tokens.len())?.unwrap_or(0);
    let unknown = tokens.get(unknown as usize).map_or_else(String::new, |token| (*token).to_owned());
    let vocabulary: Vocab = tokens.iter().zip(0_u32..).map(|(token, id)| ((*token).to_owned(), id)).collect();
    let merger = BPE::builder()
        .vocab_and_merges(vocabulary, merges_by_score(tokens, kinds, &scores))
        .unk_token(unknown)
        .fuse_unk(true)
        .byte_fallback(true)
        .build()
        .map_err(failed)?;
    let mut made = Tokenizer::new(merger);
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if file.optional_flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true) {
        steps.push(Prepend::new(SPACE.to_owned()).into());
    }
    steps.push(Replace::new(" ", SPACE).map_err(failed)?.into());
    made.with_normalizer(Some(Normalizers::new(steps))).map_err(failed)?;
    Ok(made)
}

/// Every way to put a piece together from two others, the best score first.
fn merges_by_score(tokens: &[&str], kinds: &[u64], scores: &[f64]) -> Merges {
    let is_piece = |index: usize| kinds.get(index).is_none_or(|&kind| kind == NORMAL);
    let known: HashMap<&str, usize> =
        tokens.iter().enumerate().filter(|(index, _)| is_piece(*index)).map(|(index, token)| (*token, index)).collect();
    let mut merges = Vec::new();
    for (index, (token, score)) in tokens.iter().zip(scores).enumerate().filter(|(index, _)| is_piece(*index)) {
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if known.contains_key(left) && known.contains_key(right) {
                merges.push((*score, index, left, right));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(b.2.len().cmp(&a.2.len())));
    merges.into_iter().map(|(_, _, left, right)| (left.to_owned(), right.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    fn split(pre: &str, text: &str) -> Vec<String> {
        let (splitter, _) = splitter(pre).unwrap().unwrap();
        let mut split = PreTokenizedString::from(text);
        splitter.pre_tokenize(&mut split).unwrap();
        let splits = split.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits.into_iter().map(|(piece, _, _)| piece.replace('\u{120}', "_").replace('\u{10a}', "/")).collect()
    }

    #[test]
    fn smollm_splits_every_digit_off_before_the_words() {
        assert_eq!(split("smollm", "in 2024, x=10"), ["in", "_", "2", "0", "2", "4", ",", "_x", "=", "1", "0"]);
        assert_eq!(split("gpt-2", "in 2024, x=10"), ["in", "_2024", ",", "_x", "=", "10"]);
    }

    #[test]
    fn llama_splits_digits_in_threes_and_takes_one_sign_before_a_word() {
        assert_eq!(split("llama-bpe", "12345 (word)\n\n  Y'LL"), ["123", "45", "_(", "word", ")//", "_", "_Y", "'LL"]);
    }

    #[test]
    fn an_unknown_splitter_is_none() {
        assert!(splitter("martian").unwrap().is_none());
    }
}
