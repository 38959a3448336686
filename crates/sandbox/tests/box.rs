//! The box from outside: what it promises, and what programs in it can and cannot do.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use turncoat_sandbox::{Decoy, DecoyPath, End, EntryKind, Heard, Limits, Placed, Program, Room, Sandbox, Stub, Thing, World};

fn sandbox() -> Sandbox {
    Sandbox::find(Some(Path::new(env!("CARGO_BIN_EXE_turncoat-box"))))
        .expect("these tests need bubblewrap: apt-get install -y bubblewrap python3")
}

fn python(sandbox: &Sandbox) -> String {
    let python = sandbox.detected().python.as_ref().expect("these tests need Python: apt-get install -y python3");
    python.program.to_str().unwrap().to_owned()
}

fn limits() -> Limits {
    Limits { cpu_s: 3, wall_s: 20, ..Limits::default() }
}

/// Runs a script in a box to its end.
fn script(room: &mut Room, sandbox: &Sandbox, text: &str) -> End {
    let placed = Placed { path: "/work/a.py".to_owned(), thing: Thing::File { bytes: text.into(), mode: 0o644 } };
    room.build(World { placed: vec![placed], ..World::default() }).unwrap();
    run(room, sandbox)
}

fn run(room: &mut Room, sandbox: &Sandbox) -> End {
    let argv = vec![python(sandbox), "-I".to_owned(), "-S".to_owned(), "/work/a.py".to_owned()];
    room.start(Program { argv, env: BTreeMap::new(), cwd: "/work".to_owned(), limits: limits(), speaks: true }).unwrap();
    loop {
        if let Heard::Nothing(end) = room.say(String::new()).unwrap() {
            return end;
        }
    }
}

fn prints(text: &str) -> String {
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    script(&mut room, &sandbox, text).output
}

#[test]
fn every_promise_holds() {
    let started = Instant::now();
    let test = sandbox().self_test();
    println!("in {:?}", started.elapsed());
    println!("{test}");
    assert!(test.holds(), "{:#?}", test.rows.iter().filter(|row| !row.holds).collect::<Vec<_>>());
}

#[test]
fn escapes_from_python_fail() {
    // Each script prints `out` where it gets what it wants.
    let attempts = [
        ("reads the passwords", "open('/etc/shadow').read(); print('out')"),
        ("reads the home of root", "import os; os.listdir('/root'); print('out')"),
        ("reads a process's memory", "open('/proc/1/mem','rb').read(1); print('out')"),
        (
            "writes a process's memory",
            "import os\nfor p in os.listdir('/proc'):\n  if p.isdigit() and p != os.readlink('/proc/self'):\n    try:\n      open(f'/proc/{p}/mem','r+b'); print('out')\n    except OSError: pass",
        ),
        (
            "kills everything",
            "import os, signal\nfor p in range(2, 400):\n  try:\n    os.kill(p, 9); print('out')\n  except OSError: pass",
        ),
        ("makes a user namespace", "import ctypes; r = ctypes.CDLL(None).unshare(0x10000000)\nif r == 0: print('out')"),
        (
            "clones into a namespace",
            "import ctypes; r = ctypes.CDLL(None).syscall(56, 0x10000000 | 17, 0, 0, 0, 0)\nif r >= 0: print('out')",
        ),
        ("mounts", "import ctypes; r = ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, 0)\nif r == 0: print('out')"),
        (
            "calls by the other numbering",
            "import ctypes; r = ctypes.CDLL(None).syscall(0x40000000 | 272, 0x10000000)\nif r == 0: print('out')",
        ),
        ("leaves by chroot", "import os; os.chroot('/'); print('out')"),
        ("rewrites the hosts", "open('/etc/hosts', 'a').write('1.2.3.4 x'); print('out')"),
        ("plants a stub program", "open('/run/turncoat/bin/tool', 'w').write('x'); print('out')"),
        ("replaces the stage", "import os; os.rename('/run/turncoat/stage', '/tmp/stage'); print('out')"),
        ("replaces the desk", "import os; os.remove('/run/turncoat/desk'); print('out')"),
        ("opens a device", "open('/dev/mem', 'rb'); print('out')"),
        ("makes a device", "import os, stat; os.mknod('/tmp/d', 0o600 | stat.S_IFBLK, os.makedev(8, 0)); print('out')"),
        ("becomes root", "import os; os.setuid(0); print('out')"),
        ("raises its limits", "import resource; resource.setrlimit(resource.RLIMIT_CPU, (100, 100)); print('out')"),
        ("connects out", "import socket; socket.create_connection(('1.1.1.1', 53), 1); print('out')"),
        ("opens a netlink socket", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); print('out')"),
        ("opens a packet socket", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0); print('out')"),
        ("resolves a foreign name", "import socket; socket.getaddrinfo('example.com', 80); print('out')"),
        (
            "reads the kernel's log",
            "import ctypes; r = ctypes.CDLL(None).klogctl(3, ctypes.create_string_buffer(99), 99)\nif r >= 0: print('out')",
        ),
        ("sets the clock", "import time; time.clock_settime(time.CLOCK_REALTIME, 0); print('out')"),
        ("writes a kernel setting", "open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x'); print('out')"),
        ("attaches to its parent", "import ctypes; r = ctypes.CDLL(None).ptrace(16, 2, 0, 0)\nif r == 0: print('out')"),
        (
            "makes shared memory that outlives it",
            "import ctypes; r = ctypes.CDLL(None).shmget(1, 4096, 0o1600)\nif r >= 0: print('out')",
        ),
        (
            "runs a program with set user id",
            "import subprocess; print('out' if subprocess.run(['/usr/bin/su', '-c', 'id'], stdin=subprocess.DEVNULL).returncode == 0 else '')",
        ),
    ];
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    for (name, text) in attempts {
        let end = script(&mut room, &sandbox, text);
        assert!(!end.output.contains("\nout") && !end.output.starts_with("out"), "{name}: {end:?}");
    }
    // The instrument is alive: a script that may print does.
    assert_eq!(script(&mut room, &sandbox, "import sys; print('out', file=sys.stderr)").output, "out\n");
}

