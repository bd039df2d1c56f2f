//! Who enters, who waits and who is turned away: Forebay's policy, and nothing else.
//!
//! Nothing here reads a clock, a socket, a file or a source of randomness: time, random ids,
//! counts and the MAC are arguments, so that every rule runs in virtual time and replays.
//! The shell (`layers`, `proxy`) carries out what is decided here.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

extern crate alloc;

pub mod balance;
pub mod credential;
mod digest;
pub mod draw;
pub mod estimate;
pub mod inlet;
pub mod ledger;
pub mod limit;
mod mix;
pub mod pass;
pub mod priority;
pub mod queue;
pub mod quota;
pub mod rate;
pub mod retry;
pub mod room;
pub mod rotation;
pub mod seal;
pub mod server;
pub mod ticket;
pub mod time;
pub mod verdict;
pub mod watermark;
