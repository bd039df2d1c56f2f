//! Fuzz targets for what a stranger may send: credentials, tickets with a right MAC and wild
//! fields, the cookie header, the status query; and a room's saved state.
//!
//! A target is a function from bytes to a shape: it panics when a promise is broken, and names
//! what kind of input it saw, so that inputs of a new kind are kept and changed further. That
//! stands in for coverage, which needs an unstable compiler. The same functions can be driven by
//! any other fuzzer.
#![forbid(unsafe_code)]

pub mod change;
pub mod search;
pub mod targets;

pub use search::{Found, search};
pub use targets::{Shape, TARGETS, Target};
