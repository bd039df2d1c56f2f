//! Forebay as it is started by a person: the real program, a configuration in a folder of its
//! own, real sockets; and visitors who keep their cookies.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use forebay_testkit::port::free_address;
use forebay_testkit::program::{self, Finished};
use forebay_testkit::{Answer, Options, Program, Recorder, Reply, exchange};
use serde_json::Value;
use tempfile::TempDir;

/// What should take no time at all may take so long on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// What browsers send when a person opens a page.
pub(crate) const PAGE: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");

/// A running Forebay in front of an origin.
pub(crate) struct House {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    origin: SocketAddr,
    folder: TempDir,
}

impl House {
    /// Starts one. `rest` goes on inside `[origin.portal]`, and may open further tables.
    #[track_caller]
    pub(crate) fn start(origin: SocketAddr, rest: &str) -> Self {
        Self::edited(origin, rest, |text| text)
    }

    /// Starts one whose configuration is `edit`ed first.
    #[track_caller]
    pub(crate) fn edited(
        origin: SocketAddr,
        rest: &str,
        edit: impl FnOnce(String) -> String,
    ) -> Self {
        let (address, admin) = (free_address(), free_address());
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("forebay.toml");
        fs::write(&config, edit(text(address, admin, origin, rest))).expect("a folder");
        let program = start(&config);
        let mut house = Self {
            program,
            address,
            admin,
            origin,
            folder,
        };
        house.wait_until_ready();
        house
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        self.program.wait_for_ok(self.admin, "/readyz", SOON);
    }

    /// Writes another configuration for the same addresses; it is not yet in force.
    pub(crate) fn write(&self, rest: &str) {
        self.write_text(&text(self.address, self.admin, self.origin, rest));
    }

    /// Writes any text as the configuration.
    pub(crate) fn write_text(&self, text: &str) {
        fs::write(self.config(), text).expect("the folder can be written");
    }

    /// Starts a new process after the old one has ended, on the same folder and addresses.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        self.program = start(&self.config());
        self.wait_until_ready();
    }

    /// The configuration's path.
    pub(crate) fn config(&self) -> PathBuf {
        self.file("forebay.toml")
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command on this Forebay.
    #[track_caller]
    pub(crate) fn command(&self, words: &[&str]) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
        program::run(
            command.args(words).arg("--config").arg(self.config()),
            b"",
            SOON,
        )
    }

    /// Runs a command that succeeds.
    #[track_caller]
    pub(crate) fn must(&self, words: &[&str]) -> String {
        let done = self.command(words);
        assert!(done.status.success(), "{words:?}: {done:?}");
        done.stdout
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub(crate) fn get(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, fields, "")
    }

    /// One request of any kind on a connection of its own.
    #[track_caller]
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        ask(self.address, None, method, path, fields, body)
    }

    /// `/api/status`.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        let answer = ask(self.admin, None, "GET", "/api/status", &[], "");
        serde_json::from_slice(&answer.body).expect("the status is JSON")
    }

    /// The room `main` in `/api/status`.
    #[track_caller]
    pub(crate) fn room(&self) -> Value {
        self.status()["rooms"][0].clone()
    }

    /// All metrics as text.
    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        ask(self.admin, None, "GET", "/metrics", &[], "").text()
    }

    /// The sum of all metrics of that name whose labels contain every one of `labels`.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        self.metrics()
            .lines()
            .filter(|line| {
                line.split(['{', ' ']).next() == Some(name)
                    && labels.iter().all(|label| line.contains(label))
            })
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// The lines of the access log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.file("access.log")).unwrap_or_default();
        text.lines()
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("a log line is no JSON ({error}): {line}"))
            })
            .collect()
    }
}

/// Starts Forebay and does not wait for anything.
#[track_caller]
pub(crate) fn start(config: &Path) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    Program::start(command.arg("run").arg("--config").arg(config))
}

/// A whole configuration.
pub(crate) fn text(
    address: SocketAddr,
    admin: SocketAddr,
    origin: SocketAddr,
    rest: &str,
) -> String {
    format!(
        "[[listener]]\naddress = \"{address}\"\n\
         [runtime]\nworkers = 2\n\
         [admin]\naddress = \"{admin}\"\n\
         [state]\ndirectory = \"state\"\n\
         [log]\naccess = {{ format = \"json\", to = \"access.log\" }}\n\
         [origin.portal]\nservers = [\"http://{origin}\"]\n{rest}"
    )
}

/// An origin that answers every request with its target.
pub(crate) fn echo() -> Recorder {
    Recorder::start(|request| Reply::ok(format!("origin {}", request.target)))
}

/// One request on a connection of its own.
#[track_caller]
pub(crate) fn ask(
    address: SocketAddr,
    from: Option<IpAddr>,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> Answer {
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: site.test\r\n{fields}{length}\r\n{body}");
    let options = Options {
        from,
        timeout: SOON,
        ..Options::one_answer()
    };
    exchange(address, request, &options).answer_to(method)
}

/// Somebody who keeps cookies.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Somebody new.
    pub(crate) fn new(house: &House) -> Self {
        Self {
            address: house.address,
            cookies: BTreeMap::new(),
        }
    }

    /// Asks, and keeps the cookies of the answer.
    #[track_caller]
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let line: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let line = line.join("; ");
        let mut fields = more.to_vec();
        if !line.is_empty() {
            fields.push(("Cookie", line.as_str()));
        }
        let answer = ask(self.address, None, method, path, &fields, body);
        for set in answer.all("set-cookie") {
            let (name, value) = set
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Opens a page.
    #[track_caller]
    pub(crate) fn visit(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[PAGE], "")
    }

    /// Asks for the own place, as the page does.
    #[track_caller]
    pub(crate) fn place(&mut self) -> Value {
        let answer = self.ask("GET", "/__forebay/status?room=main", &[], "");
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_slice(&answer.body).expect("a place is JSON")
    }

    /// The room's cookie, whatever it is.
    pub(crate) fn cookie(&self) -> Option<&str> {
        self.cookies.get("forebay-main").map(String::as_str)
    }

    /// Takes a place in line, with its second contact.
    #[track_caller]
    pub(crate) fn queued(house: &House) -> Self {
        let mut visitor = Self::new(house);
        let answer = visitor.visit("/");
        assert_eq!(answer.status, 503, "{answer:?}");
        visitor.place();
        visitor
    }
}
