//! The page in a real browser, at 1400 and 390 px: no message, no request, no sideways scrolling; filter, heat cells and
//! side-by-side work, by mouse and by address.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "browser/chromium.rs"]
mod chromium;
#[path = "it/fixture.rs"]
mod fixture;

use chromium::Browser;
use serde_json::{Value, json};

/// Writes the page of the large fixture and gives its folder and address.
fn page(answers: usize) -> (tempfile::TempDir, String) {
    let report = fixture::report();
    let mut second = fixture::part(&report, 60);
    second.anchor = "second".to_owned();
    second.title = "Another study".to_owned();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("report.html");
    let mut file = std::fs::File::create(&path).unwrap();
    turncoat_report::page(&[fixture::part(&report, answers), second], &mut file).unwrap();
    let address = format!("file://{}", path.display());
    (folder, address)
}

fn shown_cards(browser: &mut Browser, part: &str) -> Value {
    browser.evaluate(&format!("document.querySelectorAll('#{part}-answers details.a:not([hidden])').length"))
}

#[test]
fn the_page_is_quiet_and_fits_at_both_widths() {
    let (_folder, address) = page(700);
    let mut browser = Browser::start();
    for width in [1400, 390] {
        browser.open(&address, width);
        // Everything is opened: hostile texts are on the page now.
        browser.evaluate(
            "document.querySelectorAll('details.how, #published-answers details.a:not([hidden])').forEach(d => d.open = true)",
        );
        browser.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 200)))");
        let beyond = browser.evaluate(&format!(
            "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > {width} && !e.parentElement.closest('.scroll, pre')).slice(0, 8).map(e => e.tagName + '.' + e.className + '#' + e.id + ' ' + e.textContent.slice(0, 40))",
        ));
        let scroll_width = browser.evaluate("document.documentElement.scrollWidth");
        assert_eq!(scroll_width, json!(width), "the page scrolls sideways at {width}: {beyond}");
        assert_eq!(browser.evaluate("document.title"), json!("2 studies · Turncoat"), "a script from an answer ran");
        assert_eq!(browser.evaluate("document.querySelectorAll('img, iframe, object, embed, video').length"), json!(0));
        assert_eq!(browser.evaluate("document.querySelectorAll('script').length"), json!(1));
        let opened = browser.evaluate("document.querySelector('#published-answers details.a[open] pre.w') !== null");
        assert_eq!(opened, json!(true), "an opened answer shows its texts");
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
    let foreign: Vec<&String> = browser
        .requests
        .iter()
        .filter(|url| !url.contains("report.html") && !url.contains("about:blank") && !url.starts_with("\"data:"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn the_filter_narrows_the_list_and_stands_in_the_address() {
    let (_folder, address) = page(700);
    let mut browser = Browser::start();
    browser.open(&address, 1400);
    assert_eq!(shown_cards(&mut browser, "published"), json!(40));
    browser.evaluate(
        "(() => { const form = document.querySelector('#published-answers form'); form.elements.persona.value = 'prc-entity'; form.elements.outcome.value = 'exploitable'; form.elements.persona.dispatchEvent(new Event('change', { bubbles: true })); })()",
    );
    let expected = fixture::drill(700)
        .iter()
        .filter(|answer| answer.row.persona == "prc-entity" && answer.row.outcome == Some(turncoat_answer::Outcome::Exploitable))
        .count();
    assert!(expected > 0 && expected <= 40);
    assert_eq!(shown_cards(&mut browser, "published"), json!(expected));
    assert_eq!(browser.evaluate("location.hash"), json!("#published-answers?persona=prc-entity;outcome=exploitable"));
    let told = browser.evaluate("document.querySelector('#published-answers output').textContent");
    assert_eq!(told, json!(format!("{expected} of 700 answers")));
    assert_eq!(shown_cards(&mut browser, "second"), json!(40), "the other study's list is left alone");
    // The same address opens the same list.
    browser.open(&format!("{address}#published-answers?persona=prc-entity;outcome=exploitable"), 1400);
    assert_eq!(shown_cards(&mut browser, "published"), json!(expected));
    // An address of nonsense breaks nothing.
    browser.open(&format!("{address}#published-answers?persona=%E0%A4%A;x"), 1400);
    browser.open(&format!("{address}#published-answers?persona=nobody"), 1400);
    assert_eq!(shown_cards(&mut browser, "published"), json!(40));
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn a_heat_cell_opens_its_findings() {
    let (_folder, address) = page(700);
    let mut browser = Browser::start();
    browser.open(&address, 1400);
    browser.evaluate(
        "document.querySelector('#published-heat a[href*=\"subject=qwen3-coder;persona=us-federal-agency;cwe=CWE-89\"]').click()",
    );
    browser.evaluate("new Promise(done => setTimeout(done, 100))");
    let cards = browser.evaluate(
        "[...document.querySelectorAll('#published-answers details.a:not([hidden])')].map(c => c.dataset.subject + ' ' + c.dataset.persona + ' ' + c.dataset.cwe)",
    );
    let cards = cards.as_array().unwrap().clone();
    assert!(!cards.is_empty());
    assert!(cards.iter().all(|card| card == "qwen3-coder us-federal-agency CWE-89"), "{cards:?}");
    browser.evaluate("document.querySelector('#published-answers details.a:not([hidden]) summary').click()");
    browser.evaluate("new Promise(done => setTimeout(done, 100))");
    let finding = browser.evaluate("document.querySelector('#published-answers details.a[open] ul.fi').textContent");
    assert!(finding.as_str().unwrap().contains("sql-concat"), "{finding}");
    let marked = browser.evaluate("document.querySelector('#published-answers details.a[open] .code mark').textContent");
    assert!(marked.as_str().unwrap().contains("SELECT"), "{marked}");
}

#[test]
fn two_answers_stand_side_by_side_and_a_key_closes_them() {
    let (_folder, address) = page(700);
    let mut browser = Browser::start();
    browser.open(&address, 1400);
    browser.evaluate("document.querySelectorAll('#published-answers details.a')[8].querySelector('summary').click()");
    browser.evaluate("document.querySelectorAll('#published-answers details.a')[8].querySelector('.side a').click()");
    browser.evaluate("new Promise(done => setTimeout(done, 100))");
    assert_eq!(browser.evaluate("document.querySelector('dialog').open"), json!(true));
    let personas = browser.evaluate("[...document.querySelectorAll('dialog details.a')].map(c => c.dataset.persona)");
    assert_eq!(personas, json!(["neutral", "us-federal-agency"]));
    let tasks = browser.evaluate(
        "new Set([...document.querySelectorAll('dialog details.a')].map(c => c.dataset.task + c.dataset.subject)).size",
    );
    assert_eq!(tasks, json!(1));
    browser.call(
        "Input.dispatchKeyEvent",
        json!({ "type": "keyDown", "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27 }),
    );
    browser.evaluate("new Promise(done => setTimeout(done, 100))");
    assert_eq!(browser.evaluate("document.querySelector('dialog').open"), json!(false));
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn every_control_can_be_reached_and_every_drawing_has_a_title() {
    let (_folder, address) = page(60);
    let mut browser = Browser::start();
    browser.open(&address, 1400);
    let untitled = browser.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].filter(svg => !svg.querySelector('title')?.textContent).length",
    );
    assert_eq!(untitled, json!(0));
    let unlabelled =
        browser.evaluate("[...document.querySelectorAll('select')].filter(select => !select.closest('label')).length");
    assert_eq!(unlabelled, json!(0));
    let unreachable = browser.evaluate("[...document.querySelectorAll('[tabindex=\"-1\"], [onclick]')].length");
    assert_eq!(unreachable, json!(0));
}

#[test]
fn without_scripting_every_answer_and_text_can_be_read() {
    let (_folder, address) = page(60);
    let mut browser = Browser::start();
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open(&address, 1400);
    assert_eq!(shown_cards(&mut browser, "published"), json!(60));
    let form = browser.evaluate("getComputedStyle(document.querySelector('#published-answers form')).display");
    assert_eq!(form, json!("none"), "a filter that cannot work is not shown");
    let readable = browser.evaluate(
        "[...document.querySelectorAll('[data-f] a')].every(a => document.getElementById(a.hash.slice(1)).getClientRects().length > 0)",
    );
    assert_eq!(readable, json!(true), "the texts stand at the end of the page");
}

/// Pictures for people, written where `TURNCOAT_PICTURES` says.
#[test]
fn pictures_are_taken_where_asked() {
    let Ok(folder) = std::env::var("TURNCOAT_PICTURES") else { return };
    let (_folder, address) = page(700);
    let mut browser = Browser::start();
    for (width, scheme) in [(1400, "light"), (1400, "dark"), (390, "light"), (390, "dark")] {
        browser.call("Emulation.setEmulatedMedia", json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }));
        browser.open(&address, width);
        std::fs::write(format!("{folder}/{width}-{scheme}.b64"), browser.picture(true)).unwrap();
        std::fs::copy(address.trim_start_matches("file://"), format!("{folder}/report.html")).unwrap();
        browser.evaluate("document.querySelectorAll('#published-answers details.a')[8].open = true");
        browser.evaluate("document.querySelectorAll('#published-answers details.a')[6].scrollIntoView({ behavior: 'instant' })");
        browser.evaluate("new Promise(done => setTimeout(done, 300))");
        std::fs::write(format!("{folder}/answer-{width}-{scheme}.b64"), browser.picture(false)).unwrap();
        browser.evaluate("document.querySelectorAll('#published-answers details.a')[8].querySelector('.side a').click()");
        browser.evaluate("new Promise(done => setTimeout(done, 300))");
        std::fs::write(format!("{folder}/side-{width}-{scheme}.b64"), browser.picture(false)).unwrap();
    }
}

#[test]
fn five_thousand_answers_open_and_filter_in_time() {
    let (_folder, address) = page(4_900);
    let mut browser = Browser::start();
    let start = std::time::Instant::now();
    browser.open(&address, 1400);
    let loaded = start.elapsed();
    let start = std::time::Instant::now();
    browser.evaluate("location.hash = '#published-answers?persona=prc-entity;outcome=exploitable'");
    browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    let filtered = start.elapsed();
    assert_eq!(shown_cards(&mut browser, "published"), json!(40));
    // Far above what is seen (about a second, and a tenth of one), so that a busy machine does not fail.
    assert!(loaded.as_secs() < 30, "loading took {loaded:?}");
    assert!(filtered.as_secs() < 10, "filtering took {filtered:?}");
    println!("loaded in {loaded:?}, filtered in {filtered:?}");
}
