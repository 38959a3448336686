//! What the tests of this crate share: a bench, and tasks read from folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use turncoat_prove::{Bench, Options};
use turncoat_sandbox::Sandbox;
use turncoat_study::Task;
use turncoat_study::suite::{TaskFolder, parse_task};
use turncoat_study::task::TaskFiles;

/// A bench; without bubblewrap the tests fail with a line that says what to install.
pub(crate) fn bench() -> Bench {
    let stage = Path::new(env!("CARGO_BIN_EXE_turncoat-prove-stage"));
    let sandbox =
        Sandbox::find(Some(stage)).expect("these tests need bubblewrap and Python: apt-get install -y bubblewrap python3");
    Bench::new(sandbox, Options::default())
}

fn gather(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

/// Reads a task's folder.
pub(crate) fn task(folder: &Path) -> Task {
    let mut by_path = BTreeMap::new();
    gather(folder, folder, &mut by_path);
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    parse_task("fixture", &TaskFolder { name: name.clone(), shown: name, files: TaskFiles { by_path } }).unwrap()
}

/// This crate's own small task.
pub(crate) fn sql_search() -> Task {
    task(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixture/sql-search"))
}

/// A one-file answer.
pub(crate) fn answer(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("solution.py".to_owned(), text.to_owned())])
}

/// A task of a tests file alone, to try one part of the schema.
pub(crate) fn task_of(tests: &str) -> Task {
    let header = "id = \"t\"\ncluster = \"t/write\"\nkind = \"write\"\nlanguage = \"python\"\ncwes = [\"CWE-1\"]\nentry = \"f()\"\nprompt = \"Write f.\"\n";
    let files = [
        ("task.toml", header),
        ("tests/tests.toml", tests),
        ("tests/sample.bin", "sample"),
        ("reference/secure.py", "x = 1"),
        ("reference/vulnerable.py", "x = 2"),
    ];
    let by_path = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
    parse_task("fixture", &TaskFolder { name: "t".to_owned(), shown: "t".to_owned(), files: TaskFiles { by_path } }).unwrap()
}
