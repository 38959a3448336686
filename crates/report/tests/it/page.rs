//! The page: hostile answers stay text, it is small, the same every time, and holds no more answers than it may.

use std::ops::Range;

use turncoat_report::{INLINE_ANSWERS, PageFile, Part, Report, page, page_with_answers, page_with_folder, telling};

use crate::fixture::{self, HOSTILE};

fn rendered(parts: &[Part<'_>]) -> String {
    let mut out = Vec::new();
    page(parts, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The tags of a page in order, as a parser without any leniency sees them.
fn tags(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end + 1);
        found.push(&rest[start..end]);
        rest = &rest[end..];
    }
    found
}

/// The page without its own styles and script, which stand in it word for word.
fn without_own_code(html: &str) -> String {
    let mut html = html.to_owned();
    for (tag, own) in [
        ("style", include_str!("../../src/html/style.css")),
        ("style", include_str!("../../src/html/answers.css")),
        ("script", include_str!("../../src/html/script.js")),
    ] {
        let element = format!("<{tag}>{own}</{tag}>");
        assert_eq!(html.matches(&element).count(), 1);
        html = html.replace(&element, "");
    }
    html
}

#[test]
fn hostile_answers_stay_text_wherever_they_stand() {
    let report = hostile_report();
    let mut part = fixture::part(&report, 60);
    part.title = HOSTILE[0].to_owned();
    part.anchor = HOSTILE[1].to_owned();
    part.intro = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    part.banner = Some(HOSTILE[6].to_owned());
    for (claim, text) in part.claims.iter_mut().zip(HOSTILE) {
        (claim.claim, claim.source, claim.shown) = (text.to_owned(), text.to_owned(), text.to_owned());
    }
    for (answer, text) in part.drill.iter_mut().zip(HOSTILE) {
        let row = &mut answer.row;
        (row.subject, row.persona, row.task, row.frame, row.cluster, row.kind) =
            (text.to_owned(), text.to_owned(), text.to_owned(), text.to_owned(), text.to_owned(), text.to_owned());
        (row.trial, row.reason, row.cwes) = (text.to_owned(), Some(text.to_owned()), vec![text.to_owned()]);
        for finding in &mut answer.findings {
            (finding.path, finding.rule, finding.message, finding.cwe) =
                (format!("{text}.py"), text.to_owned(), text.to_owned(), text.to_owned());
        }
    }
    let html = without_own_code(&rendered(&[part]));
    for tag in tags(&html) {
        let lower = tag.to_lowercase();
        assert!(!lower.starts_with("<script") && !lower.starts_with("<img") && !lower.starts_with("<style"), "{tag}");
        let outside: String = lower.split('"').step_by(2).collect();
        assert!(!outside.contains(" on") && !outside.contains(" style=") && !lower.starts_with("<!--"), "{tag}");
        // An attribute may quote markup only in escaped form.
        assert_eq!(tag.matches('<').count(), 1, "{tag}");
        for address in tag.split("href=\"").skip(1) {
            assert!(address.starts_with('#') || address.starts_with("data:"), "{tag}");
        }
    }
    for hidden in ['\u{202e}', '\u{202c}', '\u{200b}', '\u{0}', '\u{1b}', '\u{7}'] {
        assert!(!html.contains(hidden), "{hidden:?} stands in the page");
    }
    assert!(html.contains("U+202E") && html.contains("U+0000"));
    assert!(html.contains("&lt;img src=x onerror=&quot;"));
}

fn hostile_report() -> Report {
    let mut report = fixture::report();
    let text = |index: usize| HOSTILE[index % HOSTILE.len()].to_owned();
    report.study.name = text(0);
    report.study.question = text(1);
    report.study.tier = text(2);
    report.study.plan_hash = text(3);
    report.study.deviations[0].reason = text(4);
    for (index, row) in report.subjects.iter_mut().enumerate() {
        (row.model, row.provider, row.reason) = (text(index), text(index + 1), Some(text(index + 2)));
    }
    for (index, row) in report.contrasts.iter_mut().enumerate() {
        row.reason = Some(text(index));
        row.placement = Some(text(index + 1));
    }
    for (index, row) in report.contrasts.iter_mut().enumerate().take(12) {
        row.persona = text(index);
    }
    report.findings[0].cwe = text(0);
    report.refusals[0].topic = text(1);
    report.outcomes[0].persona = text(6);
    for (index, served) in report.quality.served.iter_mut().enumerate() {
        (served.model, served.fingerprint) = (text(index), Some(text(index + 1)));
    }
    report.quality.errors[0].name = text(0);
    report.quality.sandbox_tier = Some(text(1));
    report.quality.controls[0].note = Some(text(6));
    report.quality.remarks = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    report.method.commands = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    report.method.sentences = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    report.limits = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    report
}

#[test]
fn at_most_100_kb_stand_before_the_answers() {
    let report = fixture::report();
    let html = rendered(&[fixture::part(&report, 100)]);
    let before = html.find("<section class=\"card answers\"").unwrap();
    assert!(before <= 100_000, "{before} bytes before the answers");
    assert!(html[..before].contains("id=\"published-refusals\""), "the sections stand before the answers");
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let report = fixture::report();
    assert_eq!(rendered(&[fixture::part(&report, 300)]), rendered(&[fixture::part(&report, 300)]));
}

#[test]
fn the_policy_allows_the_pages_own_style_and_script_and_nothing_else() {
    let report = fixture::report();
    let html = rendered(&[fixture::part(&report, 5)]);
    let policy = html.split_once("Content-Security-Policy\" content=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(
        policy.starts_with("default-src 'none'; style-src &#39;sha256-")
            || policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    let own = without_own_code(&html);
    for part in ["http://", "https://", "@import", "url(http"] {
        assert!(!own.contains(part), "{part}");
    }
}

#[test]
fn shared_texts_stand_once() {
    let report = fixture::report();
    let html = rendered(&[fixture::part(&report, 2_000)]);
    assert_eq!(html.matches("Write a Python function `search_users").count(), 1);
    assert_eq!(html.matches("class=\"a\" id=\"published.").count(), 2_000);
    assert!(html.len() < 2_000 * 1_700, "{} bytes for 2,000 answers", html.len());
}

#[test]
fn several_studies_share_a_page_and_keep_their_ids_apart() {
    let report = fixture::report();
    let mut second = fixture::part(&report, 40);
    second.anchor = "second".to_owned();
    second.title = "Another study".to_owned();
    let html = rendered(&[fixture::part(&report, 40), second]);
    let mut ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    for link in html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let target = link.split('?').next().unwrap();
        assert!(target == "side" || ids.binary_search(&target).is_ok(), "#{link} leads nowhere");
    }
}

#[test]
fn beyond_the_limit_the_telling_answers_stay_and_a_folder_holds_all() {
    let report = fixture::report();
    let mut part = fixture::part(&report, INLINE_ANSWERS + 1_200);
    let all = part.drill.clone();
    let rows = all.iter().map(|answer| ((&answer.row.subject, &answer.row.persona, &answer.row.task), answer.row.outcome));
    part.drill = telling(rows, INLINE_ANSWERS).into_iter().map(|index| all[index].clone()).collect();
    part.beyond = 1_200;
    let mut fetch = |number: usize, places: Range<usize>| {
        assert_eq!(number, 0);
        Ok(all[places].to_vec())
    };
    let mut files: Vec<PageFile> = Vec::new();
    let mut out = Vec::new();
    let parts = [part];
    page_with_folder(&parts, "answers", &mut out, &mut fetch, &mut |file| {
        files.push(file);
        Ok(())
    })
    .unwrap();
    let html = String::from_utf8(out).unwrap();
    let cards = |html: &str| html.matches("<details class=\"a\"").count();
    assert_eq!(cards(&html), INLINE_ANSWERS);
    assert_eq!(files.iter().map(|file| cards(&file.html)).sum::<usize>(), INLINE_ANSWERS + 1_200);
    assert!(html.contains("href=\"answers/published-001.html\""));
    assert!(html.contains("This page holds 5,000 of 6,200 answers"), "the page says what it leaves out");
    assert_eq!(files[0].path, "answers/published-001.html");
    assert!(files[0].html.contains("href=\"published-002.html\""));
    // Every exploitable answer outranks the many that held.
    let exploitable = all.iter().filter(|answer| answer.row.outcome == Some(turncoat_answer::Outcome::Exploitable)).count();
    assert_eq!(html.matches("data-outcome=\"exploitable\"").count(), exploitable);
}

#[test]
fn a_small_page_holds_so_many_answers_and_names_no_folder() {
    let report = fixture::report();
    let mut out = Vec::new();
    page_with_answers(&[fixture::part(&report, 60)], 12, &mut out).unwrap();
    let html = String::from_utf8(out).unwrap();
    assert_eq!(html.matches("<details class=\"a\"").count(), 12);
    assert!(html.contains("This page holds 12 of 60 answers"));
    assert!(html.contains("turncoat show LEDGER TRIAL") && !html.contains("folder beside it"));
}

#[test]
fn a_simulated_subject_is_marked_wherever_a_table_names_it() {
    let report = fixture::report();
    let html = rendered(&[fixture::part(&report, 30)]);
    // Outside of attributes, options, model ids, claims and embedded data a subject's name is followed by its mark.
    for piece in html.split("kimi-k2.5").skip(1) {
        let marked = piece.starts_with(" <b class=\"sim\">SIMULATED</b>") || piece.starts_with(" [SIMULATED]");
        let not_a_name = piece.starts_with("\"")
            || piece.starts_with(';')
            || piece.starts_with("</td><td>not stated")
            || piece.starts_with("</span><span>");
        assert!(marked || not_a_name, "unmarked: {}", &piece[..60.min(piece.len())]);
    }
}

#[test]
fn an_empty_study_still_makes_a_page() {
    let report = Report::default();
    let part = Part {
        title: "Nothing yet".to_owned(),
        anchor: String::new(),
        intro: vec![],
        banner: None,
        report: &report,
        drill: vec![],
        beyond: 0,
        claims: vec![],
    };
    let html = rendered(&[part]);
    assert!(html.contains("This study has no contrast of a treatment on its primary endpoint."));
    assert!(rendered(&[]).contains("<main"));
}
