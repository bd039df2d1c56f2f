//! The budget of file descriptors: what the proxy needs for the origin and for itself is set
//! aside before any client gets one, because a proxy that cannot dial its origin answers with
//! errors, and one that cannot accept does not answer at all.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors set aside for listeners, logs, state, admin, resolving, and the short answers.
pub const OWN: usize = 256;

/// Of [`OWN`], so many connections over the bound are answered at the same time.
pub const RESERVE: usize = 128;

/// Raises the soft limit to the hard one, and says how many descriptors there are.
#[must_use]
pub fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let all = Rlimit {
            current: maximum,
            maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, all) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
    let Rlimit { current, .. } = getrlimit(Resource::Nofile);
    current.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

/// How many clients may be connected: what was asked for, or what is left of `descriptors` when
/// each of `permits` may need two (a connection in use, and one being opened).
#[must_use]
pub fn connections(asked: usize, descriptors: usize, permits: usize) -> usize {
    let left = descriptors.saturating_sub(2 * permits).saturating_sub(OWN);
    asked.min(left).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_what_the_origin_and_we_leave() {
        let cases = [
            (15_000, 20_000, 64, 15_000),
            (15_000, 1_024, 64, 640),
            (100, usize::MAX, 64, 100),
            (100, 10, 64, 1),
        ];
        for (asked, descriptors, permits, expected) in cases {
            assert_eq!(connections(asked, descriptors, permits), expected);
        }
    }
}
