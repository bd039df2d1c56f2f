//! Free ports for one run: the rival's, its operator's, and the origin's servers'.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

use super::setting::Optimum;
use super::template::Names;

/// Ports that are tried. Below those that the system gives to outgoing connections:
/// one of the crowd's could otherwise take a port before the rival does.
const PORTS: Range<u16> = 12_000..30_000;

/// Where everybody of one run listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) listen: SocketAddr,
    pub(super) admin: SocketAddr,
    /// The first of the origin's servers; the others have the ports that follow.
    pub(super) origin: SocketAddr,
}

/// Gives out ports, each once until all have had their turn.
#[derive(Debug)]
pub(super) struct Ports {
    next: u16,
}

impl Ports {
    /// Begins somewhere that depends on the process, so that two at once rarely meet.
    pub(super) fn new() -> Self {
        let span = u32::from(PORTS.end - PORTS.start);
        let step = u16::try_from(std::process::id().wrapping_mul(61) % span).unwrap_or(0);
        Self {
            next: PORTS.start + step,
        }
    }

    /// Free places in front of an origin of `servers` servers.
    pub(super) fn places(&mut self, servers: u16) -> io::Result<Places> {
        Ok(Places {
            listen: self.free(1)?,
            admin: self.free(1)?,
            origin: self.free(servers.max(1))?,
        })
    }

    /// The first of `count` consecutive ports of 127.0.0.1 that nobody listens on.
    fn free(&mut self, count: u16) -> io::Result<SocketAddr> {
        for _try in PORTS {
            let first = self.next;
            let wanted = first..first.saturating_add(count);
            if wanted.end > PORTS.end {
                self.next = PORTS.start;
                continue;
            }
            let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
            if wanted.clone().all(free) {
                self.next = wanted.end;
                return Ok((Ipv4Addr::LOCALHOST, first).into());
            }
            self.next = first + 1;
        }
        Err(io::Error::from(io::ErrorKind::AddrNotAvailable))
    }
}

impl Places {
    /// What stands for the built-in names in front of an origin of `servers` servers.
    pub(super) fn names(&self, servers: u16, optimum: Optimum, work: &str) -> Names {
        let ports = (self.origin.port()..).take(servers.max(1).into());
        let servers: Vec<_> = ports
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .collect();
        let count = u32::try_from(servers.len()).unwrap_or(1);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let single = [
            ("LISTEN", self.listen.to_string()),
            ("PORT", self.listen.port().to_string()),
            ("ADMIN", self.admin.port().to_string()),
            ("ORIGIN", self.origin.to_string()),
            ("ORIGIN_PORT", self.origin.port().to_string()),
            ("LIMIT", optimum.limit.to_string()),
            ("LIMIT_EACH", optimum.limit.div_ceil(count).to_string()),
            ("RATE", optimum.rate.round().max(1.0).to_string()),
            ("CORES", cores.to_string()),
            ("WORK", work.to_owned()),
        ];
        Names {
            single: single.map(|(name, value)| (name.to_owned(), value)).into(),
            servers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::template::{BUILT_IN, fill};

    #[test]
    fn places_are_free_and_none_is_given_twice() {
        let mut ports = Ports::new();
        let (one, other) = (ports.places(3).unwrap(), ports.places(1).unwrap());
        let used = [one.listen, one.admin, one.origin].map(|place| place.port());
        assert!(used.iter().all(|port| PORTS.contains(port)), "{used:?}");
        let taken = one.origin.port()..one.origin.port() + 3;
        assert!(!taken.contains(&other.listen.port()));
        assert!(one.listen != other.listen && one.admin != other.admin);
    }

    #[test]
    fn every_built_in_name_stands_for_something() {
        let places = Places {
            listen: ([127, 0, 0, 1], 80).into(),
            admin: ([127, 0, 0, 1], 81).into(),
            origin: ([127, 0, 0, 1], 90).into(),
        };
        let optimum = Optimum {
            limit: 87,
            rate: 199.7,
        };
        let names = places.names(2, optimum, "/w");
        for name in BUILT_IN {
            let filled = fill(&format!("@{name}@"), &names);
            assert!(
                !filled.is_empty() && !filled.contains('@'),
                "{name}: {filled}"
            );
        }
        assert_eq!(fill("@LIMIT_EACH@ @RATE@", &names), "44 200");
    }
}
