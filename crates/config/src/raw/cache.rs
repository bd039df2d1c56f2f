//! `[cache]`, and `cache` of a `[[route]]`.

use crate::read::{Auto, Bytes, Or, Period, Wait, table};

table! {
    /// Kept answers, of the routes that ask for it.
    Cache, later [], {
        /// All copies together.
        size: Bytes<{ 1 << 20 }, { 1 << 40 }> = "'64MiB'",
        /// The largest answer that is kept.
        object: Bytes<1, { 1 << 30 }> = "'1MiB'",
    }
}

table! {
    /// Whether answers to GETs without cookies are kept for everybody.
    RouteCache, later [], {
        /// How long an answer is fresh where the origin does not say. "auto":
        /// only what the origin calls fresh is kept.
        fresh: Or<Auto, Period> = "'auto'",
        /// How long after that a copy is served while the origin is overrun,
        /// down or failing, unless the answer forbids it.
        stale: Wait = "'10m'",
    }
}
