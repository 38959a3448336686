//! An answer's files: put in order before they are run, and hashed so that references are known.

use std::collections::BTreeMap;

use turncoat_answer::code::hash;
use turncoat_study::Task;

use crate::parse::Tests;

/// The most that is put into a box.
const MOST_BYTES: usize = 8 << 20;
const MOST_FILES: usize = 200;

/// Puts an answer's files in order: safe names, and the file that the tests enter by.
///
/// # Errors
/// Why the answer cannot be run: its own fault.
pub(crate) fn arrange(tests: &Tests, files: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    if files.is_empty() {
        return Err("the answer has no file".to_owned());
    }
    let bytes: usize = files.values().map(String::len).sum();
    if files.len() > MOST_FILES || bytes > MOST_BYTES {
        return Err(format!("the answer is too large: {} files, {bytes} bytes", files.len()));
    }
    let mut arranged = BTreeMap::new();
    for (path, text) in files {
        let path = path.trim_start_matches("./");
        let is_safe = !path.is_empty()
            && path.len() < 200
            && !path.starts_with('/')
            && !path.contains('\0')
            && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_safe {
            return Err(format!("`{path}` is no name of a file"));
        }
        arranged.insert(path.to_owned(), text.clone());
    }
    // A file where another path needs a folder could not be placed.
    if let Some(path) = arranged
        .keys()
        .find(|path| arranged.keys().any(|other| other.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'))))
    {
        return Err(format!("`{path}` is both a file and a folder"));
    }
    if !arranged.contains_key(&tests.main_file) {
        let main = main_of(tests, &arranged).ok_or_else(|| format!("the answer has no file `{}`", tests.main_file))?;
        arranged.insert(tests.main_file.clone(), main);
    }
    Ok(arranged)
}

/// The text of the file that defines the entry, where none has the main file's name.
fn main_of(tests: &Tests, files: &BTreeMap<String, String>) -> Option<String> {
    let ending = format!(".{}", tests.language.extension());
    let sources: Vec<&String> = files.iter().filter(|(path, _)| path.ends_with(&ending)).map(|(_, text)| text).collect();
    if let [only] = sources.as_slice() {
        return Some((*only).clone());
    }
    let entry = tests.entry.as_ref()?;
    let defines = |text: &str| ["def ", "class "].iter().any(|word| text.contains(&format!("{word}{entry}")));
    let mut defining = sources.into_iter().filter(|text| defines(text));
    defining.next().filter(|_| defining.next().is_none()).cloned()
}

/// The reference of the task that these files are, if they are one: known by the hash of their normalised code.
#[must_use]
pub fn reference_named(task: &Task, files: &BTreeMap<String, String>) -> Option<String> {
    let known = hash(files);
    task.references().into_iter().find(|reference| hash(&reference.files) == known).map(|reference| reference.name)
}
