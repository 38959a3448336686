//! The answer of a model, whole, as every dialect yields it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was done.
    Stop,
    /// It met the token limit: the answer is cut.
    Length,
    /// The server's filter stepped in.
    ContentFilter,
    /// It wants tools to be called.
    ToolCalls,
    /// The server gave none.
    Missing,
    /// Anything else, word for word.
    Other(String),
}

/// Token counts as the server gave them; a missing count is never an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens.
    pub input: Option<u64>,
    /// Answer tokens, reasoning included where the server counts it so.
    pub output: Option<u64>,
    /// Reasoning tokens.
    pub reasoning: Option<u64>,
    /// Prompt tokens read from the server's cache.
    pub cached: Option<u64>,
    /// Cost in USD, where the server tells it.
    pub cost_usd: Option<f64>,
}

/// A tool call that the model asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// Its arguments, the text as it came (JSON, mostly).
    pub arguments: String,
}

/// What came back, as far as it can be read; the exact bytes are kept beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The visible text, reasoning taken out.
    pub text: String,
    /// Reasoning, from a field of its own or from a leading `<think>` block.
    pub reasoning: Option<String>,
    /// Tool calls, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// A refusal that the server marks as such (OpenAI's `refusal` field, a content-filter error), word for word.
    pub blocked: Option<String>,
    /// Token counts.
    pub usage: Usage,
    /// The model id that the server says it served.
    pub served_model: Option<String>,
    /// The server's fingerprint of its configuration.
    pub fingerprint: Option<String>,
    /// The server's id of the request.
    pub request_id: Option<String>,
    /// From sending to the last byte, in milliseconds.
    pub latency_ms: u64,
}

/// Why a call brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// 401 or 403: the key is missing, wrong or not allowed.
    Auth,
    /// 402 or a quota message: no money left at the provider.
    Quota,
    /// 429.
    RateLimited,
    /// 404 or an unknown model.
    NotFound,
    /// Another 4xx: the request itself is refused.
    BadRequest,
    /// 5xx, 529 included.
    Server,
    /// No connection was made.
    Connect,
    /// The connection broke before the answer was whole.
    Broken,
    /// Nothing came within the time limit.
    Timeout,
    /// The bytes are not what the dialect promises.
    Malformed,
    /// The server read less than half of the prompt.
    PromptCut,
    /// The body is larger than is read.
    TooLarge,
    /// The in-process model failed.
    Engine,
    /// The program died while the call was in flight; nobody knows whether it was answered.
    Unknown,
}

impl ErrorKind {
    /// The name used in ledgers and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Auth => "auth",
            ErrorKind::Quota => "quota",
            ErrorKind::RateLimited => "rate_limited",
            ErrorKind::NotFound => "not_found",
            ErrorKind::BadRequest => "bad_request",
            ErrorKind::Server => "server",
            ErrorKind::Connect => "connect",
            ErrorKind::Broken => "broken",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Malformed => "malformed",
            ErrorKind::PromptCut => "prompt_cut",
            ErrorKind::TooLarge => "too_large",
            ErrorKind::Engine => "engine",
            ErrorKind::Unknown => "unknown",
        }
    }

    /// Whether another attempt may bring an answer.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            ErrorKind::RateLimited
                | ErrorKind::Server
                | ErrorKind::Connect
                | ErrorKind::Broken
                | ErrorKind::Timeout
                | ErrorKind::Malformed
                | ErrorKind::Unknown
        )
    }

    /// Whether every further call to this subject would fail alike, so that asking on only wastes time.
    #[must_use]
    pub fn is_final_for_subject(self) -> bool {
        matches!(self, ErrorKind::Auth | ErrorKind::Quota | ErrorKind::NotFound)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
