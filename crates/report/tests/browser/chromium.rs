//! A headless Chromium, driven by its DevTools protocol over two pipes.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Stdio};

use command_fds::{CommandFdExt, FdMapping};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser with one open tab. It ends with the value.
pub(crate) struct Browser {
    process: Child,
    send: File,
    receive: BufReader<File>,
    session: Option<String>,
    next: u64,
    /// Everything that the tab logged, threw, or was refused.
    pub(crate) complaints: Vec<String>,
    /// Every address that the tab asked for.
    pub(crate) requests: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium: that of `CHROMIUM`, else /usr/bin/chromium.
    pub(crate) fn start() -> Browser {
        let program = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
        assert!(
            Path::new(&program).exists(),
            "{program} is not there: install Chromium (Debian and Ubuntu: apt-get install chromium) or set CHROMIUM to its path"
        );
        let profile = TempDir::new().unwrap();
        let (their_input, our_output) = std::io::pipe().unwrap();
        let (our_input, their_output) = std::io::pipe().unwrap();
        #[expect(clippy::disallowed_methods, reason = "the test drives the browser that people read the page with")]
        let mut command = std::process::Command::new(&program);
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--disable-sync"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-default-apps",
                "--hide-scrollbars",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
            .fd_mappings(vec![
                FdMapping { parent_fd: OwnedFd::from(their_input), child_fd: 3 },
                FdMapping { parent_fd: OwnedFd::from(their_output), child_fd: 4 },
            ])
            .unwrap();
        let process = command.spawn().unwrap();
        drop(command);
        let mut browser = Browser {
            process,
            send: File::from(OwnedFd::from(our_output)),
            receive: BufReader::new(File::from(OwnedFd::from(our_input))),
            session: None,
            next: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let session = browser.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Calls a method of the protocol and gives its result; events that come meanwhile are noted.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.send.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.next_message();
            if answer["id"] == json!(id) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    fn next_message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.receive.read_until(0, &mut bytes).unwrap();
        assert!(!bytes.is_empty(), "Chromium has ended");
        bytes.pop();
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        match message["method"].as_str() {
            Some("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded") => {
                self.complaints.push(message["params"].to_string())
            }
            Some("Network.requestWillBeSent") => self.requests.push(message["params"]["request"]["url"].to_string()),
            _ => {}
        }
        message
    }

    /// Opens an address at that width and waits until it is loaded.
    pub(crate) fn open(&mut self, address: &str, width: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 }),
        );
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.call("Page.navigate", json!({ "url": address }));
        for _ in 0..600 {
            let state = self.evaluate("document.readyState + ' ' + location.protocol");
            if state == json!("complete file:") {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{address} did not load");
    }

    /// The value of an expression in the tab, promises awaited.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let result =
            self.call("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }));
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// What the tab shows as a PNG in base64: the whole page, or what fits the window.
    pub(crate) fn picture(&mut self, whole: bool) -> String {
        let parameters = json!({ "format": "png", "captureBeyondViewport": whole });
        self.call("Page.captureScreenshot", parameters)["data"].as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
