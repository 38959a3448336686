//! Which of several blocks is the solution: the one that defines the entry, the later revision before the earlier, together with
//! the earlier blocks it needs.

use std::collections::BTreeSet;

use turncoat_study::Language;

use super::shape;

/// A block that may be (part of) the solution's main file.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) text: String,
    pub(super) is_closed: bool,
}

/// The solution's text and whether its last block was cut, from unnamed blocks in the order of the answer.
pub(super) fn choose(candidates: &[Candidate], language: Language, entry: Option<&str>) -> Option<Candidate> {
    let defined: Vec<BTreeSet<String>> = candidates.iter().map(|c| shape::defines(&c.text, language)).collect();
    let defines_entry = |index: usize| entry.is_some_and(|entry| defined.get(index).is_some_and(|names| names.contains(entry)));
    let entries: Vec<usize> = (0..candidates.len()).filter(|index| defines_entry(*index)).collect();
    let whole = |index: &usize| candidates.get(*index).is_some_and(|c| !shape::is_elided(&c.text) && !shape::is_stub(&c.text));
    let chosen =
        entries.iter().rev().find(|index| whole(index)).or(entries.last()).copied().or_else(|| longest(candidates, whole))?;
    let chosen_candidate = candidates.get(chosen)?;
    let mut parts = vec![chosen_candidate.text.clone()];
    let mut have = defined.get(chosen)?.clone();
    let mut missing = needs(&chosen_candidate.text, &have);
    // Walk backwards: the latest earlier definition of a missing name is the one that the answer builds on.
    for index in (0..chosen).rev() {
        let (Some(candidate), Some(names)) = (candidates.get(index), defined.get(index)) else { continue };
        if names.iter().any(|name| missing.contains(name)) {
            have.extend(names.iter().cloned());
            missing.extend(needs(&candidate.text, &have));
            missing.retain(|name| !have.contains(name));
            parts.push(candidate.text.clone());
        }
    }
    // Later blocks help only with functions and classes: a usage example defines neither.
    for candidate in candidates.iter().skip(chosen + 1) {
        let names = shape::defines_functions(&candidate.text, language);
        let helps = names.iter().any(|name| missing.contains(name) && !have.contains(name));
        if helps && !entry.is_some_and(|entry| names.contains(entry)) {
            have.extend(names);
            parts.insert(0, candidate.text.clone());
        }
    }
    parts.reverse();
    Some(Candidate { text: parts.join("\n\n"), is_closed: chosen_candidate.is_closed })
}

fn longest(candidates: &[Candidate], whole: impl Fn(&usize) -> bool) -> Option<usize> {
    let by_length = |index: &usize| candidates.get(*index).map_or(0, |c| c.text.trim().len());
    let every = 0..candidates.len();
    // `max_by_key` keeps the last of equals: the later revision.
    every.clone().filter(whole).max_by_key(by_length).or_else(|| every.max_by_key(by_length))
}

/// Names that the text uses but does not bind.
fn needs(text: &str, have: &BTreeSet<String>) -> BTreeSet<String> {
    let locals = shape::locals(text);
    shape::words(&shape::without_prose(text))
        .into_iter()
        .filter(|word| !have.contains(*word) && !locals.contains(*word))
        .map(str::to_owned)
        .collect()
}
