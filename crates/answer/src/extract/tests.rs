//! Answers as models write them, and the files a careful reader would save.

use turncoat_study::{Kind, Language};

use super::*;
use crate::answer::{Finish, ToolCall, Usage};

fn wanted() -> Wanted {
    Wanted { kind: Kind::Write, language: Language::Python, main_file: "solution.py".to_owned(), entry: Some("greet".to_owned()) }
}

fn python(text: &str) -> Extraction {
    extract(text, &wanted())
}

fn main_of(text: &str) -> String {
    let extraction = python(text);
    extraction.files.get("solution.py").cloned().unwrap_or_else(|| panic!("no solution.py in {extraction:?}"))
}

const GREET: &str = "def greet(name):\n    return \"Hello \" + name\n";

#[test]
fn fences_of_every_shape_yield_the_same_code() {
    let indented: String = GREET.lines().map(|line| format!("   {line}\n")).collect();
    let quoted: String = GREET.lines().map(|line| format!("> {line}\n")).collect();
    for text in [
        format!("```python\n{GREET}```"),
        format!("Sure!\n\n```py\n{GREET}```\nThat is all."),
        format!("```\n{GREET}```"),
        format!("~~~python\n{GREET}~~~"),
        format!("````python\n{GREET}````"),
        format!("``` Python \n{GREET}```"),
        format!("```{{.python .numberLines}}\n{GREET}```"),
        format!("1. Write this:\n\n   ```python\n{indented}   ```\n2. Run it"),
        format!("- ```python\n{}  ```", GREET.lines().map(|line| format!("  {line}\n")).collect::<String>()),
        format!("> ```python\n{quoted}> ```"),
        format!("```markdown\n# Title\n```python\n{GREET}```\nMore prose\n```"),
        format!("```python\r\n{}```", GREET.replace('\n', "\r\n")),
        format!("<think>\nI could write ```python\nx = 1\n```\n</think>\n```python\n{GREET}```"),
        format!("planning...\n</think>\n\n```python\n{GREET}```"),
        GREET.to_owned(),
        format!("Here is the function you asked for:\n\n{GREET}\nThis returns a greeting for the given name."),
        format!("```text\n{GREET}```"),
    ] {
        assert_eq!(main_of(&text), GREET, "{text}");
    }
}

#[test]
fn an_open_fence_at_the_end_is_told() {
    let extraction = python("Here:\n```python\ndef greet(name):\n    return (\"Hello \"");
    assert_eq!(extraction.form, Form::Unclosed);
    assert_eq!(extraction.files.get("solution.py").unwrap(), "def greet(name):\n    return (\"Hello \"\n");
    assert!(extraction.notes.iter().any(|note| note.contains("never closes")));
}

#[test]
fn a_fence_within_a_triple_quoted_string_does_not_close_the_block() {
    let code = "def greet(name):\n    return '''\n```\nhello\n```\n'''\n";
    assert_eq!(main_of(&format!("```python\n{code}```\nDone.")), code);
    // An unbalanced quote must not swallow the rest of the answer.
    let broken = "def greet(name):\n    return '''oops\n";
    assert_eq!(main_of(&format!("```python\n{broken}```\nDone.")), broken);
}

