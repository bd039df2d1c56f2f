//! The wire: what clients and origins see of the proxy, byte by byte, and how connections end.

mod bodies;
mod connections;
mod corpora;
mod deadlines;
mod framing;
mod front;
mod permits;
mod servers;
mod servers_health;
mod servers_retry;
mod tls;
mod upgrade;