#[test]
fn abuse_is_stopped_and_leaves_nothing() {
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    let started = Instant::now();
    let end = script(&mut room, &sandbox, "while True: pass");
    assert_eq!(end.limit.as_deref(), Some("cpu"), "{end:?}");
    assert!(end.cpu_ms >= 2500, "{end:?}");
    let end = script(&mut room, &sandbox, "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass");
    assert!(end.limit.is_some(), "{end:?}");
    let end = script(&mut room, &sandbox, "for i in range(10**7): open(f'/tmp/{i}', 'w').close()");
    assert!(end.limit.is_some(), "{end:?}");
    let end = script(&mut room, &sandbox, "x = b'x' * (4 << 30)");
    assert!(end.output.contains("MemoryError"), "{end:?}");
    let end = script(&mut room, &sandbox, "import sys\nwhile True: sys.stdout.write('x' * 100000)");
    assert_eq!(end.limit.as_deref(), Some("output"), "{end:?}");
    let end = script(
        &mut room,
        &sandbox,
        "import os\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    import time\n    while True:\n      open('/tmp/x', 'a').write('x'); time.sleep(0.005)\nimport time; time.sleep(0.1)",
    );
    assert_eq!(end.code, 0, "{end:?}");
    let size = |room: &mut Room| room.survey("/tmp").unwrap().first().map(|entry| entry.size);
    let before = size(&mut room);
    std::thread::sleep(Duration::from_millis(50));
    assert!(before.is_some());
    assert_eq!(before, size(&mut room), "a daemon lives on");
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_signal_ends_the_program_and_not_the_box() {
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    let end = script(
        &mut room,
        &sandbox,
        "import os, signal\nfor p in (-1, 0, 1, 2, 3):\n  try: os.kill(p, signal.SIGKILL)\n  except OSError: pass\nos._exit(7)",
    );
    assert_eq!(end.code, 7, "{end:?}");
    let end = script(&mut room, &sandbox, "import os; os.abort()");
    assert!(end.code >= 128, "{end:?}");
    assert_eq!(script(&mut room, &sandbox, "import sys; print(1, file=sys.stderr)").output, "1\n");
}

#[test]
fn each_world_is_fresh_even_after_a_mess() {
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    script(
        &mut room,
        &sandbox,
        "import os\nos.makedirs('/world/a/b'); open('/world/a/b/c','w').write('x'); os.chmod('/world/a/b', 0); os.chmod('/world/a', 0)\nos.symlink('/usr', '/world/l'); os.mkfifo('/work/p'); os.chmod('/world', 0)",
    );
    room.build(World::default()).unwrap();
    assert_eq!(room.survey("/world").unwrap(), Vec::new());
    assert_eq!(room.survey("/work").unwrap(), Vec::new());
    assert_eq!(room.read("/etc/passwd", 4).unwrap().unwrap().text(), "root");
}

#[test]
fn a_mess_that_cannot_be_emptied_costs_the_box_alone() {
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    script(&mut room, &sandbox, "import os\nfor i in range(3000):\n  os.mkdir('d'); os.chdir('d')");
    assert!(room.build(World::default()).is_err());
    drop(room);
    assert!(sandbox.open().unwrap().build(World::default()).is_ok());
}

#[test]
fn everything_is_gone_when_the_box_is_dropped() {
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    let text = "import time\nwhile True: time.sleep(0.01)";
    let placed = Placed { path: "/work/a.py".to_owned(), thing: Thing::File { bytes: text.into(), mode: 0o644 } };
    room.build(World { placed: vec![placed], ..World::default() }).unwrap();
    let mark = format!("mark{}", std::process::id());
    let argv = vec![python(&sandbox), "/work/a.py".to_owned(), mark.clone()];
    room.start(Program { argv, env: BTreeMap::new(), cwd: "/work".to_owned(), limits: limits(), speaks: false }).unwrap();
    let runs = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter(|entry| {
                std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(&mark))
            })
            .count()
    };
    let until = Instant::now() + Duration::from_secs(10);
    while runs() == 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(runs() > 0, "the program never ran");
    drop(room);
    let until = Instant::now() + Duration::from_secs(5);
    while runs() > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(runs(), 0);
}

