//! Diffs: only those that create whole files hold code; a change to code that the answer does not show is not a file.

/// Whether the text is a diff: unified, or the `*** Begin Patch` form.
pub(super) fn is_diff(text: &str) -> bool {
    let mut before = false;
    for line in text.lines() {
        if line.starts_with("*** Begin Patch") || line.starts_with("diff --git ") {
            return true;
        }
        if line.starts_with("@@ ") && line.matches("@@").count() >= 2 {
            return true;
        }
        if before && line.starts_with("+++ ") {
            return true;
        }
        before = line.starts_with("--- ");
    }
    false
}

/// The files that the diff creates whole, as name and text; the flag tells that it changes or removes others too.
pub(super) fn created(text: &str) -> (Vec<(String, String)>, bool) {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut changes_others = false;
    let mut current: Option<(String, String)> = None;
    let mut is_new = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("*** Add File: ") {
            files.extend(current.take());
            current = Some((name.trim().to_owned(), String::new()));
        } else if line.starts_with("*** Update File:") || line.starts_with("*** Delete File:") {
            files.extend(current.take());
            changes_others = true;
        } else if line.starts_with("diff --git ") || line.starts_with("*** End Patch") {
            files.extend(current.take());
            is_new = false;
        } else if line.starts_with("new file mode") || line.trim_end() == "--- /dev/null" {
            is_new = true;
        } else if line.starts_with("--- ") && current.is_none() {
            is_new = false;
        } else if let Some(target) =
            line.strip_prefix("+++ ").filter(|_| current.as_ref().is_none_or(|(_, body)| body.is_empty()))
        {
            let name = target.split('\t').next().unwrap_or(target).trim();
            let name = name.strip_prefix("b/").unwrap_or(name);
            current = Some((name.to_owned(), String::new()));
        } else if line.starts_with("@@ ") {
            if !is_new && !line.starts_with("@@ -0,0 +") {
                current = None;
                changes_others = true;
            }
        } else if let (Some((_, body)), Some(added)) = (current.as_mut(), line.strip_prefix('+')) {
            body.push_str(added);
            body.push('\n');
        }
    }
    files.extend(current);
    files.retain(|(_, body)| !body.trim().is_empty());
    (files, changes_others)
}
