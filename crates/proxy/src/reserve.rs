//! The short answer for whom there is no connection left: written by hand from the reserve of
//! descriptors, then the lingering close. Nobody is refused by closing.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long a request's header is waited for before the answer is given all the same.
const HEADER_WAIT: Duration = Duration::from_secs(2);

/// Bytes of a request that are read before the answer.
const HEADER_MAX: usize = 16_384;

const BODY: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>One moment</title>\
<h1>One moment, please</h1><p>Very many people are visiting at the moment. Please reload this \
page in a few seconds. Whoever has a place in line keeps it.</p><h1 lang=\"fr\">Un instant, s’il \
vous plaît</h1><p lang=\"fr\">Un très grand nombre de personnes visitent le site en ce moment. \
Veuillez recharger cette page dans quelques secondes. Les places dans la file sont conservées.</p>\n";

/// Answers one request and ends.
pub(crate) async fn answer<T>(mut io: T)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    // Whether the header came in time or not, the answer is the same.
    _ = timeout(HEADER_WAIT, read_header(&mut io)).await;
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html; charset=utf-8\r\n\
         cache-control: no-store\r\nretry-after: 5\r\nproxy-status: forebay; \
         error=connection_limit_reached; details=\"connections_full\"\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len(),
    );
    // A client that is gone needs no answer.
    if io.write_all(head.as_bytes()).await.is_ok() {
        _ = io.shutdown().await;
    }
}

async fn read_header<T: AsyncRead + Unpin>(io: &mut T) {
    let mut seen = Vec::with_capacity(1_024);
    while seen.len() < HEADER_MAX && !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        match io.read_buf(&mut seen).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
