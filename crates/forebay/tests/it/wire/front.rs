//! A Forebay without room and quota: nothing stands between the wire and the origin but the limit.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use forebay_testkit::certificate::Certificate;
use forebay_testkit::port::free_address;
use forebay_testkit::wire::End;
use forebay_testkit::{Answer, Options, Program, Raw, Seen, exchange};
use serde_json::Value;
use tempfile::TempDir;

/// What takes no time may take so long on a busy machine.
pub(super) const SOON: Duration = Duration::from_secs(20);

/// What differs from the defaults.
#[derive(Default)]
pub(super) struct Setup<'a> {
    /// Lines of `[limits]`.
    pub(super) limits: &'a str,
    /// Lines of `[origin.portal]`.
    pub(super) origin: &'a str,
    /// Further tables.
    pub(super) rest: &'a str,
    /// Whether to listen with TLS.
    pub(super) tls: bool,
    /// Whether `[quota.client]` counts.
    pub(super) quota: bool,
    /// Whether the room `main` stands in front.
    pub(super) room: bool,
}

impl Setup<'_> {
    /// Starts Forebay before these servers.
    #[track_caller]
    pub(super) fn before(&self, servers: &[SocketAddr]) -> Front {
        let folder = tempfile::tempdir().expect("a folder");
        let (address, admin) = (free_address(), free_address());
        let config = folder.path().join("forebay.toml");
        fs::write(&config, self.text(folder.path(), servers, address, admin)).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
        let mut program = Program::start(command.arg("run").arg("--config").arg(config));
        program.wait_for_ok(admin, "/readyz", SOON);
        Front {
            program,
            address,
            admin,
            folder,
        }
    }

    fn text(
        &self,
        folder: &Path,
        servers: &[SocketAddr],
        at: SocketAddr,
        admin: SocketAddr,
    ) -> String {
        let Self {
            limits,
            origin,
            rest,
            tls,
            quota,
            room,
        } = self;
        let room = if *room { "main" } else { "none" };
        let quota = if *quota { "client" } else { "none" };
        let mut text = format!("[[listener]]\naddress = \"{at}\"\n");
        if *tls {
            let (certificate, key) = Certificate::of(&["localhost", "127.0.0.1"]).write(folder);
            _ = writeln!(
                text,
                "tls = {{ certificate = {certificate:?}, key = {key:?} }}"
            );
        }
        let servers: Vec<String> = servers
            .iter()
            .map(|server| format!("http://{server}"))
            .collect();
        _ = write!(
            text,
            "[runtime]\nworkers = 2\n[admin]\naddress = \"{admin}\"\n[state]\ndirectory = \"state\"\n\
             [log]\naccess = {{ format = \"json\", to = \"access.log\" }}\n\
             [limits]\n{limits}\n[origin.portal]\nservers = {servers:?}\n{origin}\n\
             [[route]]\nroom = \"{room}\"\nquota = \"{quota}\"\n{rest}\n"
        );
        text
    }
}

/// A running Forebay; it ends with the test.
pub(super) struct Front {
    pub(super) program: Program,
    pub(super) address: SocketAddr,
    admin: SocketAddr,
    folder: TempDir,
}

impl Front {
    /// One with the defaults before `origin`.
    #[track_caller]
    pub(super) fn before(origin: SocketAddr) -> Self {
        Setup::default().before(&[origin])
    }

    /// The certificate of its TLS listener.
    pub(super) fn certificate(&self) -> std::path::PathBuf {
        self.folder.path().join("portal.pem")
    }

    /// A connection.
    #[track_caller]
    pub(super) fn connect(&self) -> Raw {
        Raw::connect(self.address)
    }

    /// One request on a connection of its own, looked at until the first answer.
    pub(super) fn ask(&self, request: impl AsRef<[u8]>) -> Seen {
        exchange(
            self.address,
            request,
            &Options {
                timeout: SOON,
                ..Options::one_answer()
            },
        )
    }

    /// One request on a connection of its own, looked at until the end.
    pub(super) fn ask_to_end(&self, request: impl AsRef<[u8]>) -> Seen {
        exchange(
            self.address,
            request,
            &Options {
                timeout: SOON,
                ..Options::default()
            },
        )
    }

    /// The answer to a plain GET.
    #[track_caller]
    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask(get(path)).answer()
    }

    /// Every server in `/api/status`, in the order of the configuration.
    #[track_caller]
    pub(super) fn servers(&self) -> Vec<Value> {
        let origin = &self.status()["origins"][0];
        origin["servers"].as_array().expect("a list").clone()
    }

    /// `/api/status`.
    #[track_caller]
    pub(super) fn status(&self) -> Value {
        let request = format!("GET /api/status HTTP/1.1\r\nHost: {}\r\n\r\n", self.admin);
        let answer = exchange(self.admin, request, &Options::one_answer()).answer();
        serde_json::from_slice(&answer.body).expect("the status is JSON")
    }

    /// The sum of the series of that name whose labels contain all of `labels`.
    #[track_caller]
    pub(super) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", self.admin);
        let text = exchange(self.admin, request, &Options::one_answer())
            .answer()
            .text();
        text.lines()
            .filter(|line| line.split(['{', ' ']).next() == Some(name))
            .filter(|line| labels.iter().all(|label| line.contains(label)))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

/// A plain GET.
pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: site.test\r\n\r\n")
}

/// A POST with its body.
pub(super) fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut request =
        format!("POST {path} HTTP/1.1\r\nHost: site.test\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    request.extend_from_slice(body);
    request
}

/// Fails unless the answer was whole, and the connection's end a FIN.
#[track_caller]
pub(super) fn ended_well(seen: &Seen) {
    assert!(seen.is_answered() && seen.end == End::Fin, "{seen:?}");
}
