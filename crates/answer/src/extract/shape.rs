//! What a piece of text looks like: code of a language, a shell session, a stub; and the names it defines and uses.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use turncoat_study::Language;

#[expect(clippy::expect_used, reason = "the patterns are constants and tested")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* static $name: LazyLock<Regex> = LazyLock::new(|| pattern($text));)*
    };
}

patterns! {
    PYTHON = r"(?m)^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+[ \t]*[:(]|from[ \t]+[.\w]+[ \t]+import[ \t]|import[ \t]+[a-zA-Z_][\w.]*(?:[ \t]*,|[ \t]+as[ \t]|[ \t]*(?:#.*)?$)|@[\w.]+|if[ \t]+__name__)";
    SCRIPT = r"(?m)^[ \t]*(?:(?:export[ \t]+(?:default[ \t]+)?)?(?:async[ \t]+)?function\b|(?:export[ \t]+)?(?:const|let|var)[ \t]+[\w{\[]|(?:export[ \t]+)?class[ \t]+\w+|import[ \t].*from[ \t]+['\x22]|module\.exports|interface[ \t]+\w+[ \t]*\{)";
    GO = r"(?m)^(?:package[ \t]+\w+[ \t]*$|func[ \t]+[\w(]|import[ \t]+[(\x22]|type[ \t]+\w+[ \t]+(?:struct|interface))";
    JAVA = r"(?m)^[ \t]*(?:package[ \t]+[\w.]+;|import[ \t]+[\w.*]+;|(?:public|private|protected|final|abstract|static)[ \t]+[\w<>\[\], ]+[ \t(]|class[ \t]+\w+)";
    C = r"(?m)^(?:[ \t]*#[ \t]*(?:include|define|ifdef|ifndef)\b|(?:static[ \t]+|unsigned[ \t]+|const[ \t]+)*(?:int|void|char|size_t|long|bool|struct[ \t]+\w+)[ \t*]+\w+[ \t]*\()";
    RUST = r"(?m)^[ \t]*(?:(?:pub(?:\([a-z]+\))?[ \t]+)?(?:async[ \t]+)?(?:fn|struct|enum|impl|trait|mod)[ \t]+[\w<]|use[ \t]+[\w:{}]+)";
    SHELL = r"(?m)^[ \t]*(?:\$[ \t]|#!/bin/(?:ba)?sh|(?:sudo|pip3?|npm|yarn|apt(?:-get)?|brew|curl|wget|cd|mkdir|export|source|docker|git|python3?|node|go[ \t]+run|cargo)[ \t]+\S)";
    PYTHON_DEFINES = r"(?m)^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]+)?=[^=]|^import[ \t]+(.+)$|^from[ \t]+[.\w]+[ \t]+import[ \t]+(.+)$";
    PYTHON_FUNCTIONS = r"(?m)^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)";
    SCRIPT_FUNCTIONS = r"(?m)^(?:export[ \t]+(?:default[ \t]+)?)?(?:async[ \t]+)?(?:function\*?|class)[ \t]+(\w+)";
    PROSE = r#"(?s)"""(?:[^\\]|\\.)*?"""|'''(?:[^\\]|\\.)*?'''|(?-s:#.*)"#;
    SCRIPT_DEFINES = r"(?m)^(?:export[ \t]+(?:default[ \t]+)?)?(?:async[ \t]+)?(?:function\*?|class|const|let|var|interface|type)[ \t]+\{?[ \t]*(\w+)|^import[ \t]+(.+?)[ \t]+from|^exports\.(\w+)|^(\w+)[ \t]*=[^=]";
    OTHER_DEFINES = r"(?m)^[ \t]*(?:(?:pub(?:\([a-z]+\))?|public|private|protected|static|final|async|abstract)[ \t]+)*(?:func(?:[ \t]*\([^)]*\))?|fn|class|struct|enum|interface|type|def|function)[ \t]+(\w+)|^[ \t]*(?:[\w<>\[\],*&]+[ \t*]+)+(\w+)[ \t]*\([^;\n]*\)?[^;\n]*\{";
    LOCALS = r"(?m)\b(?:for|as)[ \t]+(\w+)|^[ \t]*(\w+)[ \t]*(?::[^=\n]+)?=[^=]|[(,][ \t]*\*{0,2}(\w+)[ \t]*(?::[^,)=]+)?(?:=[^,)]+)?(?:[,)]|$)";
    ELIDED = r"(?mi)^[ \t]*(?:#|//|/\*)[ \t]*(?:\.\.\.|…)|^[ \t]*(?:#|//)[ \t]*(?:(?:the )?rest (?:of|is|stays|unchanged)|(?:existing|other|previous|remaining) (?:code|methods|functions|imports)|same as (?:before|above)|unchanged)";
    WORD = r"[A-Za-z_]\w*";
}

/// Whether some line can only be code of that language.
pub(super) fn looks_like(text: &str, language: Language) -> bool {
    start_of(language).is_match(text)
}

