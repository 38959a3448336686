//! The shelf: built-in personas, suites, presets and studies embedded in the program, and files that a path names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};
use turncoat_study::task::TaskFiles;
use turncoat_study::{NamedText, Shelf, ShelfError, SuiteFolder, TaskFolder};

/// Everything below `data/`.
static DATA: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../data");

/// Files of one task above this size are no task files.
const LARGEST_FILE: u64 = 4 << 20;

/// Folders below a task are no deeper than this; a loop of links would go on for ever.
const DEEPEST: usize = 12;

/// The embedded data, with paths taken from the folder of the file that names them.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    base: PathBuf,
    /// The embedded folder that plain files are taken from first, for built-in studies.
    embedded: Option<String>,
}

impl Data {
    /// Paths are taken from `base`.
    pub(crate) fn beside(base: &Path) -> Self {
        Data { base: base.to_owned(), embedded: None }
    }

    /// Files are taken from an embedded folder below `data/`, paths from the working directory.
    pub(crate) fn embedded(folder: &str) -> Self {
        Data { base: PathBuf::from("."), embedded: Some(folder.to_owned()) }
    }

    /// Names of the built-in files `data/<folder>/<name>.<ending>`, or of the folders in it when `ending` is empty.
    pub(crate) fn names(folder: &str, ending: &str) -> Vec<String> {
        let Some(dir) = DATA.get_dir(folder) else { return Vec::new() };
        let mut names: Vec<String> = dir
            .entries()
            .iter()
            .filter_map(|entry| {
                let path = entry.path();
                match (entry, ending.is_empty()) {
                    (DirEntry::Dir(_), true) => path.file_name(),
                    (DirEntry::File(_), false) if path.extension().is_some_and(|found| found == ending) => path.file_stem(),
                    _ => None,
                }
            })
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The text of a built-in file.
    pub(crate) fn text(path: &str) -> Option<&'static str> {
        DATA.get_file(path)?.contents_utf8()
    }

    /// Whether a name is meant as a path: it has a separator or an ending.
    fn is_path(name: &str) -> bool {
        name.contains(['/', '\\']) || Path::new(name).extension().is_some_and(|ending| ending == "toml" || ending == "jsonl")
    }

    /// A path as written, from the base folder.
    pub(crate) fn resolve(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    fn read(&self, what: &'static str, folder: &str, name: &str) -> Result<NamedText, ShelfError> {
        if !Self::is_path(name) {
            if let Some(text) = Self::text(&format!("{folder}/{name}.toml")) {
                return Ok(NamedText { file: format!("{name}.toml"), text: text.to_owned() });
            }
            let beside = self.resolve(&format!("{name}.toml"));
            if !beside.is_file() {
                return Err(ShelfError::Missing { what, name: name.to_owned(), known: Self::names(folder, "toml") });
            }
        }
        let mut path = self.resolve(name);
        if !path.exists() && path.extension().is_none() {
            path.set_extension("toml");
        }
        read_text(what, name, &path)
    }
}

fn read_text(what: &'static str, name: &str, path: &Path) -> Result<NamedText, ShelfError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(NamedText { file: path.display().to_string(), text }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(ShelfError::Missing { what, name: path.display().to_string(), known: Vec::new() })
        }
        Err(error) => Err(ShelfError::Unreadable { what, name: name.to_owned(), cause: error.to_string() }),
    }
}

impl Shelf for Data {
    fn persona(&self, name: &str) -> Result<NamedText, ShelfError> {
        self.read("persona", "personas", name)
    }

    fn suite(&self, name: &str) -> Result<SuiteFolder, ShelfError> {
        if !Self::is_path(name)
            && let Some(dir) = DATA.get_dir(format!("suites/{name}"))
        {
            return Ok(embedded_suite(name, dir));
        }
        let path = self.resolve(name);
        if !path.is_dir() {
            return Err(ShelfError::Missing { what: "suite", name: name.to_owned(), known: Self::names("suites", "") });
        }
        read_suite(name, &path)
    }

    fn preset(&self, name: &str) -> Result<NamedText, ShelfError> {
        self.read("preset", "subjects", name)
    }

    fn file(&self, name: &str) -> Result<NamedText, ShelfError> {
        if let Some(text) = self.embedded.as_ref().and_then(|folder| Self::text(&format!("{folder}/{name}"))) {
            return Ok(NamedText { file: name.to_owned(), text: text.to_owned() });
        }
        read_text("file", name, &self.resolve(name))
    }
}

fn embedded_suite(name: &str, dir: &'static Dir<'static>) -> SuiteFolder {
    let mut tasks: Vec<TaskFolder> = dir
        .dirs()
        .map(|task| {
            let mut by_path = BTreeMap::new();
            collect_embedded(task, task.path(), &mut by_path);
            let folder = task.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            TaskFolder { shown: format!("{name}/{folder}"), name: folder, files: TaskFiles { by_path } }
        })
        .collect();
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    SuiteFolder { name: name.to_owned(), shown: name.to_owned(), tasks }
}

fn collect_embedded(dir: &'static Dir<'static>, root: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for file in dir.files() {
        let relative = file.path().strip_prefix(root).unwrap_or(file.path());
        into.insert(relative.to_string_lossy().replace('\\', "/"), file.contents().to_vec());
    }
    for inner in dir.dirs() {
        collect_embedded(inner, root, into);
    }
}

