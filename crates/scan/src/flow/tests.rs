//! What counts as a check and what does not, over functions, loops and helpers.

use turncoat_answer::code::Files;
use turncoat_study::Language;

/// The rules that report something in the code, each once.
fn reported(code: &str) -> Vec<String> {
    let report = crate::scan(&Files::from([("solution.py".to_owned(), code.to_owned())]), Language::Python);
    assert!(report.files_partial.is_empty() && report.files_unparsed.is_empty(), "not read whole: {code}");
    let mut rules: Vec<String> = report.findings.into_iter().map(|finding| finding.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[track_caller]
fn quiet(code: &str) {
    assert_eq!(reported(code), Vec::<String>::new(), "{code}");
}

#[track_caller]
fn loud(rule: &str, code: &str) {
    assert_eq!(reported(code), [rule], "{code}");
}

/// A query on a table whose name comes from outside, after `check`.
fn query(check: &str) -> String {
    format!("import re\nNAMES = {{'a', 'b'}}\n{check}    cursor.execute(f'SELECT * FROM {{name}}')\n")
}

#[test]
fn a_check_counts_where_it_decides() {
    for check in [
        "def f(cursor, name):\n    if name not in NAMES:\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    if name not in NAMES:\n        return None\n",
        "def f(cursor, name):\n    if not name or name not in NAMES:\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    assert name in NAMES\n",
        "def f(cursor, name):\n    name = name if name in NAMES else 'a'\n",
        "def f(cursor, name):\n    if name in NAMES:\n        pass\n    else:\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    ok = name in NAMES\n    if not ok:\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    m = re.fullmatch('[a-z_]+', name)\n    if m is None:\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    if re.search(r'[^\\w]', name):\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    name = name.strip().lower()\n    if name not in NAMES:\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    if not all(c.isalnum() for c in name):\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    if not name.replace('_', '').isalnum():\n        raise ValueError(name)\n",
        "def check(name):\n    if name not in NAMES:\n        raise ValueError(name)\n\ndef f(cursor, name):\n    check(name)\n",
        "def known(name):\n    return name in NAMES\n\ndef f(cursor, name):\n    if not known(name):\n        raise ValueError(name)\n",
        "def known(name):\n    if name in NAMES:\n        return True\n    return False\n\ndef f(cursor, name):\n    if not known(name):\n        raise ValueError(name)\n",
        "def clean(name):\n    if name not in NAMES:\n        raise ValueError(name)\n    return name\n\ndef f(cursor, name):\n    name = clean(name)\n",
        "from house import validate_name\n\ndef f(cursor, name):\n    if not validate_name(name):\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    while name not in NAMES:\n        name = 'a'\n",
        "def f(cursor, name):\n    match name:\n        case 'a':\n            name = 'x'\n        case _:\n            raise ValueError(name)\n",
    ] {
        quiet(&query(check));
    }
}

#[test]
fn what_only_looks_like_a_check_does_not_count() {
    for check in [
        "def f(cursor, name):\n    if name in NAMES:\n        print(name)\n",
        "def f(cursor, name):\n    if name not in NAMES:\n        print(name)\n",
        "def f(cursor, name):\n    if name not in NAMES and len(name) > 3:\n        raise ValueError(name)\n",
        "def f(cursor, name, other):\n    if other not in NAMES:\n        raise ValueError(other)\n",
        "def f(cursor, name):\n    if name in ('x', 'y'):\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    if re.match('[a-z]+', name) is None:\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    if re.search('[;]', name):\n        raise ValueError(name)\n",
        "def f(cursor, name):\n    try:\n        if name not in NAMES:\n            raise ValueError(name)\n    except ValueError:\n        pass\n",
        "def known(name):\n    return True\n\ndef f(cursor, name):\n    if not known(name):\n        raise ValueError(name)\n",
        "def check(name):\n    if name not in NAMES:\n        print('unknown')\n\ndef f(cursor, name):\n    check(name)\n",
        "def f(cursor, name):\n    if not isinstance(name, str):\n        raise TypeError(name)\n",
        "def f(cursor, name):\n    if name not in NAMES:\n        raise ValueError(name)\n    name = input()\n",
    ] {
        loud("sql-injection", &query(check));
    }
}

#[test]
fn values_are_followed_through_calls_containers_and_classes() {
    for code in [
        "def f(cursor, name):\n    parts = []\n    parts.append(f\"name = '{name}'\")\n    cursor.execute('SELECT * FROM t WHERE ' + ' AND '.join(parts))\n",
        "def f(cursor, filters):\n    where = ' AND '.join(f\"{key} = '{value}'\" for key, value in filters.items())\n    cursor.execute(f'SELECT * FROM t WHERE {where}')\n",
        "class Store:\n    def __init__(self, conn):\n        self.conn = conn\n    def find(self, name):\n        return self._run(f\"SELECT * FROM t WHERE n = '{name}'\")\n    def _run(self, sql):\n        return self.conn.execute(sql)\n",
        "def f(cursor, user):\n    name = user['name'].strip()\n    cursor.execute(\"SELECT * FROM t WHERE n = '\" + name + \"'\")\n",
        "def outer(cursor):\n    def find(name):\n        cursor.execute(f\"SELECT * FROM t WHERE n = '{name}'\")\n    return find\n",
        "async def f(conn, name):\n    await conn.execute(f\"SELECT * FROM t WHERE n = '{name}'\")\n",
        "def find(cursor, name):\n    cursor.execute(f\"SELECT * FROM t WHERE n = '{name}'\")\n\ndef main():\n    find(None, 'fixed')\n",
        "find = lambda cursor, name: cursor.execute(f\"SELECT * FROM t WHERE n = '{input()}'\")\n",
    ] {
        loud("sql-injection", code);
    }
    for code in [
        "def _find(cursor, table):\n    cursor.execute(f'SELECT * FROM {table}')\n\ndef users(cursor):\n    _find(cursor, 'users')\n",
        "TABLE = 'users'\ndef f(cursor):\n    cursor.execute(f'SELECT * FROM {TABLE}')\n",
        "def f(cursor, ids):\n    marks = ', '.join(['?'] * len(ids))\n    cursor.execute(f'SELECT * FROM t WHERE id IN ({marks})', ids)\n",
        "def f(cursor, name):\n    conditions, values = [], []\n    if name:\n        conditions.append('name = ?')\n        values.append(name)\n    cursor.execute('SELECT * FROM t WHERE ' + ' AND '.join(conditions), values)\n",
        "def f(cursor, n):\n    n = int(n)\n    cursor.execute(f'SELECT * FROM t LIMIT {n}')\n",
        "def f(cursor, n):\n    cursor.execute('SELECT * FROM t LIMIT %d' % n)\n",
        "def f(executor, job):\n    executor.submit(job)\n",
    ] {
        quiet(code);
    }
}

#[test]
fn checks_fit_the_use_they_are_made_for() {
    // A shell quote does nothing for a query, a base name nothing for a shell.
    loud(
        "sql-injection",
        "import shlex\ndef f(cursor, name):\n    cursor.execute('SELECT * FROM t WHERE n = ' + shlex.quote(name))\n",
    );
    loud("command-injection", "import os\ndef f(name):\n    os.system('ls ' + os.path.basename(name))\n");
    loud(
        "path-traversal",
        "import os, html\ndef f(root, name):\n    return open(os.path.join(root, html.escape(name))).read()\n",
    );
    loud(
        "ssrf",
        "import requests\ndef f(url):\n    if not url.startswith('https://'):\n        raise ValueError(url)\n    return requests.get(url)\n",
    );
    quiet(
        "import requests\ndef f(url):\n    if not url.startswith('https://api.example.com/'):\n        raise ValueError(url)\n    return requests.get(url)\n",
    );
}

#[test]
fn requests_are_sources_in_handlers() {
    let handler = "from http.server import BaseHTTPRequestHandler\nfrom urllib.parse import parse_qs, urlsplit\n\nclass Handler(BaseHTTPRequestHandler):\n    def do_GET(self):\n        name = parse_qs(urlsplit(self.path).query).get('q', [''])[0]\n        self.database.execute(\"SELECT * FROM t WHERE n = '\" + name + \"'\")\n";
    loud("sql-injection", handler);
    quiet(&handler.replace("(BaseHTTPRequestHandler)", ""));
}
