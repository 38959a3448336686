//! Every relative link of every page leads to a file, and every page in `docs/` is named by its index.

use std::path::{Path, PathBuf};

use super::read;
use crate::run::root;

/// Folders that hold no pages of ours.
const SKIPPED: [&str; 3] = ["target", "node_modules", "corpora"];

/// Fails with the list of links that lead nowhere.
pub(super) fn check() -> Result<(), String> {
    let mut pages = Vec::new();
    gather(&root(), &mut pages)?;
    pages.sort();
    let mut broken = Vec::new();
    for page in &pages {
        let folder = page.parent().unwrap_or(Path::new("."));
        let shown = page.strip_prefix(root()).unwrap_or(page).display();
        for (line, target) in links(&read(page)?) {
            if !folder.join(&target).exists() {
                broken.push(format!("{shown}:{line}: the link `{target}` leads nowhere"));
            }
        }
    }
    broken.extend(unlisted(&read(&root().join("docs/README.md"))?, &pages));
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
}

/// Pages of `docs/` that the index does not name.
fn unlisted(index: &str, pages: &[PathBuf]) -> Vec<String> {
    let docs = root().join("docs");
    let named: Vec<String> = links(index).into_iter().map(|(_, target)| target).collect();
    let of_docs = pages.iter().filter_map(|page| page.strip_prefix(&docs).ok());
    let missing =
        of_docs.filter(|page| *page != Path::new("README.md") && !named.iter().any(|target| Path::new(target) == *page));
    missing.map(|page| format!("docs/README.md does not name {}", page.display())).collect()
}

fn gather(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                gather(&entry.path(), pages)?;
            }
        } else if name.ends_with(".md") {
            pages.push(entry.path());
        }
    }
    Ok(())
}

/// Relative targets with their lines, code left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every other piece between backticks is code.
        for prose in line.split('`').step_by(2) {
            for rest in prose.split("](").skip(1) {
                let Some((target, _)) = rest.split_once(')') else { continue };
                let target = target.split_whitespace().next().unwrap_or_default();
                let path = target.split('#').next().unwrap_or_default();
                if !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:") && !path.starts_with("data:") {
                    found.push((index + 1, path.to_owned()));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_and_code_is_not() {
        let text =
            "[a](a.md#x) ![b](b/c.png \"t\") [c](https://x.example/y) [d](#here)\n`[e](e.md)`\n```\n[f](f.md)\n```\n[`g`](g.md)";
        let found = links(text);
        assert_eq!(found, [(1, "a.md".to_owned()), (1, "b/c.png".to_owned()), (6, "g.md".to_owned())]);
    }

    #[test]
    fn a_page_without_an_entry_is_named() {
        let pages = [root().join("docs/a.md"), root().join("docs/b.md"), root().join("docs/README.md"), root().join("README.md")];
        assert_eq!(unlisted("[a](a.md)", &pages), ["docs/README.md does not name b.md"]);
    }
}
