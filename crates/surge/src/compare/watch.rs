//! What a program says of itself while it runs: asked twice a second, a line of JSON each.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, spawn};
use tokio::time::{Instant, interval, timeout};

/// Between two questions.
const EVERY: Duration = Duration::from_millis(500);
/// Bound of one question; what takes longer is left out.
const WITHIN: Duration = Duration::from_millis(400);
/// Bytes of one answer.
const ANSWER_MAX: u64 = 1 << 20;
/// Where the answers go, in the program's own folder.
const WATCHED: &str = "watched.jsonl";

/// Asks for as long as it is not dropped.
#[derive(Debug)]
pub(super) struct Watch(JoinHandle<io::Result<()>>);

impl Watch {
    /// Asks at `url`, such as `http://127.0.0.1:9901/api/status`; nothing where that is none.
    pub(super) fn start(url: &str, folder: &Path) -> Option<Self> {
        let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
        let (address, path) = (address.parse().ok()?, format!("/{path}"));
        let file = folder.join(WATCHED);
        Some(Self(spawn(watch(address, path, file))))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(address: SocketAddr, path: String, file: PathBuf) -> io::Result<()> {
    let mut file = File::create(file).await?;
    let began = Instant::now();
    let mut ticks = interval(EVERY);
    loop {
        ticks.tick().await;
        if let Ok(Ok(status)) = timeout(WITHIN, ask(address, &path)).await {
            let line = json!({ "second": began.elapsed().as_secs_f64(), "status": status });
            file.write_all(format!("{line}\n").as_bytes()).await?;
            file.flush().await?;
        }
    }
}

/// One question by HTTP/1.0, after whose answer the connection ends.
async fn ask(address: SocketAddr, path: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
    let body = memchr::memmem::find(&answer, b"\r\n\r\n").map_or(0, |end| end + 4);
    Ok(serde_json::from_slice(&answer[body..])?)
}
