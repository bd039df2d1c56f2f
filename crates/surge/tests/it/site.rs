//! Small raw servers, and small raw clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How a connection ends after what has been written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Fin,
    Rst,
    Never,
}

/// A site that answers every first request of a connection as `answer` says for its
/// head, and ends the connection then.
pub(crate) async fn site<F>(answer: F) -> SocketAddr
where
    F: Fn(&str) -> (String, End) + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _peer)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&answer)));
        }
    });
    address
}

async fn serve<F: Fn(&str) -> (String, End)>(mut stream: TcpStream, answer: Arc<F>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let (text, end) = answer(&String::from_utf8_lossy(&head));
    if stream.write_all(text.as_bytes()).await.is_err() {
        return;
    }
    match end {
        End::Fin => {}
        End::Rst => stream.set_zero_linger().unwrap(),
        End::Never => std::future::pending().await,
    }
}

/// An answer with its length, and with further fields, each with its line end.
pub(crate) fn whole(status: u16, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

/// Asks once on a connection of its own and reads to the end of the stream.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, rest: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{rest}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Looks again and again until `condition` holds, at most a minute.
pub(crate) async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    for _look in 0..6_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within a minute");
}
