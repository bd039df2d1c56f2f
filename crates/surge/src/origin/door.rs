//! One server's door: it listens, accepts as long as there is room, and is shut while
//! the server is dead.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::condition::Condition;
use super::connection;
use super::peak::alive;
use super::portal::Portal;
use super::socket::{Reset, reset};

/// Connections that the kernel holds until they are accepted, as far as it allows.
const KERNEL_BACKLOG: u32 = 4096;

/// Pause after a failed accept: descriptors have run out and must be given time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A server's address, open or shut.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    /// Never listens: it keeps the port while the door is shut, so that connections
    /// are refused and nobody else can take it.
    _keeper: TcpSocket,
    listener: TcpListener,
}

impl Door {
    /// Binds and listens.
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let keeper = bound(address)?;
        let address = keeper.local_addr()?;
        Ok(Self {
            address,
            listener: listen(address)?,
            _keeper: keeper,
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves whoever connects to `server`, until the task is aborted.
    pub(super) async fn serve(self, server: usize, portal: Arc<Portal>) {
        let mut condition = portal.machine.watch();
        let servers = portal.machine.settings().servers;
        let is_alive = |condition: &Condition| {
            !condition.down && alive(servers, condition.dead).nth(server) > Some(0.0)
        };
        let mut listener = Some(self.listener);
        loop {
            if let Some(listener) = listener.take() {
                let open = Open {
                    server,
                    portal: &portal,
                    died: Reset::default(),
                    connections: JoinSet::new(),
                };
                open.accept(listener, &mut condition, is_alive).await;
            }
            if condition.wait_for(is_alive).await.is_err() {
                return;
            }
            match listen(self.address) {
                Ok(again) => listener = Some(again),
                Err(_out_of_descriptors) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    bound(address)?.listen(KERNEL_BACKLOG)
}

/// The door while it is open.
struct Open<'a> {
    server: usize,
    portal: &'a Arc<Portal>,
    /// Set when the server dies: whatever is open then ends by a reset.
    died: Reset,
    connections: JoinSet<()>,
}

impl Open<'_> {
    /// Lets people in until the server dies.
    async fn accept(
        mut self,
        listener: TcpListener,
        condition: &mut watch::Receiver<Condition>,
        is_alive: impl Fn(&Condition) -> bool,
    ) {
        loop {
            let (alive, silent) = {
                let now = condition.borrow_and_update();
                (is_alive(&now), now.silent)
            };
            if !alive {
                break;
            }
            tokio::select! {
                changed = condition.changed() => if changed.is_err() {
                    break;
                },
                accepted = listener.accept(), if !silent => match accepted {
                    Ok((stream, _peer)) => self.let_in(stream),
                    Err(_out_of_descriptors) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_ended) = self.connections.join_next() => {}
            }
        }
        drop(listener);
        self.died.request();
        self.connections.shutdown().await;
    }

    fn let_in(&mut self, stream: TcpStream) {
        let machine = &self.portal.machine;
        let room = machine.settings().connections_max > self.connections.len();
        if !room || machine.is_full(self.server) {
            self.portal.count_reset();
            reset(&stream);
            return;
        }
        let portal = Arc::clone(self.portal);
        let died = self.died.clone();
        self.connections
            .spawn(connection::serve(stream, self.server, portal, died));
    }
}
