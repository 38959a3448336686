//! What is known of names and functions that the file itself does not define: where data enters, what passes it on, what makes it
//! harmless.

use std::rc::Rc;

use super::value::{Entry, HOLE, Uses, Value, either, join, merge_from, worse};
use crate::event::Call;

/// Whether a parameter may carry what others choose: not the object itself, a connection, a number.
pub(super) fn is_open(name: &str, annotation: Option<&str>) -> bool {
    const OWN: [&str; 37] = [
        "self",
        "cls",
        "conn",
        "connection",
        "cursor",
        "cur",
        "db",
        "database",
        "db_cursor",
        "db_conn",
        "db_connection",
        "session",
        "engine",
        "logger",
        "log",
        "app",
        "client",
        "config",
        "settings",
        "pool",
        "executor",
        "loop",
        "timeout",
        "limit",
        "offset",
        "page",
        "page_size",
        "encoding",
        "database_url",
        "dsn",
        "callback",
        "now",
        "descending",
        "reverse",
        "secret",
        "secret_key",
        "signing_key",
    ];
    let kind = annotation.map(|kind| {
        kind.trim_matches(['"', '\''])
            .trim_start_matches("Optional[")
            .trim_end_matches(']')
            .split('|')
            .next()
            .unwrap_or_default()
            .trim()
    });
    let is_plain = kind.is_some_and(|kind| {
        let last = kind.rsplit('.').next().unwrap_or(kind);
        matches!(
            last,
            "int"
                | "float"
                | "bool"
                | "complex"
                | "date"
                | "datetime"
                | "timedelta"
                | "Decimal"
                | "UUID"
                | "Connection"
                | "Cursor"
                | "Session"
                | "Logger"
                | "Engine"
        )
    });
    !OWN.contains(&name.to_lowercase().trim_start_matches('_')) && !is_plain
}

/// The value of a dotted place where requests enter; `serves` tells that it stands in a class that answers them.
pub(super) fn source(place: &str, serves: bool, line: u32) -> Option<Value> {
    const REQUEST: [&str; 16] = [
        "args",
        "form",
        "values",
        "json",
        "data",
        "cookies",
        "headers",
        "files",
        "query_params",
        "GET",
        "POST",
        "body",
        "query_string",
        "path_params",
        "FILES",
        "COOKIES",
    ];
    let (base, field) = place.rsplit_once('.')?;
    let of_request = matches!(base, "request" | "flask.request" | "bottle.request" | "self.request" | "req")
        && (REQUEST.contains(&field) || matches!(field, "path" | "url" | "full_path"));
    let of_handler = serves && base == "self" && matches!(field, "path" | "headers" | "rfile");
    (of_request || of_handler).then(|| Value::tainted(Entry::Request, place, line))
}

/// One item of a value that is iterated or unpacked.
pub(super) fn element(value: &Value) -> Value {
    if let Some(items) = value.items.as_ref().filter(|items| !items.is_empty()) {
        let mut each = items
            .iter()
            .fold(None, |known: Option<Value>, item| Some(known.map_or_else(|| item.clone(), |known| either(&known, item))))
            .unwrap_or_default();
        // A loop over constants stands for all of them: their texts together.
        if each.taint.is_none() {
            each.text = Some(texts(value).concat().into());
        }
        return each;
    }
    Value { made: None, items: None, condition: None, is_resolved: false, ..value.clone() }
}

/// The origins of a part of a value: checks on a part say little of the whole, but the host of an address and the first character
/// of a cell do.
pub(super) fn part_of(value: &Value) -> Rc<[(Rc<str>, Uses)]> {
    value.derived(Uses::URL.with(Uses::CELL).with(Uses::ARGUMENT).with(Uses::CODE))
}

/// The constant texts in a value: its own, or those of its items.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match (&value.items, &value.text) {
        (Some(items), _) => items.iter().filter_map(|item| item.text.as_deref()).map(str::to_owned).collect(),
        (None, Some(text)) => vec![text.to_string()],
        (None, None) => Vec::new(),
    }
}

/// Whether a text is the start of an address whose host cannot be changed by what follows.
pub(crate) fn has_fixed_host(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let Some(end) = rest.find(['/', '?', '#']) else { return false };
    rest.get(..end).is_some_and(|host| !host.is_empty() && !host.contains(HOLE))
}

