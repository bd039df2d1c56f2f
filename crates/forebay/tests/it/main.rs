//! The program as people run it: real sockets, real origins, real signals.
#![allow(
    clippy::panic,
    reason = "a helper fails the test that called it, with all it saw"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests measure real time on real sockets"
)]

mod access_log;
mod admin;
mod attack;
mod browser;
mod bypass;
mod cache;
mod check;
mod crowd;
mod demo;
mod drain;
mod event;
mod held;
mod house;
mod invited;
mod keys;
mod maintenance;
mod nginx;
mod pages;
mod programs;
mod quota;
mod reload;
mod restart;
mod returned;
mod revoked;
mod room;
mod sharing;
mod turn;
mod wire;