#[test]
fn worlds_stubs_and_decoys_work() {
    let sandbox = sandbox();
    let mut room = sandbox.open().unwrap();
    let text = "import subprocess, urllib.request as u, os, sys\n\
        print(subprocess.run('tool a \"b c\" -x /work/made', shell=True, capture_output=True, text=True).stdout, file=sys.stderr)\n\
        print(u.urlopen('http://files.example/a?q=1').read(), u.urlopen('http://169.254.169.254/r').read(), file=sys.stderr)\n\
        print(open('/world/d/l').read(), open('/work/made').read(), file=sys.stderr)";
    let file = |path: &str, text: &str| Placed { path: path.to_owned(), thing: Thing::File { bytes: text.into(), mode: 0o644 } };
    let reply = |status, body: &str, location: Option<&str>| DecoyPath {
        status,
        headers: location.map(|to| ("location".to_owned(), to.to_owned())).into_iter().collect(),
        body: body.into(),
    };
    let decoy = |host: &str, address: &str, paths: Vec<(&str, DecoyPath)>| Decoy {
        host: host.to_owned(),
        address: address.to_owned(),
        port: 80,
        paths: paths.into_iter().map(|(path, reply)| (path.to_owned(), reply)).collect(),
    };
    let world = World {
        placed: vec![
            file("/work/a.py", text),
            file("/world/secret", "s3"),
            Placed { path: "/world/d/l".to_owned(), thing: Thing::Link("../secret".to_owned()) },
        ],
        decoys: vec![
            decoy("files.example", "93.184.216.34", vec![("/a", reply(200, "hello", None)), ("/b", reply(200, "moved", None))]),
            decoy("169.254.169.254", "169.254.169.254", vec![("/r", reply(302, "", Some("http://files.example/b")))]),
        ],
        stubs: vec![Stub {
            name: "tool".to_owned(),
            stdout: "Pages: 3\n".into(),
            stderr: "".into(),
            exit: 0,
            writes: Some((-1, "made".to_owned())),
        }],
    };
    room.build(world).unwrap();
    let end = run(&mut room, &sandbox);
    assert_eq!(end.output, "Pages: 3\n\nb'hello' b'moved'\ns3 made\n", "{end:?}");
    let logs = room.logs().unwrap();
    assert_eq!(logs.calls.len(), 1);
    assert_eq!(logs.calls[0].args, ["a", "b c", "-x", "/work/made"]);
    let seen: Vec<_> = logs.requests.iter().map(|request| (request.host.as_str(), request.path.as_str())).collect();
    assert_eq!(seen, [("files.example", "/a?q=1"), ("169.254.169.254", "/r"), ("files.example", "/b")]);
    let entries = room.survey("/world").unwrap();
    assert!(entries.iter().any(|entry| entry.path == "d/l" && entry.kind == EntryKind::Link));
}

#[test]
fn a_box_starts_fast() {
    let sandbox = sandbox();
    let mut times: Vec<Duration> = (0..10)
        .map(|_| {
            let started = Instant::now();
            drop(sandbox.open().unwrap());
            started.elapsed()
        })
        .collect();
    times.sort();
    println!("a box in {:?} (median of 10)", times[5]);
    // A bound that only a broken start passes, since other tests run at the same time.
    assert!(times[5] < Duration::from_secs(3));
    assert_eq!(prints("import sys, os; print(os.getuid(), file=sys.stderr)"), "65534\n");
}

#[test]
fn no_open_file_of_this_program_reaches_the_box() {
    // A plain duplicate is inherited by every program that is started, unlike what Rust itself opens.
    let file = std::fs::File::open("/proc/self/cmdline").unwrap();
    let leak = rustix::io::dup(&file).unwrap();
    let printed = prints(
        "import os, sys; print(len(os.listdir('/proc/self/fd')), [os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in (0, 1, 2)], file=sys.stderr)",
    );
    drop(leak);
    // The fourth is the folder that is being listed.
    assert_eq!(printed, "4 ['pipe', 'pipe', 'pipe']\n");
}
