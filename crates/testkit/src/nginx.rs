//! nginx as a real origin, serving a real tree of pages.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::port::free_address;
use crate::program::Program;
use crate::{site, tool};

/// A running nginx; it stops when this is dropped.
pub struct Nginx {
    /// Where it listens.
    pub address: SocketAddr,
    /// The running program.
    pub program: Program,
    folder: TempDir,
}

impl Nginx {
    /// One that serves the tree of [`site`] and counts nothing: `/` with
    /// `ETag`, ranges and keep-alive as Debian's nginx has them; `/status`
    /// answers with its own connection counts.
    ///
    /// # Panics
    /// When nginx is missing, or does not start within ten seconds.
    #[track_caller]
    #[must_use]
    pub fn start() -> Self {
        Self::with("")
    }

    /// The same with more lines in its `server` block.
    ///
    /// # Panics
    /// As [`Nginx::start`].
    #[track_caller]
    #[must_use]
    pub fn with(lines: &str) -> Self {
        let nginx = tool::need("nginx");
        let address = free_address();
        let folder = match prepared(address, lines) {
            Ok(folder) => folder,
            Err(error) => panic!("no folder for nginx: {error}"),
        };
        let mut program = Program::start(Command::new(nginx).arg("-p").arg(folder.path()).args([
            "-c",
            "nginx.conf",
            "-e",
            "error.log",
        ]));
        program.wait_for_port(address, Duration::from_secs(10));
        Self {
            address,
            program,
            folder,
        }
    }

    /// The folder that holds `site/`, `access.log` and `error.log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The access log so far: `request line|status|request id|forwarded for` per line.
    #[must_use]
    pub fn access_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default()
    }
}

fn prepared(address: SocketAddr, lines: &str) -> std::io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    // nginx drops its privileges, and a temporary folder is for its owner only.
    open_to_all(folder.path())?;
    site::write(&folder.path().join("site"))?;
    fs::create_dir(folder.path().join("temp"))?;
    open_to_all(&folder.path().join("temp"))?;
    fs::write(folder.path().join("nginx.conf"), settings(address, lines))?;
    Ok(folder)
}

fn open_to_all(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))
}

/// One process, so that killing it leaves nothing behind.
fn settings(address: SocketAddr, lines: &str) -> String {
    format!(
        "daemon off;
master_process off;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 4096; }}
http {{
  types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; text/plain txt; }}
  default_type application/octet-stream;
  log_format seen '$request|$status|$http_x_request_id|$http_x_forwarded_for';
  access_log access.log seen;
  client_body_temp_path temp/body;
  proxy_temp_path temp/proxy;
  fastcgi_temp_path temp/fastcgi;
  uwsgi_temp_path temp/uwsgi;
  scgi_temp_path temp/scgi;
  client_max_body_size 64m;
  server {{
    listen {address} backlog=4096;
    root site;
    location = /status {{ stub_status; }}
    {lines}
  }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, exchange};

    fn get(address: SocketAddr, path: &str) -> crate::Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: site\r\n\r\n");
        exchange(address, request, &Options::one_answer()).answer()
    }

    #[test]
    fn nginx_serves_the_tree_and_writes_its_log() {
        let nginx = Nginx::with("location = /teapot { return 418; }");
        assert!(
            get(nginx.address, "/pages/3.html")
                .text()
                .contains("This is page 3")
        );
        assert_eq!(get(nginx.address, "/download.bin").body, site::download());
        assert_eq!(get(nginx.address, "/teapot").status, 418);
        crate::wait_until(Duration::from_secs(5), || {
            nginx.access_log().lines().count() == 3
        });
    }
}
