//! Instructions per proxied request, by callgrind: an adaptive limit against a fixed one.
//!
//! Each program is run twice for the same time, with few requests and with many; what the
//! clock costs (ticks, sweeps) is in both and goes out by subtraction. One connection, one
//! request at a time: the path of a request when nothing is short.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;

use crate::command::{Failure, target};
use crate::{load, tools};

/// How many requests are compared.
#[derive(Args)]
pub(crate) struct Instructions {
    /// Requests of the longer run; the shorter one has a tenth
    #[arg(long, default_value_t = 3000)]
    requests: u32,
    /// How long each run lasts, in seconds: long enough for all requests under callgrind
    #[arg(long, default_value_t = 25)]
    seconds: u64,
    /// Fails when the adaptive limit costs more than this times the fixed one
    #[arg(long, default_value_t = 1.05)]
    bar: f64,
    /// Use the optimised programs as they were built last
    #[arg(long)]
    as_built: bool,
}

/// Under valgrind everything is this slow to begin.
const STARTS_WITHIN: Duration = Duration::from_secs(180);

/// Measures both, and holds them against the bar.
pub(crate) fn instructions(options: &Instructions) -> Result<(), Failure> {
    if !options.as_built {
        load::build()?;
    }
    if tools::find("valgrind").is_none() {
        tools::apt(&["valgrind"])?;
    }
    let fixed = per_request("mode = \"fixed\", concurrency = 64", options)?;
    let adaptive = per_request("mode = \"adaptive\"", options)?;
    let times = adaptive / fixed;
    println!(
        "instructions per proxied request: fixed {fixed:.0}, adaptive {adaptive:.0}, {times:.3} ×"
    );
    if times > options.bar {
        return Err(Failure::Guard(format!("more than {} ×", options.bar)));
    }
    Ok(())
}

/// Instructions of one request more, with this limit.
fn per_request(limit: &str, options: &Instructions) -> Result<f64, Failure> {
    let lasts = Duration::from_secs(options.seconds);
    let few = options.requests / 10;
    let less = run(limit, few, lasts)?;
    let more = run(limit, options.requests, lasts)?;
    Ok((more - less) / f64::from(options.requests - few))
}

/// All instructions of a run of `requests`.
fn run(limit: &str, requests: u32, lasts: Duration) -> Result<f64, Failure> {
    let folder = target().join("instructions");
    fs::create_dir_all(&folder).map_err(|why| failed("a folder", &why))?;
    let (site, origin) = (free()?, free()?);
    let config = folder.join("forebay.toml");
    let text = format!(
        "[[listener]]\naddress = \"{site}\"\n[runtime]\nworkers = 1\n[origin.portal]\n\
         servers = [\"http://{origin}\"]\nlimit = {{ {limit} }}\n\
         [quota.client]\nper = \"client\"\nrate = \"100000/s\"\nburst = 100000\n\
         [quota.pass]\nper = \"pass\"\nrate = \"100000/s\"\nburst = 100000\n\
         [state]\ndirectory = \"{folder}/state\"\n[admin]\naddress = \"none\"\n\
         [log]\naccess = {{ format = \"json\", to = \"{folder}/access.log\" }}\nlevel = \"warn\"\n",
        folder = folder.display()
    );
    fs::write(&config, text).map_err(|why| failed("a configuration", &why))?;
    let programs = target().join("release");
    let said = folder.join("callgrind.txt");
    let _origin = Running::start(
        Command::new(programs.join("surge"))
            .args(["origin", "--listen", &origin.to_string()])
            .args(["--capacity", "100000"]),
        origin,
    )?;
    let mut proxy = Running::start(
        Command::new("valgrind")
            .args([
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
                "--fair-sched=yes",
            ])
            .arg(format!("--log-file={}", said.display()))
            .arg(programs.join("forebay"))
            .args(["run", "--config", &config.display().to_string()]),
        site,
    )?;
    let began = Instant::now();
    ask(site, requests).map_err(|why| failed("a request", &why))?;
    let Some(rest) = lasts.checked_sub(began.elapsed()) else {
        return Err(Failure::Guard(format!(
            "{requests} requests took longer than {lasts:?}; ask for fewer, or more seconds"
        )));
    };
    sleep(rest);
    proxy.end()?;
    collected(&said)
}

/// Sends so many requests over one connection, each when the one before is answered.
fn ask(site: SocketAddr, requests: u32) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(site)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let request = format!("GET / HTTP/1.1\r\nHost: {site}\r\nAccept: */*\r\n\r\n");
    for _ in 0..requests {
        stream.write_all(request.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim().to_lowercase();
            if let Some(bytes) = line.strip_prefix("content-length:") {
                length = bytes.trim().parse().map_err(std::io::Error::other)?;
            }
            if line.is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length])?;
    }
    Ok(())
}

/// What callgrind says at its end: `Collected : 123456`.
fn collected(file: &Path) -> Result<f64, Failure> {
    let text = fs::read_to_string(file).map_err(|why| failed("callgrind's words", &why))?;
    let after = text
        .rsplit_once("Collected : ")
        .map(|(_before, after)| after);
    let number = after.and_then(|after| after.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| Failure::Unreadable {
        what: file.display().to_string(),
        why: "it does not say what was collected".into(),
    })
}

/// A program that ends with this.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, listens: SocketAddr) -> Result<Self, Failure> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let running = Self(child.map_err(|why| failed("a program", &why))?);
        let began = Instant::now();
        while TcpStream::connect(listens).is_err() {
            if began.elapsed() > STARTS_WITHIN {
                return Err(Failure::Guard(format!("nobody listens on {listens}")));
            }
            sleep(Duration::from_millis(50));
        }
        Ok(running)
    }

    /// Asks it to end in order, and waits.
    fn end(&mut self) -> Result<(), Failure> {
        let pid = self.0.id().to_string();
        crate::command::output(&mut crate::command::program("kill", &["-TERM", &pid]))?;
        self.0
            .wait()
            .map_err(|why| failed("the proxy's end", &why))?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A free port of this machine's.
fn free() -> Result<SocketAddr, Failure> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.map_err(|why| failed("a port", &why))
}

fn failed(what: &str, why: &std::io::Error) -> Failure {
    Failure::Unreadable {
        what: what.into(),
        why: why.to_string(),
    }
}
