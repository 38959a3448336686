//! From a subject's specification to something that can be asked: one list of providers, and what they need from outside.

use std::sync::Arc;

use turncoat_study::{Provider, SubjectSpec};

use crate::call::Subject;
use crate::engine::{self, Engine};
use crate::replay::{self, Recordings};
use crate::web::Web;

/// What a subject needs from outside. Cheap to clone, so that one subject's copy can differ from the others'.
#[derive(Clone)]
pub struct Surroundings {
    /// Reads an environment variable; keys come from here alone.
    pub variables: Variables,
    /// The shared HTTP client.
    pub web: Web,
    /// Takes the place of the specification's address: where a mole listens, for one.
    pub base_url: Option<String>,
    /// The model in this process, for provider `local`.
    pub engine: Option<Arc<dyn Engine>>,
    /// Recorded answers, for provider `replay`.
    pub recordings: Option<Arc<dyn Recordings>>,
}

/// A way to read environment variables.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Surroundings {
    /// Surroundings whose environment variables are read by `variables`; proxies and `SSL_CERT_FILE` are taken from there too.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up: an unreadable certificate file, a proxy address that is none.
    pub fn new(variables: Variables) -> Result<Surroundings, OpenError> {
        let web = Web::new(&variables)?;
        Ok(Surroundings { variables, web, base_url: None, engine: None, recordings: None })
    }

    /// The surroundings of this process.
    ///
    /// # Errors
    /// As [`Surroundings::new`].
    pub fn of_process() -> Result<Surroundings, OpenError> {
        Surroundings::new(Arc::new(|name| std::env::var(name).ok()))
    }
}

/// Why a subject cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key's variable is not set.
    #[error(
        "subject `{subject}`: the environment variable `{variable}` that holds its key is not set; set it, or take `api_key_env` out if the server needs none"
    )]
    MissingKey {
        /// The subject.
        subject: String,
        /// The variable.
        variable: String,
    },
    /// The key holds what no HTTP header may hold.
    #[error(
        "subject `{subject}`: the key in `{variable}` holds a line break or another character that no HTTP header may hold; set it again without"
    )]
    BadKey {
        /// The subject.
        subject: String,
        /// The variable.
        variable: String,
    },
    /// The address is none.
    #[error("subject `{subject}`: `{base_url}` is no http or https address: {reason}")]
    BadAddress {
        /// The subject.
        subject: String,
        /// The address as it was written.
        base_url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header of the specification is none.
    #[error("subject `{subject}`: header `{header}` {reason}")]
    BadHeader {
        /// The subject.
        subject: String,
        /// The header's name.
        header: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `extra_body` or `omit` names a field that it may not.
    #[error("subject `{subject}`: {reason}")]
    BadBody {
        /// The subject.
        subject: String,
        /// What is wrong.
        reason: String,
    },
    /// No certificate authority is known, so no https address can be trusted.
    #[error(
        "subject `{subject}`: no certificate authorities to check https with: {reason}; install the system's `ca-certificates`, or name a file of them in SSL_CERT_FILE"
    )]
    NoAuthorities {
        /// The subject.
        subject: String,
        /// What was tried.
        reason: String,
    },
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
    /// Provider `local` without an engine.
    #[error("subject `{subject}`: this build has no model in it; build with the feature `local`, or use another provider")]
    NoEngine {
        /// The subject.
        subject: String,
    },
    /// Provider `replay` without recordings.
    #[error("subject `{subject}`: nothing to replay; name a ledger or bundle in `config`")]
    NoRecordings {
        /// The subject.
        subject: String,
    },
    /// Provider `mole` without an address.
    #[error("subject `{subject}`: the mole is not running yet; start it and hand its address over")]
    NoMole {
        /// The subject.
        subject: String,
    },
}

/// How each provider is opened.
type Opener = fn(&SubjectSpec, &Surroundings) -> Result<Arc<dyn Subject>, OpenError>;

/// The list: a provider is one file and one line here.
const PROVIDERS: [(Provider, Opener); 6] = [
    (Provider::Openai, crate::openai::open),
    (Provider::Anthropic, crate::anthropic::open),
    (Provider::Ollama, crate::ollama::open),
    (Provider::Local, engine::open),
    (Provider::Mole, crate::openai::open_mole),
    (Provider::Replay, replay::open),
];

/// Opens a subject; nothing is sent yet.
///
/// # Errors
/// A missing key, an address that is none, a missing engine and the like: all that is known to fail before the first call.
pub fn open(spec: &SubjectSpec, surroundings: &Surroundings) -> Result<Arc<dyn Subject>, OpenError> {
    let provider = spec.endpoint.provider;
    let listed = PROVIDERS.iter().find(|(listed, _)| *listed == provider);
    let (_, opener) = listed.ok_or_else(|| OpenError::Client(format!("provider `{provider}` is not listed")))?;
    opener(spec, surroundings)
}
