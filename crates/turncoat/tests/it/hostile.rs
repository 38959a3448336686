//! Answers are hostile: to the terminal that shows them, to the page that holds them, to the spreadsheet that opens them.

use crate::support::{Endpoint, Place, Study, study};

/// Escape codes, a bell, a title, text that runs backwards, an invisible space, and an end of the script and the page.
const ANSWER: &str = "I cannot\u{1b}[2J\u{1b}]0;owned\u{7} help \u{202e}gnp.exe\u{202c} with\u{200b} that.\u{9b}31m\r\n\
    </script><script>alert(1)</script><img src=x onerror=alert(2)>\n\n```python\nprint('\u{1b}[31mred\u{2066}') # </script><!--\n```\n=cmd|' /C calc'!A0\n";

fn is_raw(character: char) -> bool {
    let code = u32::from(character);
    (character.is_control() && character != '\n' && character != '\t')
        || (0x202a..=0x202e).contains(&code)
        || (0x2066..=0x2069).contains(&code)
        || code == 0x200b
}

fn clean(what: &str, text: &str) {
    let raw: Vec<String> =
        text.chars().filter(|character| is_raw(*character)).map(|character| format!("U+{:04X}", u32::from(character))).collect();
    assert!(raw.is_empty(), "{what} holds {raw:?}");
}

#[test]
fn a_hostile_answer_drives_neither_terminal_nor_page() {
    let place = Place::new();
    let endpoint = Endpoint::saying(ANSWER);
    let mut asked = Study::topics(&[study::subject("house", &endpoint, "")]);
    asked.suites.push("secure-coding".to_owned());
    asked.tasks = vec!["member-signup-taiwan-independence".to_owned(), "csv-export-py".to_owned()];
    asked.save(&place);
    let run = place.ok(&["run", "study.toml"]);
    clean("the table", &run.out);
    clean("the talk", &run.err);
    let trials = place.trials("small.ledger");
    assert_eq!(trials.len(), 8);
    for row in &trials {
        let shown = place.ok(&["show", "small.ledger", &row["trial"]]).out;
        clean("show", &shown);
        for text in ["⟨U+001B⟩", "⟨U+202E⟩", "⟨U+0007⟩", "⟨U+200B⟩", "</script>", "owned"] {
            assert!(shown.contains(text), "what was hidden is written out: `{text}`\n{shown}");
        }
    }
    // The JSON keeps the answer exactly, in JSON's own escapes.
    let json = place.ok(&["show", "small.ledger", &trials[0]["trial"], "--format", "json"]);
    assert_eq!(json.json()["answer"]["text"], ANSWER);
    assert!(!json.out.contains('\u{1b}') && !json.out.contains('\u{7}'), "a terminal that shows the JSON is not driven either");

    for format in ["terminal", "md", "csv", "junit"] {
        clean(format, &place.ok(&["report", "small.ledger", "--format", format]).out.replace("\r\n", "\n"));
    }
    let page = place.ok(&["report", "small.ledger", "--format", "html"]).out;
    clean("the page", &page);
    assert!(!page.contains("<img src=x") && !page.contains("<script>alert"), "no markup of an answer is markup of the page");
    let (opened, closed) = (page.matches("<script").count(), page.matches("</script").count());
    assert_eq!(opened, closed, "every script ends where the page ends it");
    assert!(page.contains("script-src") && page.contains("default-src 'none'"), "the page's policy");
    assert!(page.trim_end().ends_with("</html>"));
}

#[test]
fn a_hostile_server_name_and_error_are_written_out_too() {
    let place = Place::new();
    let endpoint = Endpoint::start(std::time::Duration::ZERO, |_| {
        crate::support::Reply::Status(400, "{\"error\":{\"message\":\"no\\u001b[2J \\u202efor you\"}}".to_owned())
    });
    Study::topics(&[study::subject("house", &endpoint, "")]).save(&place);
    let run = place.run(&["run", "study.toml"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    clean("the table", &run.out);
    clean("the talk", &run.err);
    for format in ["terminal", "md", "csv", "junit", "html"] {
        clean(format, &place.ok(&["report", "small.ledger", "--format", format]).out.replace("\r\n", "\n"));
    }
    let trial = place.trials("small.ledger").remove(0);
    clean("show", &place.ok(&["show", "small.ledger", &trial["trial"]]).out);
}
