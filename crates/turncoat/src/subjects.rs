//! From a plan's subjects to things that can be asked: HTTP endpoints, the model in this process, moles, recordings.

#[cfg(feature = "local")]
mod engine;
mod recordings;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use turncoat_answer::ErrorKind;
use turncoat_mole::{Mole, Running};
use turncoat_study::{Plan, Provider, Shelf as _, SubjectSpec, Task, suite};
use turncoat_subject::{Call, CallFailure, Exchange, RateHints, Subject, Surroundings};

use crate::failure::Failure;
use crate::screen::Screen;
use crate::shelf::Data;

/// Subjects that are ready to be asked. Moles run as long as this lives.
pub(crate) struct Opened {
    /// By the study's name for them.
    pub(crate) by_id: HashMap<String, Arc<dyn Subject>>,
    _moles: Vec<Running>,
}

/// Opens those subjects of a plan that are `wanted`; the others have nothing left to be asked and stay closed. Nothing is asked yet.
/// Must be called within the runtime.
pub(crate) async fn open(plan: &Plan, wanted: &[String], screen: &Screen) -> Result<Opened, Failure> {
    let surroundings = Surroundings::of_process().map_err(|error| Failure::bad_input(error.to_string()))?;
    let mut opened = Opened { by_id: HashMap::new(), _moles: Vec::new() };
    for spec in &plan.subjects {
        if !wanted.contains(&spec.id) {
            opened.by_id.insert(spec.id.clone(), Arc::new(Closed));
            continue;
        }
        let mut own = surroundings.clone();
        match spec.endpoint.provider {
            Provider::Local => own.engine = Some(local(spec, screen)?),
            Provider::Mole => {
                let mole = start_mole(spec, plan).await?;
                own.base_url = Some(mole.base_url());
                opened._moles.push(mole);
            }
            Provider::Replay => own.recordings = Some(Arc::new(recordings::tape(plan, spec)?)),
            Provider::Openai | Provider::Anthropic | Provider::Ollama => {}
        }
        let subject = turncoat_subject::open(spec, &own).map_err(|error| Failure::bad_input(error.to_string()))?;
        opened.by_id.insert(spec.id.clone(), subject);
    }
    Ok(opened)
}

/// A subject that has nothing left to be asked: no key, no server and no model is needed for it.
struct Closed;

impl Subject for Closed {
    fn ask<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Exchange> {
        let failure =
            CallFailure::new(ErrorKind::BadRequest, "this subject was not opened, since nothing of it was left to be asked");
        Box::pin(std::future::ready(Exchange {
            request: Vec::new(),
            response: Vec::new(),
            status: None,
            result: Err(failure),
            hints: RateHints::default(),
        }))
    }
}

/// The tasks that a mole's configuration names, each suite read anew so that references are at hand.
pub(crate) fn mole_tasks(suites: &[String], base: &Path) -> Result<Vec<Task>, Failure> {
    let data = Data::beside(base);
    let mut tasks = Vec::new();
    for name in suites {
        let folder = data.suite(name).map_err(|error| Failure::bad_input(format!("mole: {error}")))?;
        tasks.extend(suite::parse(&folder)?);
    }
    Ok(tasks)
}

async fn start_mole(spec: &SubjectSpec, plan: &Plan) -> Result<Running, Failure> {
    let text = spec.endpoint.config.as_deref().unwrap_or_default();
    let config = turncoat_mole::parse(&format!("mole of `{}`", spec.id), text)?;
    // Tasks of the study come first: they may stand in folders that the mole's file does not name by path.
    let mut tasks: Vec<Task> = plan.tasks.iter().filter(|task| config.suites.contains(&task.suite)).cloned().collect();
    let absent: Vec<String> =
        config.suites.iter().filter(|name| !tasks.iter().any(|task| &task.suite == *name)).cloned().collect();
    tasks.extend(mole_tasks(&absent, Path::new("."))?);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|error| Failure::lacking(format!("the mole of `{}` cannot listen on this machine: {error}", spec.id)))?;
    let mole = Mole::new(config, tasks).map_err(|error| Failure::bad_input(format!("the mole of `{}`: {error}", spec.id)))?;
    Arc::new(mole)
        .serve(listener)
        .map_err(|error| Failure::lacking(format!("the mole of `{}` cannot be served: {error}", spec.id)))
}

#[cfg(feature = "local")]
fn local(spec: &SubjectSpec, screen: &Screen) -> Result<Arc<dyn turncoat_subject::Engine>, Failure> {
    engine::open(&spec.endpoint.model, screen)
}

#[cfg(not(feature = "local"))]
fn local(spec: &SubjectSpec, _screen: &Screen) -> Result<Arc<dyn turncoat_subject::Engine>, Failure> {
    Err(Failure::lacking(format!("subject `{}`: this build has no model in it", spec.id))
        .hint("build with the feature `local`, or use another provider"))
}

/// Where the weights of the in-process model are, for `doctor`; `Err` says what would be done.
#[cfg(feature = "local")]
pub(crate) fn local_weights() -> Result<String, String> {
    engine::present()
}

/// Where the weights of the in-process model are, for `doctor`.
#[cfg(not(feature = "local"))]
pub(crate) fn local_weights() -> Result<String, String> {
    Err("this build has no model in it".to_owned())
}
