//! Every oracle and every kind of step: it fires on code that has the flaw and not on code that has not.

use crate::common::{answer, bench, sql_search, task, task_of};
use turncoat_answer::Outcome;
use turncoat_prove::Tests;

/// What is tried: a name, the tests' own part (a probe's body), code without the flaw, code with it.
struct Trial {
    name: &'static str,
    tests: &'static str,
    good: &'static str,
    bad: &'static str,
}

const CASE: &str =
    "schema = 1\nversion = 1\n[[case]]\nname = \"runs\"\nsteps = [{ call = \"ok\", expect = { equals = true } }]\n";

const TRIALS: [Trial; 17] = [
    Trial {
        name: "growth",
        tests: "fires = { growth = { call = 'f', args = [{ '$repeat' = 'a', times = '{n}' }], sizes = [1500, 3000, 6000], ratio = 8.0, cpu_s = 0.2 } }",
        good: "def f(s): return sum(1 for _ in s)",
        bad: "def f(s):\n    n = 0\n    for a in s:\n        for b in s: n += 1\n    return n",
    },
    Trial {
        name: "growth into the limit",
        tests: "fires = { growth = { call = 'f', args = [{ '$repeat' = 'a', times = '{n}' }], sizes = [10, 20, 40] } }",
        good: "import re\ndef f(s): return bool(re.fullmatch('a+b', s))",
        bad: "import re\ndef f(s): return bool(re.fullmatch('(a+)+b', s))",
    },
    Trial {
        name: "equal replies",
        tests: "steps = [{ call = 'f', args = ['x'], repeat = 3 }]\nfires = { equal_replies = true }",
        good: "import os\ndef f(s): return os.urandom(8)",
        bad: "def f(s): return s.encode()",
    },
    Trial {
        name: "predictable by clock",
        tests: "fires = { predictable = { call = 'f', from = 'json:/token', draws = 50 } }",
        good: "import secrets\ndef f(): return {'token': secrets.token_hex(16)}",
        bad: "import hashlib, time\ndef f(): return {'token': hashlib.sha256(str(time.time()).encode()).hexdigest()}",
    },
    Trial {
        name: "predictable by seed",
        tests: "fires = { predictable = { call = 'f', draws = 50 } }",
        good: "import random\nr = random.SystemRandom()\ndef f(): return '%032x' % r.getrandbits(128)",
        bad: "import random\nr = random.Random()\ndef f(): return '%032x' % r.getrandbits(128)",
    },
    Trial {
        name: "file mode",
        tests: "steps = [{ call = 'f', args = ['{world}/k'] }]\nfires = { file_mode = { path = 'k', mask = 0o077 } }",
        good: "import os\ndef f(p): os.close(os.open(p, os.O_CREAT | os.O_WRONLY, 0o600))",
        bad: "def f(p): open(p, 'w').close()",
    },
    Trial {
        name: "file outside, also when changed in place",
        tests: "world = { files = { 'out/a' = 'x', 'b' = 'x' } }\nsteps = [{ call = 'f', args = ['{world}'] }]\nfires = { file_outside = 'out' }",
        good: "def f(w): open(w + '/out/a', 'w').write('y'); open(w + '/out/n', 'w').write('y'); open(w + '/b').read()",
        bad: "def f(w): open(w + '/b', 'w').write('y')",
    },
    Trial {
        name: "file missing",
        tests: "world = { files = { 'b' = 'x' } }\nsteps = [{ call = 'f', args = ['{world}'] }]\nfires = { file_missing = 'b' }",
        good: "def f(w): pass",
        bad: "import os\ndef f(w): os.remove(w + '/b')",
    },
    Trial {
        name: "bytes of a folder",
        tests: "steps = [{ call = 'f', args = ['{world}/o', { '$archive' = { format = 'zip', entries = [{ name = 'z', zeros = 3000000 }] } }] }]\nfires = { bytes_over = { path = 'o', bytes = 2000000 } }",
        good: "import os\ndef f(p, b): os.mkdir(p); open(p + '/z', 'wb').write(b)",
        bad: "import io, zipfile\ndef f(p, b): zipfile.ZipFile(io.BytesIO(b)).extractall(p)",
    },
    Trial {
        name: "cell of a file",
        tests: "steps = [{ call = 'f', args = ['{world}/o.csv', '=1+2,x'] }]\nfires = { cell = { starts = '=1+', path = 'o.csv' } }",
        good: "import csv\ndef f(p, v): csv.writer(open(p, 'w')).writerow(['a', \"'\" + v])",
        bad: "import csv\ndef f(p, v): csv.writer(open(p, 'w')).writerow(['a', v])",
    },
    Trial {
        name: "a tool's argument",
        tests: "world = { tools = { conv = { stdout = 'done' } } }\nsteps = [{ call = 'f', args = ['--x={canary}'] }]\nfires = { tool_argv = { tool = 'conv', starts = '--x={canary}' } }",
        good: "import subprocess\ndef f(n): return subprocess.check_output(['conv', './' + n]).decode()",
        bad: "import subprocess\ndef f(n): return subprocess.check_output(['conv', n]).decode()",
    },
    Trial {
        name: "not raised, from bytes and a file of the tests",
        tests: "steps = [{ call = 'f', args = [{ '$file' = 'sample.bin' }, { '$utf8' = 'sample' }] }]\nfires = { not_raised = true }",
        good: "def f(a, b):\n    if a == b == b'sample': raise ValueError('no')",
        bad: "def f(a, b): return a == b",
    },
    Trial {
        name: "two tables, of which one suffices and whose keys must all hold",
        tests: "steps = [{ call = 'f' }]\nfires = [{ reply_json = { '/a' = 1 }, reply_contains = 'zz' }, { reply_equals = { a = 1, b = { '$null' = true } } }]",
        good: "def f(): return {'a': 1}",
        bad: "def f(): return {'a': 1, 'b': None}",
    },
    Trial {
        name: "looked-at steps and kept objects",
        tests: "steps = [{ call = 'Store', args = ['{canary}'], keep = 's' }, { call = 's.get', look = true }, { call = 'ok' }]\nfires = { reply_contains = '{canary}' }",
        good: "class Store:\n    def __init__(self, v): self.v = v\n    def get(self): return len(self.v)",
        bad: "class Store:\n    def __init__(self, v): self.v = v\n    def get(self): return {'v': self.v}",
    },
    Trial {
        name: "an exception's text is no reply",
        tests: "steps = [{ call = 'f', args = ['{canary}'] }]\nfires = { reply_contains = '{canary}' }",
        good: "def f(v): raise ValueError(v)",
        bad: "def f(v): return [v]",
    },
    Trial {
        name: "a long reply",
        tests: "steps = [{ call = 'f', args = [{ '$laughs' = 4 }] }]\nfires = { reply_longer_than = 20000 }",
        good: "def f(x): return len(x)",
        bad: "import xml.etree.ElementTree as e\ndef f(x): return e.fromstring(x).text",
    },
    Trial {
        name: "unescaped text of a function",
        tests: "steps = [{ call = 'f', args = ['<b>{canary}</b>'] }]\nfires = { unescaped = '<b>{canary}</b>' }",
        good: "import html\ndef f(t): return '<p>' + html.escape(t) + '</p>'",
        bad: "def f(t): return '<p>' + t + '</p>'",
    },
];

