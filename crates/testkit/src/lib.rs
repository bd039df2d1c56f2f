//! What tests need to see and to steer: bytes on the wire, programs, origins.
//!
//! Everything blocks and runs on plain threads, so that a judge of an
//! asynchronous proxy shares none of its machinery. Every wait has an end, is
//! level-triggered, and fails the calling test with what was seen so far.
#![allow(
    clippy::panic,
    reason = "a helper fails the test that called it, with all it saw"
)]
#![allow(
    clippy::print_stderr,
    reason = "what a program printed is shown when its test fails"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests measure real time on real sockets"
)]

pub mod answer;
pub mod browser;
pub mod certificate;
pub mod nginx;
pub mod port;
pub mod program;
pub mod raw;
pub mod recorder;
pub mod site;
pub mod tool;
pub mod wait;
pub mod wire;

pub use answer::Answer;
pub use browser::{Browser, Person};
pub use port::free_port;
pub use program::Program;
pub use raw::Raw;
pub use recorder::{Gate, Recorder, Reply};
pub use wait::wait_until;
pub use wire::{End, Options, Seen, exchange};
