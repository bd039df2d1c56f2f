//! Ports that no other test takes.
//!
//! A port that was free a moment ago may be taken by any outgoing connection
//! of another test, and another test process may pick the same one. So ports
//! come from below the ephemeral range, and a UDP socket on the same number is
//! kept until the process ends: it locks the number against other processes
//! and leaves the TCP port free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process;
use std::sync::Mutex;

const FIRST: u32 = 12_000;
const COUNT: u32 = 20_000;

static TAKEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// A TCP port of 127.0.0.1 that nobody listens on, this process's alone.
///
/// # Panics
/// When none of 20,000 is free.
#[track_caller]
#[must_use]
pub fn free_port() -> u16 {
    let start = process::id().wrapping_mul(7_919) % COUNT;
    for step in 0..COUNT {
        let Ok(port) = u16::try_from(FIRST + (start + step) % COUNT) else {
            continue;
        };
        let Ok(lock) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)) else {
            continue;
        };
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            TAKEN
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(lock);
            return port;
        }
    }
    panic!("no port is free between {FIRST} and {}", FIRST + COUNT)
}

/// 127.0.0.1 with a [`free_port`].
#[track_caller]
#[must_use]
pub fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_out_once_and_can_be_listened_on() {
        let (first, second) = (free_port(), free_port());
        assert_ne!(first, second);
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, first)).is_ok());
    }
}