#[test]
fn names_are_found_wherever_models_write_them() {
    let helper = "def clean(name):\n    return name.strip()\n";
    let main = format!("from helper import clean\n\n\n{GREET}");
    for text in [
        format!("**`helper.py`**\n```python\n{helper}```\n**`solution.py`**\n```python\n{main}```"),
        format!("### helper.py\n\n```python\n{helper}```\n\n### solution.py\n\n```python\n{main}```"),
        format!("```python title=\"helper.py\"\n{helper}```\n```python title=\"solution.py\"\n{main}```"),
        format!("```python:helper.py\n{helper}```\n```python:solution.py\n{main}```"),
        format!("```helper.py\n{helper}```\n```solution.py\n{main}```"),
        format!("File: `helper.py`\n```\n{helper}```\nFile: `solution.py`\n```\n{main}```"),
        format!("Put this into `helper.py`:\n```python\n{helper}```\nand the rest:\n```python\n{main}```"),
        format!("```bash\ncat > helper.py <<'EOF'\n{helper}EOF\n```\n```python\n{main}```"),
        format!(
            "<tool_call>\n<function=write_file>\n<parameter=path>\nhelper.py\n</parameter>\n<parameter=content>\n{helper}</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=write_file>\n<parameter=path>\nsolution.py\n</parameter>\n<parameter=content>\n{main}</parameter>\n</function>\n</tool_call>"
        ),
        format!(
            "<result><code><path>helper.py</path><content><![CDATA[\n{helper}]]></content></code><code><path>solution.py</path><content><![CDATA[\n{main}]]></content></code></result>"
        ),
        serde_json::json!({"files": {"helper.py": helper, "solution.py": main}}).to_string(),
        format!(
            "```json\n{}\n```",
            serde_json::json!({"files": [{"path": "helper.py", "content": helper}, {"path": "solution.py", "content": main}]})
        ),
        format!(
            "*** Begin Patch\n*** Add File: helper.py\n{}*** Add File: solution.py\n{}*** End Patch",
            plus(helper),
            plus(&main)
        ),
    ] {
        let extraction = python(&text);
        assert_eq!(extraction.files.keys().collect::<Vec<_>>(), ["helper.py", "solution.py"], "{text}\n{extraction:?}");
        assert_eq!(extraction.files["helper.py"], helper, "{text}");
        assert_eq!(extraction.files["solution.py"], main, "{text}");
    }
    let commented = format!("```python\n# file: helper.py\n{helper}```\n```python\n# solution.py\n{main}```");
    assert_eq!(python(&commented).files.keys().collect::<Vec<_>>(), ["helper.py", "solution.py"]);
}

fn plus(text: &str) -> String {
    text.lines().map(|line| format!("+{line}\n")).collect()
}

#[test]
fn a_file_of_another_name_becomes_the_main_file() {
    let extraction = python(&format!("**src/app.py**\n```python\n{GREET}```"));
    assert_eq!(extraction.files.keys().collect::<Vec<_>>(), ["solution.py"]);
    assert!(extraction.notes.iter().any(|note| note.contains("src/app.py")));
    // Another file that imports it still finds it.
    let both =
        python(&format!("`app.py`:\n```python\n{GREET}```\n`cli.py`:\n```python\nfrom app import greet\nprint(greet('x'))\n```"));
    assert_eq!(both.files.keys().collect::<Vec<_>>(), ["app.py", "cli.py", "solution.py"]);
}

#[test]
fn the_later_revision_wins_and_excerpts_do_not() {
    let better = "def greet(name):\n    return f\"Hello {name}\"\n";
    assert_eq!(
        main_of(&format!(
            "First:\n```python\n{GREET}```\nBetter:\n```python\n{better}```\nUse it:\n```python\nprint(greet('Ann'))\n```"
        )),
        better
    );
    let excerpt = "def greet(name):\n    # ... rest of the function unchanged\n    return x\n";
    assert_eq!(main_of(&format!("```python\n{GREET}```\nThe key change:\n```python\n{excerpt}```")), GREET);
}

#[test]
fn usage_shell_and_output_blocks_are_not_code() {
    let text = format!(
        "Install:\n```bash\npip install flask\n```\n```python\n{GREET}```\nExample:\n```python\nname = 'Ann'\nresult = greet(name)\nprint(result)\n```\nOutput:\n```\nHello Ann\n```"
    );
    let extraction = python(&text);
    assert_eq!(extraction.files.len(), 1);
    assert_eq!(extraction.files["solution.py"], GREET);
}

#[test]
fn a_solution_in_parts_is_put_together() {
    let text = "First the imports and the table:\n```python\nimport html\nGREETINGS = {\"en\": \"Hello\"}\n```\nThen:\n```python\ndef greet(name):\n    return GREETINGS[\"en\"] + html.escape(name)\n```";
    assert_eq!(
        main_of(text),
        "import html\nGREETINGS = {\"en\": \"Hello\"}\n\ndef greet(name):\n    return GREETINGS[\"en\"] + html.escape(name)\n"
    );
}

