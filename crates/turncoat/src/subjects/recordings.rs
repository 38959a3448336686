//! Provider `replay`: the answers of an earlier ledger, found by prompt and repeat.

use std::collections::HashMap;
use std::path::Path;

use turncoat_ledger::{LedgerError, StoredAnswer, Wanted};
use turncoat_study::{Plan, SubjectSpec, TrialKey};
use turncoat_subject::{Exchange, RateHints, Tape};

use crate::failure::Failure;
use crate::ledgers;

/// The recordings for one subject of a plan. Its `model` names the subject of the earlier ledger where that has several.
///
/// A trial's seed comes from its key, and the key from the subject; so the earlier answers are laid under the seeds of the new trials
/// that ask the same prompt the same time around.
pub(super) fn tape(plan: &Plan, spec: &SubjectSpec) -> Result<Tape, Failure> {
    let failed = |error: LedgerError| ledgers::failure(&error);
    let path = spec.endpoint.config.as_deref().unwrap_or_default();
    let reader = ledgers::read(Path::new(path))?;
    let earlier = reader.plan().map_err(failed)?;
    let several = earlier.subjects.len() > 1;
    if several && !earlier.subjects.iter().any(|subject| subject.id == spec.endpoint.model) {
        let known = earlier.subjects.iter().map(|subject| format!("`{}`", subject.id)).collect::<Vec<_>>().join(", ");
        return Err(Failure::bad_input(format!("subject `{}`: {path} holds several subjects", spec.id))
            .hint(format!("set `model` to one of {known}")));
    }
    let mut asked: HashMap<TrialKey, (String, String, u32)> = HashMap::new();
    for trial in earlier.trials() {
        if !several || earlier.subject(&trial).id == spec.endpoint.model {
            let prompt = earlier.prompt(&trial);
            asked.insert(trial.key, (prompt.system, prompt.user, trial.repeat));
        }
    }
    let mut recorded: HashMap<(String, String, u32), Exchange> = HashMap::new();
    reader
        .answers(Wanted::All, |stored: StoredAnswer| {
            if let Some(call) = asked.remove(&stored.trial) {
                let exchange = Exchange {
                    request: stored.request,
                    response: stored.response,
                    status: stored.http_status,
                    result: Ok(stored.answer),
                    hints: RateHints::default(),
                };
                recorded.insert(call, exchange);
            }
            Ok::<(), LedgerError>(())
        })
        .map_err(failed)?;
    let mut tape = Tape::default();
    for trial in plan.trials().iter().filter(|trial| plan.subject(trial).id == spec.id) {
        let prompt = plan.prompt(trial);
        if let Some(exchange) = recorded.get(&(prompt.system.clone(), prompt.user.clone(), trial.repeat)) {
            tape.record(&spec.endpoint.model, &prompt, trial.key.seed(), exchange.clone());
        }
    }
    Ok(tape)
}
