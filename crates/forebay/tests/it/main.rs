//! The program as people run it: real sockets, real origins, real signals.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod access_log;
mod admin;
mod browser;
mod check;
mod demo;
mod drain;
mod house;
mod nginx;
mod quota;
mod reload;
mod restart;
mod room;
