//! The judge, the origin and the crowd on real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers fail the test that calls them; clippy knows only the test functions"
)]

mod command;
mod compare;
mod crowd;
mod demo;
mod judge;
mod judge_attackers;
mod judge_flaky;
mod judge_tls;
mod origin;
mod report;
mod scenario;
mod site;
