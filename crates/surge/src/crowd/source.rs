//! Which address a client has: its own, one of the loopback net, or one it only claims.

use std::net::{IpAddr, Ipv4Addr};

use super::settings::Sources;

/// One client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Whatever the system takes.
    Any,
    /// The socket is bound to it.
    Bound(IpAddr),
    /// Claimed in `X-Forwarded-For`.
    Forwarded(Ipv4Addr),
}

impl Source {
    /// The address of the client with this number in the whole crowd.
    pub(crate) const fn of(sources: Sources, number: u64) -> Self {
        match sources {
            Sources::Same => Self::Any,
            Sources::Loopback => Self::Bound(IpAddr::V4(own_address(number))),
            Sources::Forwarded {
                prefix: [first, second],
            } => {
                let [.., third, fourth] = number.to_be_bytes();
                Self::Forwarded(Ipv4Addr::new(first, second, third, fourth))
            }
        }
    }

    /// What the socket is to be bound to.
    pub(crate) const fn bound(self) -> Option<IpAddr> {
        match self {
            Self::Bound(address) => Some(address),
            Self::Any | Self::Forwarded(_) => None,
        }
    }
}

/// An address of the loopback net for the client with this number: four million of
/// them, away from those that servers use.
const fn own_address(number: u64) -> Ipv4Addr {
    let [.., high, middle, low] = (number % (1 << 22)).to_be_bytes();
    Ipv4Addr::new(127, 64 + high, middle, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_have_different_addresses_of_the_loopback_net() {
        let text = |number| own_address(number).to_string();
        assert_eq!(
            [text(0), text(1), text(256)],
            ["127.64.0.0", "127.64.0.1", "127.64.1.0"]
        );
        assert_eq!(text((1 << 22) - 1), "127.127.255.255");
    }

    #[test]
    fn a_claimed_address_lies_in_its_net_and_binds_nothing() {
        let prefix = [203, 0];
        let source = Source::of(Sources::Forwarded { prefix }, 65_536 + 258);
        assert_eq!(source, Source::Forwarded(Ipv4Addr::new(203, 0, 1, 2)));
        assert_eq!(source.bound(), None);
    }
}
