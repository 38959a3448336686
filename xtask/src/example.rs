//! The example in `docs/example`: a small simulated study, run whole, its page, its numbers and a picture of it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::run::{code, command, debug_program, output, root, run};

/// Answers that the page holds: few enough that it stays below [`MOST_BYTES`].
const ANSWERS: &str = "40";
/// Size of the page at most.
const MOST_BYTES: usize = 1_000_000;
/// Size of the picture at most.
const MOST_PICTURE_BYTES: u64 = 250_000;
/// Lists of the report that are the study's results, without times, latencies or anything of the machine.
const RESULTS: [&str; 10] =
    ["outcomes", "rates", "contrasts", "between", "interactions", "refusals", "findings", "aa", "mole", "limits"];
/// What of the study's head is the same wherever it is run.
const HEAD: [&str; 9] = ["name", "question", "plan_hash", "tier", "trials_planned", "answers", "errors", "personas", "primary"];
/// Decimal digits that two machines' mathematical libraries agree in.
const DIGITS: i32 = 9;
const BROWSERS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/snap/bin/chromium"];

/// Makes the example anew.
pub(crate) fn make(program: Option<&Path>) -> Result<(), String> {
    let program = debug_program(program)?;
    let ledger = Scratch::new()?;
    let Some(results) = results(&program, &ledger.folder)? else {
        return Err("the example needs the sandbox: see `turncoat doctor`".to_owned());
    };
    let folder = root().join("docs/example");
    fs::create_dir_all(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    let page = folder.join("report.html");
    render(&program, &ledger.folder, &page)?;
    renders(&page)?;
    write(&folder.join("report.json"), &results)?;
    picture(&page, &folder.join("page.png"))?;
    println!("wrote docs/example");
    Ok(())
}

/// Runs the study again and compares its numbers with those on record, and the page on record with both.
pub(crate) fn check(program: &Path) -> Result<(), String> {
    let folder = root().join("docs/example");
    let recorded = fs::read_to_string(folder.join("report.json"))
        .map_err(|error| format!("docs/example/report.json cannot be read: {error}"))?;
    let ledger = Scratch::new()?;
    let Some(results) = results(program, &ledger.folder)? else {
        println!("skipped: the example page (no sandbox here)");
        return Ok(());
    };
    if let Some((number, (there, here))) =
        recorded.lines().zip(results.lines()).enumerate().find(|(_, (there, here))| there != here)
    {
        return Err(format!(
            "docs/example/report.json:{} differs from a run of today\n  there: {there}\n  now:   {here}\nrun `cargo xtask example`",
            number + 1
        ));
    }
    if recorded.lines().count() != results.lines().count() {
        return Err("docs/example/report.json differs from a run of today in its length; run `cargo xtask example`".to_owned());
    }
    let page = ledger.folder.join("small.html");
    render(program, &ledger.folder, &page)?;
    renders(&page)?;
    renders(&folder.join("report.html"))
}

/// The study's numbers as text, equal for equal results; `None` where nothing could be proven.
fn results(program: &Path, ledger: &Path) -> Result<Option<String>, String> {
    eprintln!("running the example study");
    run(command(program)
        .args(["--quiet", "run", "data/studies/example/study.toml", "--format", "json", "--ledger"])
        .arg(ledger)
        .stdout(std::process::Stdio::null()))?;
    let text = output(command(program).arg("report").arg(ledger).args(["--format", "json"]))
        .ok_or("`turncoat report --format json` failed")?;
    let report: Value = serde_json::from_str(&text).map_err(|error| format!("the report is no JSON: {error}"))?;
    let unproven = report.get("quality").and_then(|quality| quality.get("unproven")).and_then(Value::as_u64);
    if unproven != Some(0) {
        return Ok(None);
    }
    let results = reduced(&report)?;
    serde_json::to_string_pretty(&results)
        .map(|text| Some(text + "\n"))
        .map_err(|error| format!("the results cannot be written: {error}"))
}

/// What of a report is the same wherever and whenever it is made.
fn reduced(report: &Value) -> Result<Value, String> {
    let field = |of: &Value, name: &str| of.get(name).cloned().ok_or_else(|| format!("the report has no `{name}`"));
    let study = field(report, "study")?;
    let mut head = Map::new();
    for name in HEAD {
        head.insert(name.to_owned(), field(&study, name)?);
    }
    let mut results = Map::new();
    results.insert("schema".to_owned(), field(report, "schema")?);
    results.insert("study".to_owned(), Value::Object(head));
    for name in RESULTS {
        results.insert(name.to_owned(), rounded(field(report, name)?));
    }
    Ok(Value::Object(results))
}

/// Fractions to [`DIGITS`] significant digits.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let exact = number.as_f64().unwrap_or_default();
            let digits = usize::try_from(DIGITS - 1).unwrap_or_default();
            let near: f64 = format!("{exact:.digits$e}").parse().unwrap_or(exact);
            serde_json::Number::from_f64(near).map_or(Value::Null, Value::Number)
        }
        Value::Array(list) => Value::Array(list.into_iter().map(rounded).collect()),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, rounded(value))).collect()),
        other => other,
    }
}

