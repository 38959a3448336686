//! Long contents: compressed with a shipped dictionary, hashed, small ones in the database and large ones in files.

use std::cell::RefCell;
use std::path::Path;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::blob;
use crate::error::LedgerError;

/// Made by `cargo run -p turncoat-ledger --example train-dictionary`. Bodies on record need it: a better one gets the next
/// number and a file of its own, and this one stays.
static DICTIONARY: &[u8] = include_bytes!("../dictionary/1.zstd-dictionary");

/// Its number in `body.dictionary`.
const DICTIONARY_NUMBER: i64 = 1;

/// Compression level: level 3 with the dictionary packs answers 4.0 to 1 at 22 microseconds each; level 9 takes 128.
const LEVEL: i32 = 3;

/// The longest compressed content that lies in the database; longer ones lie in files.
const INLINE_BYTES: usize = 256 * 1024;

/// A content ready to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    /// Start of the content's SHA-256.
    pub(crate) hash: [u8; 16],
    /// The dictionary's number.
    pub(crate) dictionary: i64,
    /// Length of the content.
    pub(crate) length: i64,
    /// The compressed bytes; `None` when they lie in a file.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// Compresses `content`; a long one is written to a file of `folder` at once, so that the row that names it never lacks it.
pub(crate) fn pack(folder: &Path, content: &[u8]) -> Result<Packed, LedgerError> {
    let hash = short_hash(content);
    let compressed = COMPRESSOR.with_borrow_mut(|slot| compress(slot, content));
    let compressed = compressed.map_err(|error| LedgerError::from_io(folder, "compressing", &error))?;
    let bytes = if compressed.len() > INLINE_BYTES {
        blob::write(folder, &hash, &compressed)?;
        None
    } else {
        Some(compressed)
    };
    Ok(Packed { hash, dictionary: DICTIONARY_NUMBER, length: i64::try_from(content.len()).unwrap_or(i64::MAX), bytes })
}

/// The content of a stored row, checked against its hash.
pub(crate) fn unpack(
    folder: &Path,
    hash: &[u8],
    dictionary: i64,
    length: i64,
    bytes: Option<&[u8]>,
) -> Result<Vec<u8>, LedgerError> {
    let corrupt = |detail: String| LedgerError::Corrupt { path: folder.to_path_buf(), detail };
    if dictionary != DICTIONARY_NUMBER {
        return Err(corrupt(format!("a content needs dictionary {dictionary}, which this program does not have")));
    }
    let capacity = usize::try_from(length).map_err(|_| corrupt(format!("a content claims a length of {length} bytes")))?;
    let from_file;
    let compressed = match bytes {
        Some(bytes) => bytes,
        None => {
            from_file = blob::read(folder, hash)?;
            &from_file
        }
    };
    let content = DECOMPRESSOR.with_borrow_mut(|slot| decompress(slot, compressed, capacity));
    let content = content.map_err(|error| corrupt(format!("a content cannot be unpacked: {error}")))?;
    if short_hash(&content) != hash {
        return Err(corrupt("a content is not the one that was stored: its hash differs".to_owned()));
    }
    Ok(content)
}

