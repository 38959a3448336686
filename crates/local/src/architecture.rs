//! The architectures this engine can run: one line here and one file each.

use crate::cache::Cache;
use crate::error::ModelError;
use crate::gguf::GgufFile;
use crate::llama;

/// An architecture, as `general.architecture` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    /// Llama and what is built like it: SmolLM2, Llama 2 and 3, TinyLlama, Mistral.
    Llama,
}

/// The decoder of an architecture with its weights: tokens in, numbers for the next token out.
pub(crate) trait Decoder: Send + Sync {
    /// Layers, each with a part of the [`Cache`].
    fn layers(&self) -> usize;

    /// Tokens it has numbers for.
    fn vocabulary(&self) -> usize;

    /// Positions it was made for.
    fn context(&self) -> usize;

    /// Reads `tokens` after what `cache` holds and returns one number (logit) per token of the vocabulary for what follows the last.
    fn advance(&self, tokens: &[u32], cache: &mut Cache) -> Vec<f32>;
}

impl Architecture {
    /// Every architecture.
    pub(crate) const ALL: [Architecture; 1] = [Architecture::Llama];

    /// The name in GGUF files, also the prefix of its keys.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Architecture::Llama => "llama",
        }
    }

    /// The architecture of a file.
    pub(crate) fn of(file: &GgufFile) -> Result<Self, ModelError> {
        let name = file.text("general.architecture")?;
        Self::ALL.into_iter().find(|architecture| architecture.name() == name).ok_or_else(|| ModelError::UnknownArchitecture {
            path: file.path().to_owned(),
            name: name.to_owned(),
            known: Self::ALL.map(|architecture| format!("`{}`", architecture.name())).join(", "),
        })
    }

    /// Reads the weights, and refuses a file of which some would be left out.
    pub(crate) fn load(self, file: &mut GgufFile) -> Result<Box<dyn Decoder>, ModelError> {
        let decoder: Box<dyn Decoder> = match self {
            Architecture::Llama => Box::new(llama::Llama::load(file, self.name())?),
        };
        let left_over = file.left_over();
        if left_over.is_empty() {
            return Ok(decoder);
        }
        let names = left_over.iter().take(3).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let names = if left_over.len() > 3 { format!("{names} and {} more", left_over.len() - 3) } else { names };
        Err(ModelError::UnusedTensors { architecture: self.name(), names })
    }
}
