//! Kept answers: the bounds fit together, and a route that keeps some has GETs.

use crate::checked::{Cache, RouteCache};
use crate::raw;
use crate::read::{At, Reader};

/// How many of the largest answers have to fit: the cache is divided.
const OBJECTS_MIN: u64 = 8;

pub(super) fn cache(raw: &raw::Cache, reader: &mut Reader<'_>) -> Cache {
    let cache = Cache {
        size: raw.size.value.get(),
        object: raw.object.value.get(),
    };
    if cache.object.saturating_mul(OBJECTS_MIN) > cache.size {
        let what = format!("is less than eight times {}", raw.object.place.key);
        reader
            .report
            .error(&raw.size.place, what, "raise it, or lower the other");
    }
    cache
}

/// How a route for these methods keeps its answers.
pub(super) fn route(
    raw: Option<&At<raw::RouteCache>>,
    methods: Option<&[String]>,
    reader: &mut Reader<'_>,
) -> Option<RouteCache> {
    let At { place, value } = raw?;
    let never = |methods: &[String]| !methods.iter().any(|method| method == "GET");
    if methods.is_some_and(never) {
        let what = "keeps nothing: only answers to GET are kept";
        let write = "leave it out, or add \"GET\" to the route's methods";
        reader.report.warning(place, what, write);
    }
    Some(RouteCache {
        fresh: value.fresh.value.0.map(|fresh| fresh.0),
        stale: value.stale.value.0,
    })
}