/// The first 16 bytes of SHA-256: short enough that the index of 200,000 of them stays in memory.
fn short_hash(content: &[u8]) -> [u8; 16] {
    let full: [u8; 32] = Sha256::digest(content).into();
    let mut short = [0; 16];
    short.copy_from_slice(full.split_at(16).0);
    short
}

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(slot: &mut Option<Compressor<'static>>, content: &[u8]) -> std::io::Result<Vec<u8>> {
    static PREPARED: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    let compressor = match slot {
        Some(compressor) => compressor,
        None => {
            let prepared = PREPARED.get_or_init(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
            slot.insert(Compressor::with_prepared_dictionary(prepared)?)
        }
    };
    compressor.compress(content)
}

fn decompress(slot: &mut Option<Decompressor<'static>>, bytes: &[u8], capacity: usize) -> std::io::Result<Vec<u8>> {
    static PREPARED: OnceLock<DecoderDictionary<'static>> = OnceLock::new();
    let decompressor = match slot {
        Some(decompressor) => decompressor,
        None => {
            let prepared = PREPARED.get_or_init(|| DecoderDictionary::copy(DICTIONARY));
            slot.insert(Decompressor::with_prepared_dictionary(prepared)?)
        }
    };
    decompressor.decompress(bytes, capacity)
}

/// One exchange as one content, so that the answer's text, which stands in the response too, is compressed away: lengths of
/// request and response (eight bytes each, little-endian), request, response, and the answer as JSON (empty for an error).
pub(crate) fn join_exchange(request: &[u8], response: &[u8], answer: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(16 + request.len() + response.len() + answer.len());
    joined.extend_from_slice(&(request.len() as u64).to_le_bytes());
    joined.extend_from_slice(&(response.len() as u64).to_le_bytes());
    joined.extend_from_slice(request);
    joined.extend_from_slice(response);
    joined.extend_from_slice(answer);
    joined
}

/// Request, response and answer JSON of [`join_exchange`]; `None` if the lengths do not fit.
pub(crate) fn split_exchange(joined: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (request, rest) = joined.split_first_chunk::<8>()?;
    let (response, rest) = rest.split_first_chunk::<8>()?;
    let (request_length, response_length) = (u64::from_le_bytes(*request), u64::from_le_bytes(*response));
    let (request, rest) = rest.split_at_checked(usize::try_from(request_length).ok()?)?;
    let (response, answer) = rest.split_at_checked(usize::try_from(response_length).ok()?)?;
    Some((request, response, answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use turncoat_study::canonical;

    #[test]
    fn small_contents_stay_inline_and_large_ones_go_to_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let noise: Vec<u8> = (0..400_000_u32).flat_map(|i| Sha256::digest(i.to_le_bytes()).into_iter().take(1)).collect();
        for content in [Vec::new(), b"def f(): pass\n".repeat(50), noise] {
            let packed = pack(path, &content).unwrap();
            assert_eq!(packed.bytes.is_none(), content.len() == 400_000);
            let back = unpack(path, &packed.hash, packed.dictionary, packed.length, packed.bytes.as_deref()).unwrap();
            assert_eq!(back, content);
            // Storing it again is no second file.
            pack(path, &content).unwrap();
        }
        assert_eq!(std::fs::read_dir(path.join("blobs")).unwrap().count(), 1);
    }

    #[test]
    fn damage_is_told_not_returned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let packed = pack(path, b"an answer").unwrap();
        let bytes = packed.bytes.unwrap();
        let damaged = |hash: &[u8], dictionary, length, bytes: Option<&[u8]>| {
            matches!(unpack(path, hash, dictionary, length, bytes), Err(LedgerError::Corrupt { .. }))
        };
        assert!(damaged(&[0; 16], 1, packed.length, Some(&bytes)), "another content");
        assert!(damaged(&packed.hash, 9, packed.length, Some(&bytes)), "an unknown dictionary");
        assert!(damaged(&packed.hash, 1, -1, Some(&bytes)), "a negative length");
        assert!(damaged(&packed.hash, 1, 2, Some(&bytes)), "a length that is too short");
        assert!(damaged(&packed.hash, 1, packed.length, None), "a missing file");
        assert!(damaged(&packed.hash, 1, packed.length, Some(&bytes[..bytes.len() / 2])), "half the bytes");
    }

    /// Ledgers on record can only be read with the very dictionary they were written with: a better one gets the next number.
    #[test]
    fn the_shipped_dictionary_never_changes() {
        let digest = canonical::hex(&Sha256::digest(DICTIONARY));
        assert_eq!(digest, "252cd18f504220f1766c02d7419476d38d1109283a9ad02bc3a3a1b61bd6cef5");
    }

    #[test]
    fn exchanges_split_as_they_were_joined() {
        let joined = join_exchange(b"ask", b"", b"{}");
        assert_eq!(split_exchange(&joined), Some((&b"ask"[..], &b""[..], &b"{}"[..])));
        assert_eq!(split_exchange(&joined[..10]), None);
        assert_eq!(split_exchange(&[255; 40]), None);
    }
}
