//! Deciding whether a probe fired: from replies, files, databases and logs, all seen from outside.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use turncoat_sandbox::{Entry, EntryKind};

use crate::model::{Argument, Oracle, RowsWanted, Step};
use crate::run::{Run, RunError};
use crate::seen::Seen;
use crate::value::same;

/// Whether an oracle makes its own calls, so that a probe needs no steps for it.
pub(crate) fn needs_no_steps(oracle: &Oracle) -> bool {
    matches!(oracle, Oracle::Predictable(_) | Oracle::Growth(_))
}

/// What a probe's steps left to be judged.
pub(crate) struct Scene<'r, 'a> {
    pub(crate) run: &'r mut Run<'a>,
    pub(crate) steps: &'r [Step],
    pub(crate) seen: &'r [Seen],
}

impl Scene<'_, '_> {
    /// The replies that oracles look at.
    fn looked_at(&self) -> Vec<&Seen> {
        let marked: Vec<&Seen> = self.steps.iter().zip(self.seen).filter(|(step, _)| step.look).map(|(_, seen)| seen).collect();
        if marked.is_empty() { self.seen.last().into_iter().collect() } else { marked }
    }

    fn any(&self, holds: impl Fn(&Seen) -> bool) -> bool {
        self.looked_at().into_iter().any(|seen| seen.failed.is_none() && holds(seen))
    }

    /// Whether one oracle holds.
    pub(crate) fn holds(&mut self, oracle: &Oracle) -> Result<bool, RunError> {
        let words = self.run.words.clone();
        let fill = |text: &str| words.fill(text);
        Ok(match oracle {
            Oracle::ReplyContains(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| fill(part)).collect();
                // An exception's message is a reply to whoever is at fault for showing it, but no fire by itself.
                self.any(|seen| seen.raised.is_none() && parts.iter().all(|part| seen.text.contains(part.as_str())))
            }
            Oracle::ReplyEquals(wanted) => {
                let wanted = self.run.scope().resolve(wanted).map_err(RunError::Tests)?;
                self.any(|seen| {
                    seen.raised.is_none()
                        && (seen.value.as_ref().is_some_and(|value| same(&wanted, value, false))
                            || wanted.as_str() == Some(&seen.text))
                })
            }
            Oracle::ReplyMatches(pattern) => {
                let regex = regex::Regex::new(&fill(pattern)).map_err(|error| RunError::Tests(error.to_string()))?;
                self.any(|seen| seen.raised.is_none() && regex.is_match(&seen.text))
            }
            Oracle::ReplyJson(pointers) => {
                let mut wanted = Vec::new();
                for (pointer, value) in pointers {
                    wanted.push((pointer, self.run.scope().resolve(value).map_err(RunError::Tests)?));
                }
                self.any(|seen| {
                    let at = |pointer: &str| seen.value.as_ref().and_then(|value| value.pointer(pointer));
                    seen.raised.is_none()
                        && wanted.iter().all(|(pointer, value)| at(pointer).is_some_and(|found| same(value, found, false)))
                })
            }
            Oracle::ReplyLongerThan(bytes) => self.any(|seen| seen.text.len() > *bytes),
            Oracle::Status(statuses) => self.any(|seen| seen.status.is_some_and(|status| statuses.contains(&status))),
            Oracle::NotRaised => self.any(Seen::came_back),
            Oracle::Unescaped(text) => {
                let text = fill(text);
                self.any(|seen| seen.raised.is_none() && is_html(seen) && seen.text.contains(&text))
            }
            Oracle::EqualReplies => self.equal_replies(),
            Oracle::ToolArgv { tool, argument } => {
                let calls = self.run.room.logs()?.calls;
                let hit = |arg: &str| match argument {
                    Argument::Equals(text) => arg == fill(text),
                    Argument::Contains(text) => arg.contains(&fill(text)),
                    Argument::Starts(text) => arg.starts_with(&fill(text)),
                };
                calls.iter().filter(|call| call.tool == *tool).any(|call| call.args.iter().any(|arg| hit(arg)))
            }
            Oracle::Requested { host, path, port } => {
                let path = path.as_deref().map(fill);
                let requests = self.run.room.logs()?.requests;
                requests.iter().any(|request| {
                    request.host == *host
                        && port.is_none_or(|port| request.port == port)
                        && path.as_ref().is_none_or(|path| request.path.starts_with(path.as_str()))
                })
            }
            Oracle::Cell { starts, path } => {
                let starts = fill(starts);
                match path {
                    Some(path) => self.run.read(path)?.is_some_and(|bytes| has_cell(&String::from_utf8_lossy(&bytes), &starts)),
                    None => self.any(|seen| seen.raised.is_none() && has_cell(&seen.text, &starts)),
                }
            }
            Oracle::Rows { db, sql, wanted } => match (self.run.query(db, sql)?, wanted) {
                (Err(_), _) => false,
                (Ok(rows), RowsWanted::Contain(text)) => rows.to_string().contains(&fill(text)),
                (Ok(rows), RowsWanted::Equal(wanted)) => {
                    same(&self.run.scope().resolve(wanted).map_err(RunError::Tests)?, &rows, false)
                }
            },
            // These make runs of their own and are judged elsewhere.
            Oracle::Predictable(_) | Oracle::Growth(_) => false,
            files => self.files(files)?,
        })
    }

    /// Oracles about what is left below the world.
    fn files(&mut self, oracle: &Oracle) -> Result<bool, RunError> {
        let words = self.run.words.clone();
        let inside = |path: &str| {
            let path = words.fill(path);
            path.strip_prefix("/world/").unwrap_or(&path).trim_end_matches('/').to_owned()
        };
        if let Oracle::FileContains { path, text } = oracle {
            let wanted = words.fill(text);
            return Ok(self.run.read(path)?.is_some_and(|bytes| String::from_utf8_lossy(&bytes).contains(&wanted)));
        }
        let after = self.run.room.survey("/world")?;
        let find = |path: &str| after.iter().find(|entry| entry.path == path);
        Ok(match oracle {
            Oracle::FileExists(paths) => paths.iter().any(|path| find(&inside(path)).is_some()),
            Oracle::FileMissing(path) => {
                let path = inside(path);
                self.run.before.iter().any(|entry| entry.path == path) && find(&path).is_none()
            }
            Oracle::FileMode { path, mask } => find(&inside(path)).is_some_and(|entry| entry.mode & mask != 0),
            Oracle::BytesOver { path, bytes } => {
                let folder = inside(path);
                let sum: u64 = after.iter().filter(|entry| is_below(&entry.path, &folder)).map(|entry| entry.size).sum();
                sum > *bytes
            }
            Oracle::FileOutside(folders) => {
                let folders: Vec<String> = folders.iter().map(|folder| inside(folder)).collect();
                let before: BTreeMap<&str, &Entry> = self.run.before.iter().map(|entry| (entry.path.as_str(), entry)).collect();
                after.iter().any(|entry| {
                    entry.kind != EntryKind::Dir
                        && !folders.iter().any(|folder| is_below(&entry.path, folder))
                        && before.get(entry.path.as_str()).is_none_or(|old| *old != entry)
                })
            }
            _ => false,
        })
    }

    fn equal_replies(&self) -> bool {
        let looked_at = self.looked_at();
        if looked_at.iter().any(|seen| !seen.came_back()) {
            return false;
        }
        let values: Vec<&Value> = match looked_at.as_slice() {
            [only] => only.value.as_ref().and_then(Value::as_array).map(|list| list.iter().collect()).unwrap_or_default(),
            several => several.iter().filter_map(|seen| seen.value.as_ref()).collect(),
        };
        let Some((first, rest)) = values.split_first() else { return false };
        !rest.is_empty() && rest.iter().all(|value| same(first, value, false))
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_html(seen: &Seen) -> bool {
    let kind = seen.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.to_lowercase());
    kind.is_none_or(|kind| kind.contains("html"))
}