/// A format text cut at its holes (`%s`, `{}`, `{name}`); holes are `None`.
pub(super) fn split_format(text: &str) -> Vec<Option<String>> {
    let mut out = Vec::new();
    let mut constant = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_hole = match c {
            '%' if chars.next_if_eq(&'%').is_some() => {
                constant.push('%');
                continue;
            }
            '%' => {
                while chars.next_if(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | '+' | ' ' | '#')).is_some() {}
                if chars.next_if_eq(&'(').is_some() {
                    while chars.next().is_some_and(|c| c != ')') {}
                }
                match chars.peek() {
                    Some('s' | 'r' | 'a') => chars.next().is_some(),
                    // `%d` admits numbers alone; a `%` without a letter is text, as in SQL's LIKE.
                    Some('d' | 'i' | 'f' | 'x') => {
                        chars.next();
                        constant.push('0');
                        continue;
                    }
                    _ => {
                        constant.push('%');
                        continue;
                    }
                }
            }
            '{' if chars.next_if_eq(&'{').is_some() => {
                constant.push('{');
                continue;
            }
            '{' => {
                let mut inner = String::new();
                while let Some(c) = chars.next_if(|c| *c != '}' && inner.len() < 80) {
                    inner.push(c);
                }
                let is_name = chars.peek() == Some(&'}')
                    && inner.chars().all(|c| {
                        c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | ':' | '!' | '<' | '>' | '^' | ',' | ' ')
                    });
                if is_name {
                    chars.next();
                    true
                } else {
                    constant.push('{');
                    constant.push_str(&inner);
                    continue;
                }
            }
            HOLE => true,
            c => {
                constant.push(c);
                continue;
            }
        };
        if is_hole {
            out.push(Some(std::mem::take(&mut constant)));
            out.push(None);
        }
    }
    out.push(Some(constant));
    out.retain(|piece| piece.as_deref() != Some(""));
    out
}

/// The value of an attribute of something.
pub(super) fn attribute(value: &Value, name: &str, dotted: Option<&str>) -> Value {
    if matches!(dotted, Some("os.sep" | "os.path.sep" | "os.altsep")) {
        return Value::constant("/");
    }
    let is_path = value.made.as_deref().is_some_and(|made| made.contains("Path"));
    let from = match name {
        "hostname" | "netloc" | "host" => value.derived(Uses::URL),
        "scheme" | "port" | "suffix" | "parts" => Rc::from([]),
        _ => value.derived(Uses::ALL.without(Uses::SQL)),
    };
    let mut out = Value {
        from,
        text: None,
        items: None,
        condition: None,
        is_resolved: value.is_resolved && name == "parent",
        ..value.clone()
    };
    out.made = value.made.as_ref().map(|made| if made.len() < 120 { format!("{made}.{name}").into() } else { Rc::clone(made) });
    if is_path && matches!(name, "name" | "stem" | "suffix") {
        return out.fit_for(Uses::PATH);
    }
    if matches!(name, "port" | "size" | "st_size") {
        out.taint = None;
    }
    out
}

/// Functions whose results carry nothing of their arguments that could do harm.
const HARMLESS: [&str; 41] = [
    "int",
    "float",
    "bool",
    "len",
    "abs",
    "round",
    "hash",
    "id",
    "ord",
    "sum",
    "range",
    "isinstance",
    "uuid.UUID",
    "decimal.Decimal",
    "datetime.date.fromisoformat",
    "datetime.datetime.fromisoformat",
    "datetime.datetime.strptime",
    "datetime.date",
    "shlex.split",
    "ipaddress.ip_address",
    "ipaddress.ip_network",
    "hashlib.sha256",
    "hashlib.md5",
    "hashlib.sha1",
    "hashlib.sha512",
    "hmac.new",
    "hmac.digest",
    "secrets.token_hex",
    "secrets.token_urlsafe",
    "uuid.uuid4",
    "uuid.uuid5",
    "os.path.exists",
    "os.path.isfile",
    "os.path.isdir",
    "os.path.getsize",
    "os.stat",
    "fractions.Fraction",
    "hashlib.pbkdf2_hmac",
    "hashlib.scrypt",
    "zlib.crc32",
    "binascii.crc32",
];

/// Free functions whose results are made of their arguments.
const CARRYING: [&str; 49] = [
    "bytes.fromhex",
    "bytearray.fromhex",
    "ast.iter_fields",
    "str",
    "bytes",
    "bytearray",
    "repr",
    "list",
    "tuple",
    "set",
    "dict",
    "frozenset",
    "sorted",
    "reversed",
    "enumerate",
    "zip",
    "map",
    "filter",
    "iter",
    "next",
    "max",
    "min",
    "getattr",
    "json.loads",
    "json.load",
    "json.dumps",
    "copy.copy",
    "copy.deepcopy",
    "io.BytesIO",
    "io.StringIO",
    "textwrap.dedent",
    "html.unescape",
    "typing.cast",
    "os.fspath",
    "os.fsdecode",
    "os.fsencode",
    "os.path.expanduser",
    "os.path.normpath",
    "os.path.normcase",
    "os.path.dirname",
    "os.path.splitext",
    "codecs.decode",
    "string.Template",
    "urllib.request.Request",
    "format",
    "ast.parse",
    "compile",
    "ast.walk",
    "ast.iter_child_nodes",
];

