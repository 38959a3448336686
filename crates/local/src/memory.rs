//! Whether the weights fit into this machine, asked before they are read: a killed process explains nothing.

use crate::error::ModelError;
use crate::gguf::GgufFile;

/// Refuses a file whose weights would not fit into the memory that the system says is available.
pub(crate) fn check(file: &GgufFile) -> Result<(), ModelError> {
    match available_bytes() {
        Some(available) => check_against(file, available),
        // Not every system tells; then loading is tried.
        None => Ok(()),
    }
}

fn check_against(file: &GgufFile, available: u64) -> Result<(), ModelError> {
    let (elements, largest) = file.element_counts();
    // Q8_0 takes 34 bytes for 32 weights; while a tensor is converted it also stands in memory twice as 32-bit reals.
    let needed = (elements / 32).saturating_mul(34).saturating_add(largest.saturating_mul(8));
    if needed <= available {
        return Ok(());
    }
    Err(ModelError::Memory { path: file.path().to_owned(), needed_mb: needed / 1_000_000, available_mb: available / 1_000_000 })
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available_bytes() -> Option<u64> {
    parse_available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse_available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_line_of_the_kernel() {
        assert_eq!(parse_available("MemTotal:  10 kB\nMemAvailable:     2048 kB\n"), Some(2_097_152));
        assert_eq!(parse_available("MemTotal:  10 kB\n"), None);
    }

    #[test]
    fn a_file_that_does_not_fit_is_refused_with_both_numbers() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf");
        let file = GgufFile::open(&path).unwrap();
        assert!(check_against(&file, u64::MAX).is_ok());
        let error = check_against(&file, 10_000).unwrap_err();
        assert!(matches!(error, ModelError::Memory { available_mb: 0, .. }), "{error}");
    }
}
