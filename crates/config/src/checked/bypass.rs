//! Whom a room never holds.

use ipnet::IpNet;

use super::{PathPattern, Secret};

/// Whom a room never holds: whoever matches any of these. Empty: nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bypass {
    /// Networks of clients.
    pub addresses: Vec<IpNet>,
    /// Paths that never wait.
    pub paths: Vec<PathPattern>,
    /// Methods that never wait, in upper case.
    pub methods: Vec<String>,
    /// Header names in lower case, each with the value that lets in. None is one that HTTP or
    /// Forebay itself needs, no name stands twice, no value is empty.
    pub headers: Vec<(String, Secret)>,
}

impl Bypass {
    /// Whether nobody bypasses the room.
    pub const fn is_empty(&self) -> bool {
        self.addresses.is_empty()
            && self.paths.is_empty()
            && self.methods.is_empty()
            && self.headers.is_empty()
    }
}