/// The value of a call to something outside the file.
pub(super) fn result(call: &Call<'_>, line: u32) -> Value {
    let first = call.arguments.first().map(|given| &given.value);
    let arguments = || call.arguments.iter().map(|given| &given.value);
    let all_taint = || arguments().fold(None, |known, value| worse(known.as_ref(), value.taint.as_ref()));
    let carried = |through: Uses| Value {
        taint: all_taint(),
        from: merge_from(
            &arguments().map(|value| Value { from: value.derived(through), ..Value::default() }).collect::<Vec<_>>(),
        ),
        ..Value::default()
    };
    let checks = Uses::URL.with(Uses::CODE).with(Uses::PATH).with(Uses::OBJECT).with(Uses::XML).with(Uses::CELL);
    if HARMLESS.contains(&call.path) {
        // An address object is harmless itself, but what is found out about it holds for the host it was made of.
        let from = if call.path.starts_with("ipaddress.") { carried(Uses::URL).from } else { Rc::from([]) };
        return Value { from, ..Value::default() };
    }
    match call.path {
        "html.escape"
        | "markupsafe.escape"
        | "markupsafe.Markup.escape"
        | "flask.escape"
        | "cgi.escape"
        | "bleach.clean"
        | "xml.sax.saxutils.escape"
        | "django.utils.html.escape" => {
            return carried(Uses::ALL).fit_for(Uses::HTML.with(Uses::XML));
        }
        "shlex.quote" | "pipes.quote" => return carried(Uses::NONE).fit_for(Uses::SHELL),
        "shlex.join" => return carried(Uses::NONE).fit_for(Uses::SHELL),
        "urllib.parse.quote" | "urllib.parse.quote_plus" | "urllib.parse.urlencode" => {
            return carried(Uses::NONE).fit_for(Uses::HTML.with(Uses::URL).with(Uses::SHELL).with(Uses::SQL).with(Uses::CELL));
        }
        "os.path.basename" | "ntpath.basename" | "posixpath.basename" => return carried(Uses::ALL).fit_for(Uses::PATH),
        "werkzeug.utils.secure_filename" | "werkzeug.secure_filename" | "secure_filename" => {
            return carried(Uses::NONE).fit_for(Uses::PATH.with(Uses::SHELL));
        }
        "type" => return carried(Uses::CODE),
        "re.escape" => return carried(Uses::NONE),
        "ast.literal_eval" => return carried(Uses::NONE).fit_for(Uses::CODE),
        "re.sub" => {
            let pattern = first.and_then(Value::constant_text).map(super::pattern::fit_without).unwrap_or(Uses::NONE);
            return Value { taint: call.arguments.get(2).and_then(|given| given.value.taint.clone()), ..Value::default() }
                .fit_for(pattern);
        }
        "re.compile" => return first.cloned().unwrap_or_default(),
        "os.path.realpath" | "os.path.abspath" | "os.path.normpath" => {
            let value = carried(Uses::PATH.with(Uses::ALL.without(Uses::SQL)));
            let text = first.and_then(|first| first.text.clone());
            return Value { is_resolved: true, text, ..value }.fit_for(Uses::ARGUMENT);
        }
        "os.path.join" => return path_join(call, line),
        "pathlib.Path" | "pathlib.PurePath" | "pathlib.PurePosixPath" | "Path" => {
            let mut value = if call.arguments.len() > 1 {
                path_join(call, line)
            } else {
                Value { text: first.and_then(|first| first.text.clone()), ..carried(Uses::ALL) }
            };
            value.made = Some("pathlib.Path()".into());
            return value;
        }
        "input" => return Value::tainted(Entry::Parameter, "input()", line),
        "zipfile.ZipFile" | "tarfile.open" | "tarfile.TarFile" | "tarfile.TarFile.open" => {
            return Value { taint: Value::tainted(Entry::Archive, "the archive's own names", line).taint, ..Value::default() };
        }
        _ => {}
    }
    // A dotted path with a call in it is a method of what that call made.
    let is_free = !call.path.contains("()");
    let of_module =
        ["base64.", "urllib.parse.", "binascii.", "zlib.", "itertools."].iter().any(|module| call.path.starts_with(module));
    if CARRYING.contains(&call.path) || (is_free && of_module) {
        let mut value = carried(Uses::ALL);
        if matches!(call.path, "str" | "list" | "tuple" | "sorted" | "set" | "frozenset" | "bytes" | "os.fspath")
            && let Some(first) = first
        {
            value.text.clone_from(&first.text);
            value.items.clone_from(&first.items);
            value.is_resolved = first.is_resolved;
            if call.path == "str" || call.path == "os.fspath" {
                value.made.clone_from(&first.made);
            }
        }
        return value;
    }
    if let Some(receiver) = call.receiver
        && let Some(value) = method(call, receiver, line)
    {
        return value;
    }
    // An unknown function's result is not taken to carry what went in, but checks on the result hold for it.
    Value { from: carried(checks).from, ..Value::default() }
}

