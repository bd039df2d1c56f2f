//! The path of a request: each layer once, in order. Read from the bottom up it is the way in.

use std::sync::Arc;

use forebay_layers::buffer::Buffer;
use forebay_layers::cache::Copies;
use forebay_layers::clock::Clock;
use forebay_layers::concurrency::Concurrency;
use forebay_layers::deadline::Deadline;
use forebay_layers::identity::Identity;
use forebay_layers::local::Local;
use forebay_layers::normalize::Normalize;
use forebay_layers::rate::Rate;
use forebay_layers::rescue::Rescue;
use forebay_layers::room::RoomLayer;
use forebay_layers::trace::{SharedPen, Trace};

use crate::upstream::{Pools, Upstream};

type BelowRoom = Copies<Buffer<Concurrency<Deadline<Upstream>>>>;
type BelowLocal = Rate<RoomLayer<BelowRoom>>;

/// All layers, outermost first.
pub type Stack = Trace<Rescue<Normalize<Identity<Local<BelowLocal>>>>>;

/// The onion of one worker. A clone costs two reference counts.
#[must_use]
pub fn stack(pools: Arc<Pools>, clock: Clock, pen: SharedPen) -> Stack {
    // The origin, and the connection to it.
    let service = Upstream::new(pools);
    // The answer's head in time.
    let service = Deadline::new(service);
    // A permit, or a short wait for one.
    let service = Concurrency::new(service, clock);
    // Small bodies before the permit.
    let service = Buffer::new(service);
    // A kept answer, where the route keeps any.
    let service = Copies::new(service, clock);
    // A place inside, or in line.
    let service = RoomLayer::new(service);
    // A quota for what goes on from here.
    let service = Rate::new(service);
    // What is answered from memory.
    let service = Local::new(service, clock);
    // Who asks.
    let service = Identity::new(service);
    // One meaning, and a route.
    let service = Normalize::new(service);
    // Refusals and panics become answers.
    let service = Rescue::new(service);
    // What will be said about it.
    Trace::new(service, clock, pen)
}
