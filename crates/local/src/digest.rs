//! SHA-256 of files, with progress: weights are large.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

/// The SHA-256 of a file in lower-case hexadecimal; `progress` is told the bytes read so far.
pub(crate) fn of_file(path: &Path, progress: &mut dyn FnMut(u64)) -> io::Result<String> {
    let (_, digest) = copy(&mut File::open(path)?, &mut io::sink(), progress)?;
    Ok(digest)
}

/// Copies everything and returns how much it was and its SHA-256.
pub(crate) fn copy(from: &mut dyn Read, to: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut total = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let part = buffer.get(..count).unwrap_or(&[]);
        hasher.update(part);
        to.write_all(part)?;
        total += count as u64;
        progress(total);
    }
    Ok((total, hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
