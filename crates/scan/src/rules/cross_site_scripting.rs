//! Values joined into HTML without escaping.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::Event;
use crate::flow::value::{Entry, HOLE, Uses, Value};

pub(super) const META: Meta = Meta { cwe: "CWE-79", severity: Severity::Medium };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Join { scene, end_line, parts, made } = event else { return };
    if !is_html(made) {
        return;
    }
    let bare = parts.iter().find_map(|part| part.unfit(Uses::HTML).filter(|_| !is_html(part)));
    let Some(taint) = bare else { return };
    let confidence = match taint.source.entry {
        Entry::Request => Confidence::High,
        Entry::Archive => Confidence::Low,
        Entry::Parameter | Entry::Stored => Confidence::Medium,
    };
    hits.add(scene.line, *end_line, confidence, format!("`{}` goes into HTML as it is; escape it", taint.source.name)).from(taint);
}

/// Whether the constant part of a text holds a tag.
fn is_html(value: &Value) -> bool {
    let Some(text) = value.text.as_deref() else { return false };
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let tag = after.strip_prefix('/').unwrap_or(after);
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        let known = matches!(
            name.to_lowercase().as_str(),
            "a" | "b" | "i" | "p" | "div" | "span" | "li" | "ul" | "ol" | "td" | "tr" | "th" | "table" | "h1" | "h2" | "h3" | "h4" | "html" | "body" | "head" | "title" | "br" | "img" | "script"
                | "style" | "form" | "input" | "button" | "strong" | "em" | "pre" | "code" | "section" | "article" | "header" | "footer" | "option" | "select" | "textarea" | "label" | "iframe"
        );
        if known {
            return true;
        }
        rest = after.trim_start_matches(HOLE);
    }
    false
}
