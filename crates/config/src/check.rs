//! What was written becomes what can run; values that do not go together are
//! reported here.

mod bypass;
mod cache;
mod edge;
mod event;
mod operation;
mod origin;
mod quota;
mod room;
mod route;
mod site;
mod unused;

use crate::checked::Config;
use crate::raw::File;
use crate::read::{Place, Reader};

/// Checks the whole file. The result means nothing where a problem has been
/// reported: what is wrong is left out or stands at its default.
pub(crate) fn config(file: File, reader: &mut Reader<'_>) -> Config {
    let defined = unused::Defined::of(&file);
    let origins = origin::origins(file.origin, !file.route.value.is_empty(), reader);
    let quotas = quota::quotas(file.quota.value, reader);
    let pages = site::pages(&file.site.value, reader);
    let rooms = room::rooms(file.room.value, &pages, reader);
    let prefix = file.prefix.value.0;
    let targets = route::Targets {
        origins: origins.iter().map(|origin| origin.name.as_str()).collect(),
        quotas: quotas.iter().map(|quota| quota.name.as_str()).collect(),
        rooms: rooms.iter().map(|room| room.name.as_str()).collect(),
    };
    let routes = route::routes(&file.route, &targets, &prefix, reader);
    defined.warn(&routes, reader);
    let state = operation::state(file.state.value, reader);
    let admin = operation::admin(file.admin, &state, reader);
    Config {
        listeners: edge::listeners(&file.listener, admin.address, reader),
        runtime: edge::runtime(&file.runtime.value),
        limits: edge::limits(&file.limits.value, reader),
        client: edge::client(file.client.value, reader),
        origins,
        routes,
        quotas,
        rooms,
        site: pages.site,
        cache: cache::cache(&file.cache.value, reader),
        state,
        admin,
        log: operation::log(&file.log.value, reader),
        prefix,
    }
}

/// Reports `small` where its value is more than that of `large`.
fn in_order<T: PartialOrd>(
    (small, less): (&Place, T),
    (large, more): (&Place, T),
    reader: &mut Reader<'_>,
) {
    if less > more {
        let what = format!("is more than {}", large.key);
        reader
            .report
            .error(small, what, "lower it, or raise the other");
    }
}