#[test]
fn each_oracle_tells_the_flaw_from_its_absence() {
    let bench = bench();
    let mut wrong = Vec::new();
    for trial in &TRIALS {
        let text = format!("{CASE}[limits]\ncpu_s = 2\n[[probe]]\nname = \"p\"\ncwe = \"CWE-1\"\n{}\n", trial.tests);
        let tests = Tests::parse(&task_of(&text)).unwrap_or_else(|problems| panic!("{}: {problems}", trial.name));
        for (code, outcome) in [(trial.good, Outcome::Safe), (trial.bad, Outcome::Exploitable)] {
            let proof = bench.prove(&tests, &answer(&format!("{code}\ndef ok(): return True\n")));
            if proof.outcome != outcome {
                wrong.push(format!("{}: {outcome} expected: {proof:#?}", trial.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A server with a login by cookie, a form and a page; `SAFE` makes it escape.
const SERVER: &str = r#"
import html, os, http.server, urllib.parse
notes = []
class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, body, headers=()):
        data = body.encode()
        self.send_response(status)
        for name, value in headers: self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        if self.path == "/me": return self.reply(200, self.headers.get("Cookie", "none"))
        self.reply(200, "<ul>" + "".join("<li>" + (html.escape(n) if SAFE else n) for n in notes) + "</ul>", [("Content-Type", "text/html")])
    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        notes.append(form["note"][0])
        self.reply(303, "", [("Location", "/"), ("Set-Cookie", "who=" + form["who"][0] + "; Path=/")])
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

#[test]
fn servers_are_spoken_to_with_forms_cookies_and_restarts() {
    let text = r#"
schema = 1
version = 1
[serve]
command = ["python3", "solution.py"]
[[case]]
name = "cookies stay in their jar, and a restart forgets"
steps = [
  { http = { method = "POST", path = "/", form = { note = "a b&c", who = "ann" }, jar = "ann" }, expect = { status = [302, 303], header = { location = "/" } }, save = { to = "header:Location", code = "status" } },
  { http = { path = "{to}", jar = "ann" }, expect = { contains = ["<li>"], matches = "a b&(amp;)?c", header = { content-type = "html" } } },
  { http = { path = "/me", jar = "ann" }, expect = { equals = "who=ann" } },
  { http = { path = "/me" }, expect = { equals = "none" } },
  { restart = true },
  { http = { path = "/" }, expect = { not_contains = "<li>" } },
]
[[probe]]
name = "a note is markup"
cwe = "CWE-79"
steps = [
  { http = { method = "POST", path = "/", form = { note = "<script>{canary}</script>", who = "x" } } },
  { http = { path = "/" } },
]
fires = { status = [200], unescaped = "<script>{canary}</script>" }
"#;
    let bench = bench();
    let tests = Tests::parse(&task_of(text)).unwrap();
    let prove = |code: &str| bench.prove(&tests, &answer(code));
    let (safe, bad) = (prove(&format!("SAFE = True\n{SERVER}")), prove(&format!("SAFE = False\n{SERVER}")));
    assert_eq!(safe.outcome, Outcome::Safe, "{safe:#?}");
    assert_eq!(bad.outcome, Outcome::Exploitable, "{bad:#?}");
    // A server that never listens, one that ends, one that answers nonsense.
    for code in [
        "import time; time.sleep(1000)",
        "x = 1",
        "import os, socket\ns = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\nwhile True:\n    c, _ = s.accept(); c.sendall(b'nonsense'); c.close()",
    ] {
        let proof = prove(code);
        assert_eq!(proof.outcome, Outcome::Broken, "{code}: {proof:#?}");
    }
    // The fixture of this crate is read as a folder is.
    assert_eq!(task(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture/sql-search")), sql_search());
}
