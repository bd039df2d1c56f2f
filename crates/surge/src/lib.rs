//! A crowd of visitors, an origin that breaks like a real one, and what each
//! visitor saw at the socket.
//!
//! The crowd is open loop: people arrive whether or not the site answers. The
//! origin slows down as it is overrun, works on for people who have left, and
//! at last resets connections. Outcomes are read from raw sockets, so that a
//! reset is a reset and a cut-off page is no page. Nothing here knows how the
//! proxy under test works; it knows only what a browser could see.
#![forbid(unsafe_code)]

pub mod compare;
pub mod crowd;
pub mod demo;
pub mod origin;
pub mod report;
pub mod run;
pub mod scenario;
pub mod span;
pub mod tally;
pub mod view;

mod cookies;
mod dice;
mod ledger;
mod outcome;
mod place;
mod visitor;
mod waits;
mod wire;
mod words;
