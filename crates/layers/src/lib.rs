//! The layers that a request passes on its way to the origin: tower middleware, one concept a
//! file, over one [`Exchange`](exchange::Exchange) in and one [`Answer`](exchange::Answer) out.
//!
//! Nothing here opens or closes a socket; only [`rescue`], [`room`] and [`local`] create
//! responses, and [`cache`] repeats those that an origin made. `forebay-proxy` says in which order the layers stand.
#![forbid(unsafe_code)]

pub mod asker;
pub mod body;
pub mod budget;
pub mod buffer;
pub mod bypass;
pub mod cache;
pub mod clock;
pub mod concurrency;
pub mod cookie;
pub mod cors;
pub mod deadline;
pub mod exchange;
pub mod gate;
pub mod hop;
pub mod identity;
pub mod keyring;
pub mod local;
pub mod normalize;
pub mod origin;
pub mod page;
pub mod permit_body;
pub mod rate;
pub mod request_id;
pub mod rescue;
pub mod room;
pub mod route;
pub mod server;
pub mod servers;
pub mod site;
pub mod trace;