fn render(program: &Path, ledger: &Path, page: &Path) -> Result<(), String> {
    run(command(program).args(["--quiet", "report"]).arg(ledger).args(["--format", "html", "--answers", ANSWERS, "-o"]).arg(page))
}

/// The page is small, whole, marked, and a browser that is there shows it.
fn renders(page: &Path) -> Result<(), String> {
    let shown = page.display();
    let html = fs::read_to_string(page).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if html.len() > MOST_BYTES {
        return Err(format!("{shown} has {} bytes, {MOST_BYTES} at most are wanted", html.len()));
    }
    let mut texts = vec![("the file", html)];
    if let Some(browser) = browser() {
        let mut asked = headless(browser);
        asked.arg("--dump-dom").arg(page);
        texts.push(("a browser", output(&mut asked).ok_or_else(|| format!("{browser} did not open {shown}"))?));
    } else {
        println!("skipped: the example page in a browser (no Chromium here)");
    }
    for (place, text) in &texts {
        for part in ["SIMULATED", "</html>", "example-verdict", "example-forest", "example-answers", ": worse", "inconclusive"] {
            if !text.contains(part) {
                return Err(format!("{shown} lacks `{part}` in {place}"));
            }
        }
    }
    Ok(())
}

/// The top of the page at 1400 px.
fn picture(page: &Path, target: &Path) -> Result<(), String> {
    let browser = browser().ok_or("the picture needs Chromium: `cargo xtask setup`")?;
    let mut asked = headless(browser);
    asked.args(["--hide-scrollbars", "--window-size=1400,1000"]).arg(format!("--screenshot={}", target.display())).arg(page);
    asked.stderr(std::process::Stdio::null());
    if code(&mut asked)? != 0 {
        return Err(format!("{browser} made no picture of {}", page.display()));
    }
    let bytes = fs::metadata(target).map_err(|error| format!("{}: {error}", target.display()))?.len();
    if bytes > MOST_PICTURE_BYTES {
        Err(format!("{} has {bytes} bytes, {MOST_PICTURE_BYTES} at most are wanted", target.display()))
    } else {
        Ok(())
    }
}

fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|browser| Path::new(browser).exists())
}

fn headless(browser: &str) -> std::process::Command {
    let mut asked = command(browser);
    asked.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"]);
    asked
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// A ledger's folder that is gone afterwards. Its name is the one that the page's commands show.
struct Scratch {
    above: PathBuf,
    folder: PathBuf,
}

impl Scratch {
    fn new() -> Result<Scratch, String> {
        // Not among temporary files: a browser that comes as a snap does not see those.
        let above = root().join(format!("target/example-{}", std::process::id()));
        fs::create_dir_all(&above).map_err(|error| format!("{} cannot be made: {error}", above.display()))?;
        Ok(Scratch { folder: above.join("example.ledger"), above })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder of builds.
        let _gone = fs::remove_dir_all(&self.above);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_rounded_and_counts_are_not() {
        let text = r#"{"a": [0.1234567890123, 3], "b": null}"#;
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        assert_eq!(rounded(value).to_string(), r#"{"a":[0.123456789,3],"b":null}"#);
    }

    #[test]
    fn a_report_without_a_list_is_told() {
        assert!(reduced(&serde_json::json!({ "study": {} })).is_err_and(|message| message.contains("`name`")));
    }
}
