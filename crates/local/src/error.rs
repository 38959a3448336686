//! Why a model cannot be loaded or asked.

use std::path::PathBuf;

/// Why a model cannot be loaded or asked.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be opened or read.
    #[error("cannot read the model file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no GGUF file, or is cut short.
    #[error("{} is not a GGUF file that can be read: {reason}; download it again, or name another file", path.display())]
    NotGguf {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// Some tensors are quantised in a way that is not known here.
    #[error("{} holds weights of a type that this engine does not read ({reason}); use a file in Q4_0, Q4_K_M, Q5_K_M, Q6_K, Q8_0 or F16", path.display())]
    UnknownType {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// A decoder for this architecture does not exist here.
    #[error(
        "{} has the architecture `{name}`; this engine runs {known}. Serve it with llama.cpp, Ollama, vLLM or SGLang and name it as a subject of provider `openai`",
        path.display()
    )]
    UnknownArchitecture {
        /// The file.
        path: PathBuf,
        /// The value of `general.architecture`.
        name: String,
        /// The architectures there are, in words.
        known: String,
    },
    /// A field that the decoder or the tokenizer needs is missing or of another kind.
    #[error("the model file lacks what is needed: `{key}` {problem}")]
    Field {
        /// The GGUF key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A weight tensor is missing, has another shape or cannot be decoded.
    #[error("the tensor `{name}` of the model file cannot be used: {problem}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file holds tensors that the decoder would leave out, so its answers would be another model's.
    #[error(
        "the model file holds tensors that the `{architecture}` decoder does not know ({names}); it would not be the same model without them"
    )]
    UnusedTensors {
        /// The architecture's name.
        architecture: &'static str,
        /// The first few names.
        names: String,
    },
    /// The way the file splits text into tokens is not known here.
    #[error("the model file's tokenizer (`{kind}`, pre-tokenizer `{pre}`) is not known here; known are: {known}")]
    UnknownTokenizer {
        /// The value of `tokenizer.ggml.model`.
        kind: String,
        /// The value of `tokenizer.ggml.pre`.
        pre: String,
        /// What there is.
        known: &'static str,
    },
    /// The tokenizer cannot be built, or refuses a text.
    #[error("the model file's tokenizer failed: {0}")]
    Tokenizer(String),
    /// The file has no chat template: a base model, mostly.
    #[error(
        "the model file has no chat template (`tokenizer.chat_template`), so it cannot be asked as an assistant; use an instruction-tuned file"
    )]
    NoTemplate,
    /// The chat template cannot be read, or refuses the messages.
    #[error("the model file's chat template failed: {0}")]
    Template(String),
    /// The weights would not fit in memory.
    #[error("{} needs about {needed_mb} MB of memory and {available_mb} MB are free; close something, or use a smaller file", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// Estimated need, in megabytes.
        needed_mb: u64,
        /// What the system reports as available, in megabytes.
        available_mb: u64,
    },
    /// The prompt is longer than the model's context window.
    #[error("the prompt has {prompt_tokens} tokens and the model's context holds {context_tokens}; nothing was generated")]
    PromptTooLong {
        /// Tokens of the rendered prompt.
        prompt_tokens: usize,
        /// The context window.
        context_tokens: usize,
    },
    /// The numbers broke down.
    #[error("the model computed no usable numbers after {tokens} tokens: its file is damaged or its type is not supported")]
    NotANumber {
        /// Tokens in the context so far.
        tokens: usize,
    },
    /// The threads that compute could not be started.
    #[error("cannot start the model's threads: {0}")]
    Threads(String),
}