#[test]
fn a_diff_is_a_file_only_where_it_creates_one() {
    let change = "```diff\n--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n def greet(name):\n-    return 1\n+    return 2\n```";
    let extraction = python(change);
    assert!(extraction.files.is_empty());
    assert_eq!(extraction.form, Form::None);
    assert!(extraction.notes.iter().any(|note| note.contains("diff")));
    let new = format!(
        "diff --git a/app.py b/app.py\nnew file mode 100644\n--- /dev/null\n+++ b/app.py\n@@ -0,0 +1,2 @@\n{}",
        plus(GREET)
    );
    let extraction = python(&new);
    assert_eq!(extraction.form, Form::Diff);
    assert_eq!(extraction.files["solution.py"], GREET);
}

#[test]
fn a_notebook_is_its_code_cells() {
    let notebook = serde_json::json!({"nbformat": 4, "cells": [
        {"cell_type": "markdown", "source": ["# Greeting"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import html\n"]},
        {"cell_type": "code", "source": GREET},
    ]});
    let extraction = python(&format!("```json\n{notebook}\n```"));
    assert_eq!(extraction.form, Form::Notebook);
    assert_eq!(extraction.files["solution.py"], format!("import html\n\n{GREET}"));
    assert_eq!(python(&notebook.to_string()).files, extraction.files);
}

#[test]
fn tool_calls_that_write_files_are_the_answer() {
    let call = |arguments: serde_json::Value| ToolCall { name: "write_file".to_owned(), arguments: arguments.to_string() };
    let mut answer = Answer {
        text: "I will write the file.".to_owned(),
        reasoning: None,
        tool_calls: vec![call(serde_json::json!({"path": "/workspace/solution.py", "content": GREET}))],
        finish: Finish::ToolCalls,
        blocked: None,
        usage: Usage::default(),
        served_model: None,
        fingerprint: None,
        request_id: None,
        latency_ms: 1,
    };
    let extraction = extract_answer(&answer, &wanted());
    assert_eq!(extraction.form, Form::ToolCall);
    assert_eq!(extraction.files["solution.py"], GREET);
    answer.tool_calls =
        vec![call(serde_json::json!({"command": format!("cat > solution.py << 'EOF'\n{GREET}EOF\npython solution.py")}))];
    assert_eq!(extract_answer(&answer, &wanted()).files["solution.py"], GREET);
    answer.tool_calls = vec![call(serde_json::json!({"query": "docs"}))];
    assert!(extract_answer(&answer, &wanted()).files.is_empty());
}

#[test]
fn names_never_leave_the_folder() {
    for (written, stored) in [
        ("../../etc/cron.py", "cron.py"),
        ("/etc/app.py", "app.py"),
        ("C:\\Users\\x\\app.py", "app.py"),
        ("./pkg/app.py", "pkg/app.py"),
        ("pkg//app.py", "pkg/app.py"),
        ("~/app.py", "app.py"),
    ] {
        assert_eq!(name::safe(written).map(|(name, _)| name).as_deref(), Some(stored), "{written}");
    }
    for written in ["..", "", "/", "a\u{0}b.py", "a\nb.py", "a/b/c/d/e/f/g/h/i.py"] {
        assert_eq!(name::safe(written), None, "{written:?}");
    }
    let many: String = (0..200).map(|i| format!("`m{i}.py`\n```python\nx{i} = 1\n```\n")).collect();
    let extraction = python(&format!("{many}```python\n{GREET}```"));
    assert!(extraction.files.len() <= 64 && extraction.files.contains_key("solution.py"));
}

#[test]
fn prose_shell_and_foreign_data_hold_no_code() {
    for text in [
        "I am sorry, but I cannot help with that request.",
        "You could import the data first. Then define a class of customers. Finally return the list.",
        "```bash\npip install flask\npython app.py\n```",
        "```json\n{\"findings\": []}\n```",
        "```sql\nSELECT 1;\n```",
        "```\n$ python app.py\nHello\n```",
        "",
    ] {
        let extraction = python(text);
        assert!(extraction.files.is_empty(), "{text}: {extraction:?}");
    }
}

#[test]
fn code_in_another_language_is_code_still() {
    let extraction = python("```javascript\nfunction greet(name) { return 'Hello ' + name; }\n```");
    assert_eq!(extraction.files.len(), 1);
    assert!(extraction.notes.iter().any(|note| note.contains("javascript")));
}

#[test]
fn escaped_html_in_code_is_left_alone() {
    let code = "def greet(name):\n    return \"&lt;b&gt;\" + name\n";
    assert_eq!(main_of(&format!("```python\n{code}```")), code);
}

#[test]
fn the_entry_of_a_signature_is_its_first_name() {
    for (entry, name) in [
        ("search_users(db_path: str, name: str) -> list[dict]", Some("search_users")),
        ("def f(x)", Some("f")),
        ("async def f(x)", Some("f")),
        ("class Store", Some("Store")),
        ("Store.read(name)", Some("Store")),
        ("app.py", None),
        ("", None),
    ] {
        assert_eq!(entry_name(entry).as_deref(), name, "{entry}");
    }
}

#[test]
fn hostile_text_is_read_in_linear_time() {
    for text in [
        "```".repeat(50_000),
        "```python\n".repeat(20_000),
        "> ".repeat(200_000),
        format!("```python\n{}", "\"\"\"\n```\n".repeat(20_000)),
        "[".repeat(500_000),
        "<path>".repeat(50_000),
        "<think>".repeat(20_000),
        "x".repeat(1_000_000),
        format!("def greet(a):\n{}", "    pass\n".repeat(100_000)),
    ] {
        let started = std::time::Instant::now();
        let _ = python(&text);
        assert!(
            started.elapsed().as_secs() < 10,
            "{} bytes of {:?} took {:?}",
            text.len(),
            text.chars().take(12).collect::<String>(),
            started.elapsed()
        );
    }
}

/// Real code, wrapped as models wrap it, must come out as it went in.
#[test]
fn real_code_survives_its_wrapping() {
    let Ok(folder) = std::env::var("TURNCOAT_CORPORA") else {
        println!("skipped: TURNCOAT_CORPORA is not set");
        return;
    };
    let Ok(file) = std::fs::File::open(std::path::Path::new(&folder).join("seccodebench_answers.jsonl.gz")) else {
        println!("skipped: {folder} holds no seccodebench_answers.jsonl.gz");
        return;
    };
    let lines = std::io::BufRead::lines(std::io::BufReader::new(flate2::read::MultiGzDecoder::new(file)));
    let rows = lines.map_while(Result::ok).filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    let mut counts = [0_usize; 4];
    for row in rows.filter(|row| row["language"] == "Python") {
        let code = row["code"].as_str().unwrap_or_default();
        // Some rows still hold the wrapping that the benchmark asked for.
        if code.contains("<path>") || code.contains("<code>") || code.contains("```") {
            continue;
        }
        let whole = normalise(code.trim_start_matches('\n'));
        let name = code.lines().rev().find_map(|line| line.strip_prefix("def ")).and_then(|rest| rest.split('(').next());
        let wanted = Wanted { entry: name.map(str::to_owned), ..wanted() };
        let same = |text: &str| extract(text, &wanted).files.get("solution.py").is_some_and(|found| *found == whole);
        counts[0] += 1;
        counts[1] += usize::from(same(&format!(
            "Here is the code:\n\n```python\n{code}\n```\n\nIt handles errors. You cannot pass an empty value."
        )));
        counts[2] += usize::from(same(&format!(
            "Sure.\n\n```\n{code}\n```\n\n### Usage\n\n```python\nfrom solution import x\nprint(x(1))\n```\n"
        )));
        counts[3] += usize::from(same(code));
    }
    println!("{} answers: fenced {}, untagged with usage {}, bare {}", counts[0], counts[1], counts[2], counts[3]);
    assert!(counts[0] > 1_000 && counts[1] == counts[0]);
    assert!(counts[2] * 1_000 >= counts[0] * 998 && counts[3] * 100 >= counts[0] * 98, "{counts:?}");
}