/// Reads a suite's folder from disk.
fn read_suite(name: &str, path: &Path) -> Result<SuiteFolder, ShelfError> {
    let unreadable =
        |at: &Path, cause: String| ShelfError::Unreadable { what: "suite", name: format!("{name} ({})", at.display()), cause };
    let mut tasks = Vec::new();
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, error.to_string()))?;
    for entry in entries {
        let folder = entry.map_err(|error| unreadable(path, error.to_string()))?.path();
        let task = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // `metadata` follows a link, so one that leads in a circle or nowhere is told here and not skipped.
        let kind = fs::metadata(&folder).map_err(|error| unreadable(&folder, error.to_string()))?;
        if !kind.is_dir() || task.starts_with('.') {
            continue;
        }
        let mut by_path = BTreeMap::new();
        collect(&folder, &folder, 0, &mut by_path).map_err(|(at, cause)| unreadable(&at, cause))?;
        tasks.push(TaskFolder { name: task, shown: folder.display().to_string(), files: TaskFiles { by_path } });
    }
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    let own = path.canonicalize().ok().and_then(|full| full.file_name().map(|last| last.to_string_lossy().into_owned()));
    Ok(SuiteFolder { name: own.unwrap_or_else(|| name.to_owned()), shown: path.display().to_string(), tasks })
}

/// Gathers the files below `folder`; links to folders are refused, since they may lead in a circle.
fn collect(root: &Path, folder: &Path, depth: usize, into: &mut BTreeMap<String, Vec<u8>>) -> Result<(), (PathBuf, String)> {
    let at = |path: &Path, error: std::io::Error| (path.to_owned(), error.to_string());
    if depth > DEEPEST {
        return Err((folder.to_owned(), format!("folders are nested more than {DEEPEST} deep")));
    }
    for entry in fs::read_dir(folder).map_err(|error| at(folder, error))? {
        let path = entry.map_err(|error| at(folder, error))?.path();
        let kind = fs::symlink_metadata(&path).map_err(|error| at(&path, error))?;
        if kind.is_symlink() {
            return Err((path, "is a symbolic link; a task's folder holds plain files and folders only".to_owned()));
        }
        if kind.is_dir() {
            collect(root, &path, depth + 1, into)?;
        } else if kind.len() > LARGEST_FILE {
            return Err((path, format!("is larger than {} MiB", LARGEST_FILE >> 20)));
        } else {
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            into.insert(relative, fs::read(&path).map_err(|error| at(&path, error))?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use turncoat_study::suite;

    fn data() -> Data {
        Data::beside(Path::new("."))
    }

    #[test]
    fn every_built_in_file_reads_without_a_mistake() {
        for name in Data::names("personas", "toml") {
            let text = data().persona(&name).unwrap();
            let persona = turncoat_study::persona::parse(&text.file, &text.text).unwrap();
            assert_eq!(persona.id, name);
        }
        for name in Data::names("subjects", "toml") {
            let text = data().preset(&name).unwrap();
            turncoat_study::preset::parse(&name, &text.file, &text.text).unwrap();
        }
        for name in Data::names("suites", "") {
            suite::parse(&data().suite(&name).unwrap()).unwrap();
        }
    }

    #[test]
    fn every_persona_has_the_baselines_frames_in_nearly_its_length() {
        let read = |name: &str| {
            let text = data().persona(name).unwrap();
            turncoat_study::persona::parse(&text.file, &text.text).unwrap()
        };
        let baseline = read("neutral");
        for name in Data::names("personas", "toml") {
            let persona = read(&name);
            assert!(persona.wordings.len() >= 8, "{name}");
            for wording in &baseline.wordings {
                let twin = persona.wordings.iter().find(|other| {
                    (&other.frame, other.placement, &other.language) == (&wording.frame, wording.placement, &wording.language)
                });
                let twin = twin.unwrap_or_else(|| panic!("{name} lacks frame {} for {}", wording.frame, wording.placement));
                let (here, there) = (twin.text.chars().count(), wording.text.chars().count());
                assert!(here.abs_diff(there) <= 16, "{name}, {}: {here} characters against {there}", wording.frame);
            }
        }
    }

    #[test]
    fn topics_come_in_twins_that_name_each_other() {
        let tasks = suite::parse(&data().suite("sensitive-topics").unwrap()).unwrap();
        assert!(tasks.iter().filter(|task| task.topic.as_ref().is_some_and(|topic| topic.side == "sensitive")).count() >= 10);
        for task in &tasks {
            let topic = task.topic.as_ref().unwrap();
            let twin = tasks.iter().find(|other| other.id == topic.twin).unwrap();
            assert_eq!(twin.topic.as_ref().unwrap().twin, task.id);
            assert_eq!(twin.cluster, task.cluster);
        }
    }

    #[test]
    fn a_loop_of_links_in_a_suite_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let task = folder.path().join("suite/task");
        fs::create_dir_all(&task).unwrap();
        std::os::unix::fs::symlink("..", task.join("again")).unwrap();
        let error = Data::beside(folder.path()).suite("./suite").unwrap_err().to_string();
        assert!(error.contains("suite/task/again") && error.contains("symbolic link"), "{error}");
        std::os::unix::fs::symlink("self", folder.path().join("suite/self")).unwrap();
        fs::remove_file(task.join("again")).unwrap();
        let error = Data::beside(folder.path()).suite("./suite").unwrap_err().to_string();
        assert!(error.contains("suite/self"), "{error}");
    }
}