/// A path put together: only what stands below its first part can lead out of it.
fn path_join(call: &Call<'_>, line: u32) -> Value {
    let mut parts = Vec::new();
    for (index, given) in call.arguments.iter().enumerate() {
        if index > 0 {
            parts.push(Value::constant("/"));
        }
        parts.push(given.value.clone());
    }
    let mut value = join(&parts, line);
    let rest = call.arguments.iter().skip(1).fold(None, |known, given| worse(known.as_ref(), given.value.taint.as_ref()));
    if rest.is_none() {
        value.taint = call.arguments.first().and_then(|given| given.value.taint.clone());
    }
    let below: Vec<Value> =
        call.arguments.iter().skip(1).map(|given| Value { from: given.value.derived(Uses::PATH), ..Value::default() }).collect();
    value.from = merge_from(&below);
    value
}

/// What a method gives back.
fn method(call: &Call<'_>, receiver: &Value, line: u32) -> Option<Value> {
    let same = |through: Uses| Value {
        from: receiver.derived(through),
        items: None,
        condition: None,
        is_resolved: false,
        made: None,
        text: None,
        ..receiver.clone()
    };
    let argument_text = |at: usize| call.arguments.get(at).and_then(|given| given.value.constant_text());
    Some(match call.method {
        "strip" | "lstrip" | "rstrip" | "lower" | "upper" | "casefold" | "title" | "capitalize" | "encode" | "decode"
        | "removeprefix" | "removesuffix" | "expandtabs" | "as_posix" | "copy" => {
            Value { text: receiver.text.clone(), is_resolved: receiver.is_resolved, ..same(Uses::ALL) }
        }
        "replace" => {
            let needle = argument_text(0).unwrap_or_default();
            let through = if needle.contains(['.', '/']) { Uses::ALL.without(Uses::PATH) } else { Uses::ALL };
            let value = same(through);
            match (needle, argument_text(1)) {
                ("'", Some("''")) | ("\"", Some("\"\"")) | ("`", Some("``")) => value.fit_for(Uses::SQL),
                ("<", Some("&lt;")) => value.fit_for(Uses::HTML),
                ("/", _) => value.fit_for(Uses::PATH),
                _ => value,
            }
        }
        "count" | "find" | "index" | "rfind" | "exists" | "is_file" | "is_dir" | "hexdigest" | "digest" | "stat"
        | "timestamp" | "isoformat" | "total_seconds" | "is_absolute" => Value::default(),
        "resolve" | "absolute" => Value {
            is_resolved: true,
            made: receiver.made.clone(),
            text: receiver.text.clone(),
            ..same(Uses::ALL.without(Uses::SQL))
        }
        .fit_for(Uses::ARGUMENT),
        "joinpath" => {
            let mut parts = vec![receiver.clone()];
            for given in call.arguments {
                parts.extend([Value::constant("/"), given.value.clone()]);
            }
            let mut value = join(&parts, line);
            if call.arguments.iter().all(|given| given.value.taint.is_none()) {
                value.taint.clone_from(&receiver.taint);
            }
            value.made = Some("pathlib.Path()".into());
            value.from = merge_from(
                &call
                    .arguments
                    .iter()
                    .map(|given| Value { from: given.value.derived(Uses::PATH), ..Value::default() })
                    .collect::<Vec<_>>(),
            );
            value
        }
        "fetchall" | "fetchone" | "fetchmany" => Value::tainted(Entry::Stored, "the database", line),
        // The rows of a query; what was asked stays out of it.
        "execute" | "executemany" | "query" if call.arguments.iter().any(|given| given.value.text.is_some()) => {
            Value { taint: Value::tainted(Entry::Stored, "the database", line).taint, ..Value::default() }
        }
        "get" if receiver.taint.is_none() => Value::default(),
        "infolist" | "namelist" | "getmembers" | "getnames" | "next" | "getmember" | "getinfo" => same(Uses::ALL),
        "split" | "rsplit" | "partition" | "rpartition" | "splitlines" => same(part_mask()),
        _ if receiver.taint.is_some() => same(Uses::ALL.without(Uses::SQL)),
        _ => return None,
    })
}

fn part_mask() -> Uses {
    Uses::URL.with(Uses::CELL).with(Uses::ARGUMENT).with(Uses::CODE)
}
