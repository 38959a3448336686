//! A loaded model: ask it, and it answers.

use std::ops::ControlFlow;
use std::path::Path;

use crate::architecture::{Architecture, Decoder};
use crate::cache::Cache;
use crate::digest;
use crate::error::ModelError;
use crate::gguf::GgufFile;
use crate::memory;
use crate::sampling::{Sampler, Sampling};
use crate::template::ChatTemplate;
use crate::tokenizer::Tokenizer;
use crate::transcript::Transcript;

/// Tokens of a prompt that are read in one go: enough to share the weights, few enough to stop soon.
const PROMPT_PART: usize = 128;

/// A model in this process. Several threads may ask it at once; each answer has a memory of its own.
pub struct Model {
    decoder: Box<dyn Decoder>,
    tokenizer: Tokenizer,
    template: ChatTemplate,
    about: About,
    /// Threads that sleep when there is nothing to do. Work is offered to them and taken back when they are busy elsewhere, so a
    /// loaded machine slows an answer down but never makes a thread wait for one that does not run.
    threads: rayon::ThreadPool,
}

/// What is known about a loaded model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The file's own name for it, else the file's stem.
    pub name: String,
    /// Its architecture.
    pub architecture: &'static str,
    /// Licence, as the file states it.
    pub licence: Option<String>,
    /// Context window in tokens.
    pub context_tokens: usize,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it, or a stop string was met.
    Stop,
    /// The longest length or the end of the context was reached.
    Length,
    /// The caller did not want more.
    Cancelled,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The text, control tokens and stop string left out.
    pub text: String,
    /// Tokens of the rendered prompt.
    pub prompt_tokens: usize,
    /// Tokens generated, without the one that ended the answer.
    pub output_tokens: usize,
    /// Why it ended.
    pub finish: Finish,
}

impl Model {
    /// Loads a GGUF file.
    ///
    /// # Errors
    /// When the file cannot be read, is of an architecture or with a tokenizer not known here, lacks a chat template, or would not
    /// fit in memory.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let mut file = GgufFile::open(path)?;
        let architecture = Architecture::of(&file)?;
        let tokenizer = Tokenizer::from_file(&file)?;
        let template = ChatTemplate::new(file.optional_text("tokenizer.chat_template")?.ok_or(ModelError::NoTemplate)?)?;
        memory::check(&file)?;
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|index| format!("model-{index}"))
            .build()
            .map_err(|error| ModelError::Threads(error.to_string()))?;
        let decoder = threads.install(|| architecture.load(&mut file))?;
        let sha256 =
            digest::of_file(path, &mut |_| {}).map_err(|source| ModelError::Unreadable { path: path.to_owned(), source })?;
        let stem = || path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let about = About {
            name: file.optional_text("general.name")?.map_or_else(stem, str::to_owned),
            architecture: architecture.name(),
            licence: file.optional_text("general.license")?.map(str::to_owned),
            context_tokens: decoder.context(),
            sha256,
        };
        Ok(Self { decoder, tokenizer, template, about, threads })
    }

    /// What is known about it.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What decides the text besides prompt, sampling and seed: the weights, this engine's version and the processor's features.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let weights = self.about.sha256.get(..16).unwrap_or(&self.about.sha256);
        format!("gguf:{weights} engine:{} cpu:{}", env!("CARGO_PKG_VERSION"), processor())
    }

    /// The prompt as the model sees it: both messages in the file's own chat template.
    ///
    /// # Errors
    /// When the template refuses the messages.
    pub fn render(&self, system: &str, user: &str) -> Result<String, ModelError> {
        self.template.render(system, user, self.tokenizer.first_text(), self.tokenizer.last_text())
    }

    /// The tokens of a text; control tokens in it are recognised.
    ///
    /// # Errors
    /// When the tokenizer refuses the text.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.tokenizer.encode(text)
    }

    /// The model's numbers (logits) for what follows `tokens`, read in parts of `part` tokens; empty where there are no tokens.
    #[must_use]
    pub fn logits(&self, tokens: &[u32], part: usize) -> Vec<f32> {
        let mut cache = Cache::new(self.decoder.layers());
        tokens.chunks(part.max(1)).map(|part| self.advance(part, &mut cache)).last().unwrap_or_default()
    }

    /// Answers one prompt. `progress` is told every piece of text as it is sure, and nothing (an empty piece) now and then while the
    /// prompt is read; when it breaks, the answer ends.
    ///
    /// # Errors
    /// When the template or the tokenizer refuses the prompt, it does not fit the context, or the weights give no numbers.
    pub fn chat(
        &self,
        system: &str,
        user: &str,
        sampling: &Sampling,
        seed: u64,
        progress: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Generated, ModelError> {
        let prompt = self.tokens(&self.render(system, user)?)?;
        let context_tokens = self.decoder.context();
        if prompt.is_empty() {
            return Err(ModelError::Template("it made an empty prompt".to_owned()));
        }
        if prompt.len() >= context_tokens {
            return Err(ModelError::PromptTooLong { prompt_tokens: prompt.len(), context_tokens });
        }
        let room = context_tokens - prompt.len();
        let most = usize::try_from(sampling.max_tokens).map_or(room, |most| most.min(room));

        let mut cache = Cache::new(self.decoder.layers());
        let mut logits = Vec::new();
        let mut transcript = Transcript::new(&sampling.stop);
        let mut output_tokens = 0;
        let mut finish = None;
        for part in prompt.chunks(PROMPT_PART) {
            logits = self.advance(part, &mut cache);
            if progress("").is_break() {
                finish = Some(Finish::Cancelled);
                break;
            }
        }
        let mut sampler = Sampler::new(sampling, seed, self.decoder.vocabulary(), &prompt);
        let finish = loop {
            if let Some(finish) = finish {
                break finish;
            }
            if output_tokens >= most {
                break Finish::Length;
            }
            let token = sampler.draw(&logits).ok_or(ModelError::NotANumber { tokens: cache.length })?;
            if self.tokenizer.ends(token) {
                break Finish::Stop;
            }
            output_tokens += 1;
            let wanted = progress(transcript.push(self.tokenizer.bytes(token)));
            if transcript.stopped() {
                break Finish::Stop;
            }
            if wanted.is_break() {
                break Finish::Cancelled;
            }
            if output_tokens < most {
                logits = self.advance(&[token], &mut cache);
            }
        };
        let rest = transcript.finish();
        if !rest.is_empty() {
            // The last piece: whether the caller wants more changes nothing now.
            let _unneeded = progress(rest);
        }
        Ok(Generated { text: transcript.into_text(), prompt_tokens: prompt.len(), output_tokens, finish })
    }

    fn advance(&self, tokens: &[u32], cache: &mut Cache) -> Vec<f32> {
        // One step at a time: a thread that waits here may take up a step of another answer, never the whole of it.
        self.threads.install(|| self.decoder.advance(tokens, cache))
    }
}

/// The processor's features that choose among the kernels.
fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    let features =
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") { "+avx2" } else { "" };
    #[cfg(not(target_arch = "x86_64"))]
    let features = "";
    format!("{}{features}", std::env::consts::ARCH)
}
