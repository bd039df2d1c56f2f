//! The async shell: sockets, connections, clocks, and the order of the layers.
//!
//! Only [`accept`], [`connection`] and [`linger`] close clients' sockets, and none of them by a
//! reset. No decision is taken here: `forebay-admission` takes them, `forebay-layers` asks.

pub mod accept;
pub mod admin;
pub mod assembly;
mod audit;
pub mod connection;
pub mod descriptors;
pub mod linger;
pub mod listener;
pub mod live;
mod probe;
pub mod process;
mod processor;
mod random;
mod reserve;
mod shadow;
mod side;
pub mod stack;
pub mod tls;
pub mod upstream;
pub mod worker;
