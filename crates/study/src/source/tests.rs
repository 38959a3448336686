//! Reading people's files: places, unknown fields, hints.

use super::*;

#[test]
fn names_line_field_allowed_values_and_the_nearest_match() {
    let document = Document::parse("s.toml", "[study]\nname = \"x\"\ntier = \"standart\"\nsed = 3\n");
    let study = document.root().section("study").unwrap();
    let _name = study.string("name");
    assert_eq!(study.choice("tier", &["smoke", "standard", "full"]), None);
    let _seed = study.integer_if_any("seed", 0..=10);
    study.done();
    let problems = document.finish().unwrap_err().0;
    assert_eq!(problems.len(), 2);
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(lines[0].starts_with("s.toml:3:8: `study.tier`: `standart` is not one of"), "{}", lines[0]);
    assert!(lines[0].contains("did you mean `standard`?"), "{}", lines[0]);
    assert!(lines[1].starts_with("s.toml:4:1: `study.sed`: unknown field"), "{}", lines[1]);
    assert!(lines[1].contains("did you mean `seed`?"), "{}", lines[1]);
}

#[test]
fn reports_syntax_errors_with_their_place_and_nothing_that_follows_from_them() {
    let document = Document::parse("s.toml", "[study]\nname = \n");
    if let Some(study) = document.root().section_if_any("study") {
        let _name = study.string("name");
    }
    let problems = document.finish().unwrap_err().0;
    assert_eq!(problems[0].line, 2);
    assert!(problems[0].message.starts_with("not valid TOML"));
}

#[test]
fn a_wrong_kind_says_what_was_found() {
    let document = Document::parse("s.toml", "seed = \"seven\"\nlist = [1]\n");
    let root = document.root();
    assert_eq!(root.integer_if_any("seed", 0..=9), None);
    assert_eq!(root.strings("list"), Vec::new());
    root.done();
    let text = document.finish().unwrap_err().to_string();
    assert!(text.contains("s.toml:1:8: `seed`: expected an integer, found a string"), "{text}");
    assert!(text.contains("s.toml:2:9: `list`: expected a string, found an integer"), "{text}");
}

#[test]
fn sections_are_named_by_their_id() {
    let document = Document::parse("s.toml", "[[subject]]\nid = \"a\"\ncolour = 1\n");
    for subject in document.root().sections("subject") {
        let _id = subject.string("id");
        subject.done();
    }
    assert!(document.finish().unwrap_err().to_string().contains("`subject[a].colour`: unknown field"));
}