fn start_of(language: Language) -> &'static Regex {
    match language {
        Language::Python => &PYTHON,
        Language::Javascript | Language::Typescript => &SCRIPT,
        Language::Go => &GO,
        Language::Java => &JAVA,
        Language::C => &C,
        Language::Rust => &RUST,
    }
}

/// Whether a block is a shell session rather than code.
pub(super) fn is_shell(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    lines > 0 && SHELL.find_iter(text).count() * 2 >= lines
}

/// Whether the block leaves parts out in words (`# ... rest unchanged`).
pub(super) fn is_elided(text: &str) -> bool {
    ELIDED.is_match(text)
}

/// Names that the text defines at its top level.
pub(super) fn defines(text: &str, language: Language) -> BTreeSet<String> {
    let expression: &Regex = match language {
        Language::Python => &PYTHON_DEFINES,
        Language::Javascript | Language::Typescript => &SCRIPT_DEFINES,
        _ => &OTHER_DEFINES,
    };
    let mut names = BTreeSet::new();
    for found in expression.captures_iter(text) {
        for group in found.iter().skip(1).flatten() {
            names.extend(bound_names(group.as_str()));
        }
    }
    names
}

/// Names of the functions and classes that the text defines at its top level.
pub(super) fn defines_functions(text: &str, language: Language) -> BTreeSet<String> {
    let expression: &Regex = match language {
        Language::Python => &PYTHON_FUNCTIONS,
        Language::Javascript | Language::Typescript => &SCRIPT_FUNCTIONS,
        _ => return defines(text, language),
    };
    expression.captures_iter(text).filter_map(|found| found.get(1)).map(|name| name.as_str().to_owned()).collect()
}

/// The text without docstrings and comments, whose words name nothing that is needed.
pub(super) fn without_prose(text: &str) -> String {
    PROSE.replace_all(text, " ").into_owned()
}

/// Names that the text binds anywhere: parameters, assignments, loop variables.
pub(super) fn locals(text: &str) -> BTreeSet<String> {
    LOCALS
        .captures_iter(text)
        .flat_map(|found| found.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).collect::<Vec<_>>())
        .collect()
}

/// Every word of the text.
pub(super) fn words(text: &str) -> BTreeSet<&str> {
    WORD.find_iter(text).map(|found| found.as_str()).collect()
}

/// The names that an import list or a plain name binds: `a, b as c` binds `a` and `c`.
fn bound_names(list: &str) -> Vec<String> {
    let list = list.split('#').next().unwrap_or_default();
    list.split(',')
        .filter_map(|item| {
            let item = item.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '{' | '}' | ';'));
            let bound = item.rsplit(" as ").next().unwrap_or(item).trim();
            let first = bound.split('.').next().unwrap_or(bound);
            (!first.is_empty()).then(|| first.to_owned())
        })
        .collect()
}

/// Whether code does nothing: only comments, docstrings, `pass`, `...`, `raise NotImplementedError`, or printing a sentence.
pub(crate) fn is_stub(text: &str) -> bool {
    let mut inside = false;
    let mut lines = 0_usize;
    for line in text.lines() {
        let line = line.trim();
        let quotes = line.matches("\"\"\"").count() + line.matches("'''").count();
        if inside || quotes > 0 {
            inside ^= quotes % 2 == 1;
            continue;
        }
        let idle = line.is_empty()
            || line.starts_with('#')
            || line.starts_with("//")
            || line.starts_with("/*")
            || line.starts_with('*')
            || matches!(
                line,
                "pass"
                    | "..."
                    | "}"
                    | "{"
                    | "return"
                    | "return None"
                    | "return null;"
                    | "return;"
                    | "return {}"
                    | "return []"
                    | "return \"\""
                    | "return ''"
                    | "main()"
            )
            || line.starts_with("import ")
            || line.starts_with("from ")
            || line.starts_with("def ")
            || line.starts_with("async def ")
            || line.starts_with("function ")
            || line.starts_with("class ")
            || line.starts_with("if __name__")
            || line.starts_with("raise NotImplementedError")
            || line.starts_with("throw new Error(")
            || says_only_text(line);
        if !idle {
            lines += 1;
        }
    }
    lines == 0
}

/// Whether the line prints, logs or returns one literal sentence, and nothing else.
fn says_only_text(line: &str) -> bool {
    let inner = ["print(", "console.log(", "return "].iter().find_map(|head| line.strip_prefix(head));
    let Some(inner) = inner else { return false };
    let inner = inner.trim_end_matches([')', ';']);
    let mut chars = inner.chars();
    let (Some(first), Some(last)) = (chars.next(), chars.next_back()) else {
        return false;
    };
    matches!(first, '"' | '\'' | '`')
        && first == last
        && chars.clone().all(|c| c != first)
        && chars.filter(|c| c.is_whitespace() || *c > '\u{2e80}').count() >= 2
}
