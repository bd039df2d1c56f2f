//! The admin interface: reads over an address, reads and writes over a socket that only its
//! owner may open (mode 0600). With a token the address takes writes too.

mod change;
mod draws;
mod invite;
mod keys;
mod revoke;
mod status;

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use forebay_config::Admin;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

use self::change::Peer;
use crate::live::{Live, StartError};

/// Connections that are served at the same time; more wait.
const CONNECTIONS_MAX: usize = 64;

/// How long a request's header may take.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest body of a change, in bytes.
const BODY_MAX: usize = 4_096;

/// The open sockets.
pub struct Interface {
    reads: Option<TcpListener>,
    writes: Option<(UnixListener, SocketFile)>,
}

/// The socket's file, removed at the end.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else may have removed it; there is nothing left to do then.
        _ = fs::remove_file(&self.0);
    }
}

impl Interface {
    /// Opens what the configuration names, inside a runtime.
    ///
    /// # Errors
    /// An address or path that cannot be listened on.
    pub fn open(config: &Admin) -> Result<Self, StartError> {
        let reads = config.address.map(listen).transpose()?;
        let writes = config.socket.as_deref().map(listen_unix).transpose()?;
        Ok(Self { reads, writes })
    }

    /// Where reads are served.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.reads.as_ref()?.local_addr().ok()
    }

    /// Serves until the runtime ends.
    pub async fn serve(self, live: Arc<Live>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let reads = async {
            let Some(listener) = &self.reads else {
                return std::future::pending().await;
            };
            loop {
                if let (Ok(place), Ok((socket, peer))) = (
                    Arc::clone(&places).acquire_owned().await,
                    listener.accept().await,
                ) {
                    let peer = Peer::Address(peer.ip().to_canonical());
                    let connection = connection(socket, Arc::clone(&live), peer);
                    tokio::spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
            }
        };
        let writes = async {
            let Some((listener, _file)) = &self.writes else {
                return std::future::pending().await;
            };
            loop {
                if let (Ok(place), Ok((socket, _))) = (
                    Arc::clone(&places).acquire_owned().await,
                    listener.accept().await,
                ) {
                    let peer = Peer::Socket(socket.peer_cred().ok());
                    let connection = connection(socket, Arc::clone(&live), peer);
                    tokio::spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
            }
        };
        let ((), ()) = tokio::join!(reads, writes);
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let failed = |source| StartError::Admin {
        at: address.to_string(),
        source,
    };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    TcpListener::from_std(listener).map_err(failed)
}

/// The state directory is locked by now, so a socket file that is there was left by a process
/// that is gone. It is bound under another name and moved, so that it never stands there with
/// wider rights.
fn listen_unix(path: &Path) -> Result<(UnixListener, SocketFile), StartError> {
    let failed = |source| StartError::Admin {
        at: path.display().to_string(),
        source,
    };
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&draft).map_err(failed)?;
    fs::set_permissions(&draft, Permissions::from_mode(0o600)).map_err(failed)?;
    fs::rename(&draft, path).map_err(failed)?;
    Ok((listener, SocketFile(path.to_owned())))
}

async fn connection<T>(socket: T, live: Arc<Live>, peer: Peer)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| {
        let live = Arc::clone(&live);
        async move { Ok::<_, Infallible>(answer(request, live, peer).await) }
    });
    // What goes wrong with an operator's connection, the operator sees.
    _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn answer(request: Request<Incoming>, live: Arc<Live>, peer: Peer) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::GET | &Method::HEAD, "/livez") => text(StatusCode::OK, "alive\n"),
        (&Method::GET | &Method::HEAD, "/readyz") => ready(&live),
        (&Method::GET | &Method::HEAD, "/metrics") => metrics(&live),
        (&Method::GET | &Method::HEAD, "/api/status") => json(StatusCode::OK, &status::of(&live)),
        (&Method::POST, _) if path.starts_with("/api/") => {
            let config = live.now().config;
            match peer.may_change(request.headers(), config.admin.token.as_ref()) {
                Ok(by) => write(request, live, by).await,
                Err(refused) => *refused,
            }
        }
        (&Method::GET | &Method::HEAD | &Method::POST, _) => nothing(),
        _ => {
            let mut refused = problem(StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD or POST");
            refused
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            refused
        }
    }
}

/// A change that somebody may ask for.
async fn write(request: Request<Incoming>, live: Arc<Live>, by: String) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    match head.uri.path() {
        "/api/reload" => reload(live, by).await,
        "/api/drain" => {
            live.drain(&by);
            json(StatusCode::OK, &serde_json::json!({ "draining": true }))
        }
        "/api/keys/rotate" => keys::rotate(body, live, by).await,
        path => match path.strip_prefix("/api/room/") {
            Some(room) => match room.strip_suffix("/invite") {
                Some(room) => invite::invite(room, body, &live, &by).await,
                None => change::change(room, body, &live, &by).await,
            },
            None => nothing(),
        },
    }
}

fn nothing() -> Response<Full<Bytes>> {
    problem(StatusCode::NOT_FOUND, "nothing stands here")
}

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", body.to_owned())
}

fn json(status: StatusCode, body: &impl serde::Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_string(body) {
        Ok(text) => respond(status, "application/json", text + "\n"),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// The body of a change, whole.
///
/// # Errors
/// The answer to one that is larger than [`BODY_MAX`], or is cut off.
async fn small(body: Incoming) -> Result<Bytes, Box<Response<Full<Bytes>>>> {
    let body = Limited::new(body, BODY_MAX).collect().await;
    body.map(Collected::to_bytes).map_err(|_| {
        let what = "what is wanted is a small JSON object";
        Box::new(problem(StatusCode::PAYLOAD_TOO_LARGE, what))
    })
}

fn problem(status: StatusCode, detail: &str) -> Response<Full<Bytes>> {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = serde_json::json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail,
    });
    let mut response = json(status, &body);
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Ready: serving, and not about to stop. A refused reload is said, but what runs is ready.
fn ready(live: &Live) -> Response<Full<Bytes>> {
    if live.is_draining() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match live.refused() {
        None => text(StatusCode::OK, "ready\n"),
        Some(problems) => text(
            StatusCode::OK,
            &format!("ready; the last reload was refused:\n{problems}\n"),
        ),
    }
}

fn metrics(live: &Live) -> Response<Full<Bytes>> {
    const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    respond(StatusCode::OK, KIND, live.metrics.encode())
}

async fn reload(live: Arc<Live>, by: String) -> Response<Full<Bytes>> {
    match tokio::task::spawn_blocking(move || live.reload(&by)).await {
        Ok(Ok(generation)) => json(
            StatusCode::OK,
            &serde_json::json!({ "generation": generation }),
        ),
        Ok(Err(problems)) => problem(StatusCode::UNPROCESSABLE_ENTITY, &problems),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the reload broke off"),
    }
}
