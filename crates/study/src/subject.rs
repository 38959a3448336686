//! A subject: one way to reach one model, as data. The crate `turncoat-subject` speaks to it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A way of speaking to a model: the wire dialect or the in-process engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Any OpenAI-compatible chat endpoint.
    Openai,
    /// Anthropic Messages.
    Anthropic,
    /// Ollama's native `/api/chat`.
    Ollama,
    /// The model in this process.
    Local,
    /// Our own subject of known behaviour, over real HTTP.
    Mole,
    /// Answers recorded by an earlier study.
    Replay,
}

impl Provider {
    /// Every provider; a new one is one file in `turncoat-subject` and one line here.
    pub const ALL: [Provider; 6] =
        [Provider::Openai, Provider::Anthropic, Provider::Ollama, Provider::Local, Provider::Mole, Provider::Replay];

    /// The name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Provider::Openai => "openai",
            Provider::Anthropic => "anthropic",
            Provider::Ollama => "ollama",
            Provider::Local => "local",
            Provider::Mole => "mole",
            Provider::Replay => "replay",
        }
    }

    /// Whether answers of this provider cost nothing by their nature.
    #[must_use]
    pub fn is_free(self) -> bool {
        matches!(self, Provider::Local | Provider::Mole | Provider::Replay)
    }

    /// Whether what it answers is simulated and must be marked so everywhere.
    #[must_use]
    pub fn is_simulated(self) -> bool {
        self == Provider::Mole
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Sampling parameters; `None` is not sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Softmax temperature.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temperature: Option<f64>,
    /// Nucleus mass.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top_p: Option<f64>,
    /// Candidates kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top_k: Option<u32>,
    /// Repetition penalty as vLLM, SGLang and llama.cpp define it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repetition_penalty: Option<f64>,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// Context window asked of servers that take one (`num_ctx` of Ollama), in tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<u32>,
    /// Stop strings.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub stop: Vec<String>,
}

/// Everything of a subject that decides a request: part of the plan hash and of every trial key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The dialect.
    pub provider: Provider,
    /// Where the dialect's path is appended; empty for local, mole and replay.
    pub base_url: String,
    /// The model id sent.
    pub model: String,
    /// Sampling parameters.
    pub sampling: Sampling,
    /// Ask for a server-sent event stream.
    pub stream: bool,
    /// Fields of the request body that are left out although the dialect declares them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub omit: Vec<String>,
    /// Additional request headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub headers: BTreeMap<String, String>,
    /// Additional fields of the request body.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub extra_body: Option<serde_json::Value>,
    /// Whether a prompt that the server seems to have cut is an error.
    pub prompt_check: bool,
    /// The whole text of a mole's configuration, or the path of a replay's source.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub config: Option<String>,
}

/// A price in USD per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Per million prompt tokens.
    pub input: f64,
    /// Per million answer tokens.
    pub output: f64,
}

/// How a subject is to be asked; no part of the question, may change between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conduct {
    /// Environment variable that holds the key, if any.
    pub api_key_env: Option<String>,
    /// Calls in flight at most.
    pub concurrency: u32,
    /// Requests a minute at most.
    pub requests_per_minute: Option<u32>,
    /// Tokens (in and out) a minute at most.
    pub tokens_per_minute: Option<u32>,
    /// Longest wait for one answer, in seconds.
    pub timeout_s: u32,
    /// Attempts at one trial before it is given up in this run.
    pub attempts: u32,
    /// The price, if known.
    pub price: Option<Price>,
}

/// What is known about a model; unknown is empty, never guessed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The preset's name, if one was used.
    pub preset: Option<String>,
    /// Who built it.
    pub developer: Option<String>,
    /// Who owns the developer, where it is another.
    #[serde(default)]
    pub owner: Option<String>,
    /// Country of the developer's seat, ISO 3166 alpha-2.
    pub jurisdiction: Option<String>,
    /// Licence of the weights, or `proprietary`.
    pub licence: Option<String>,
    /// Context window in tokens.
    pub context: Option<u32>,
    /// Remarks and open points.
    pub notes: Vec<String>,
}

/// One way to reach one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubjectSpec {
    /// The study's name for it.
    pub id: String,
    /// What decides a request.
    pub endpoint: Endpoint,
    /// How it is asked.
    pub conduct: Conduct,
    /// What is known about it.
    pub about: About,
}