/// Whether a CSV text has a cell that starts so once it is unquoted.
fn has_cell(text: &str, starts: &str) -> bool {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.byte_records().map_while(Result::ok).any(|record| record.iter().any(|cell| cell.starts_with(starts.as_bytes())))
}

/// Why draws are weak, if they are: repeats, a constant step, or too few bits.
pub(crate) fn weakness(draws: &[String], bits: f64) -> Option<String> {
    let distinct: BTreeSet<&String> = draws.iter().collect();
    if distinct.len() < draws.len() {
        return Some(format!("{} of {} draws repeat", draws.len() - distinct.len(), draws.len()));
    }
    let numbers: Vec<i128> = draws.iter().filter_map(|draw| draw.parse().ok()).collect();
    if numbers.len() == draws.len() && numbers.len() > 2 {
        let steps: BTreeSet<i128> =
            numbers.windows(2).filter_map(|pair| Some(pair.get(1)?.wrapping_sub(*pair.first()?))).collect();
        if steps.len() == 1 {
            return Some("each draw is the last plus a constant".to_owned());
        }
    }
    let length = draws.iter().map(|draw| draw.chars().count()).max().unwrap_or(0);
    let mut letters: Vec<BTreeSet<char>> = vec![BTreeSet::new(); length];
    for draw in draws {
        for (set, letter) in letters.iter_mut().zip(draw.chars()) {
            set.insert(letter);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a set of characters is small")]
    let held: f64 = letters.iter().map(|set| (set.len().max(1) as f64).log2()).sum();
    (held < bits).then(|| format!("the draws hold at most {held:.0} bits, fewer than {bits:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_draws_are_told_and_strong_ones_pass() {
        let counted: Vec<String> = (0..50).map(|number| format!("{}", 100_000 + number * 3)).collect();
        assert!(weakness(&counted, 1.0).unwrap().contains("constant"));
        let repeated = vec!["a".repeat(40); 3];
        assert!(weakness(&repeated, 1.0).unwrap().contains("repeat"));
        let short: Vec<String> =
            (0..500_u64).map(|number| format!("{:06}", (number * 7_919 + number * number) % 1_000_000)).collect();
        assert!(weakness(&short, 64.0).unwrap().contains("bits"));
        let strong: Vec<String> = (0..500_u64)
            .map(|number| {
                use sha2::Digest as _;
                sha2::Sha256::digest(number.to_le_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
            })
            .collect();
        assert_eq!(weakness(&strong, 64.0), None);
    }

    #[test]
    fn cells_are_unquoted() {
        assert!(has_cell("a,\"=1+2\"\r\n", "=1+"));
        assert!(!has_cell("a,'=1+2\r\n", "=1+"));
        assert!(!has_cell("a,b=1+2\r\n", "=1+"));
    }

    #[test]
    fn a_folder_holds_what_is_below_and_no_sibling() {
        assert!(is_below("out/a", "out") && is_below("x", ""));
        assert!(!is_below("out-private/a", "out"));
    }
}
