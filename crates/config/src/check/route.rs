//! Routes: names become indexes, and what can never match is pointed out.

use super::cache;
use crate::checked::{HostPattern, PathPattern, Route};
use crate::raw;
use crate::read::{At, NoneWord, Or, Place, Reader, read_default};

/// The names that a route may use, each at its index.
pub(super) struct Targets<'a> {
    pub(super) origins: Vec<&'a str>,
    pub(super) quotas: Vec<&'a str>,
    pub(super) rooms: Vec<&'a str>,
}

impl Targets<'_> {
    fn origin(&self, route: &At<raw::Route>, reader: &mut Reader<'_>) -> usize {
        if let Some(At { place, value }) = &route.value.origin {
            return index(place, value, "origin", &self.origins, reader);
        }
        let place = route.place.child("origin", route.place.span.clone());
        if self.origins.len() > 1 && !reader.report.mentions(&place.key) {
            let what = "is missing, and there are several";
            reader.report.error(&place, what, one_of(&self.origins));
        }
        0
    }

    fn room(&self, name: &At<Or<NoneWord, String>>, reader: &mut Reader<'_>) -> Option<usize> {
        let room = name.value.0.as_ref()?;
        Some(index(&name.place, room, "room", &self.rooms, reader))
    }

    fn quota(&self, name: &At<Or<NoneWord, String>>, reader: &mut Reader<'_>) -> Option<usize> {
        let quota = name.value.0.as_ref()?;
        Some(index(&name.place, quota, "quota", &self.quotas, reader))
    }
}

/// Where `name` is in `names`. It is not repeated in messages: it may come from
/// outside the file.
fn index(place: &Place, name: &str, kind: &str, names: &[&str], reader: &mut Reader<'_>) -> usize {
    names
        .iter()
        .position(|&other| other == name)
        .unwrap_or_else(|| {
            let what = format!("names no {kind} of this file");
            reader.report.error(place, what, one_of(names));
            0
        })
}

fn one_of(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    match names.as_slice() {
        [] => "define one first".to_owned(),
        _ => format!("write {}", names.join(" or ")),
    }
}

pub(super) fn routes(
    raw: &At<Vec<At<raw::Route>>>,
    targets: &Targets<'_>,
    prefix: &str,
    reader: &mut Reader<'_>,
) -> Vec<Route> {
    if raw.value.is_empty() {
        return implied(raw, targets, reader);
    }
    let mut list: Vec<Route> = Vec::new();
    let mut sound: Vec<usize> = Vec::new();
    for (number, raw) in raw.value.iter().enumerate() {
        let route = route(raw, targets, reader);
        // Where a host or path is wrong, nobody knows what the route matches.
        if !reader.report.mentions(&raw.place.key) {
            let mut earlier = sound.iter().map(|&number: &usize| &list[number]);
            let cause = never(&route, &mut earlier, prefix);
            if let Some((what, write)) = cause {
                reader.report.warning(&raw.place, what, write);
            }
            sound.push(number);
        }
        list.push(route);
    }
    list
}

/// Why no request ever gets to `route`, and what helps.
fn never<'r>(
    route: &Route,
    earlier: &mut impl Iterator<Item = &'r Route>,
    prefix: &str,
) -> Option<(String, &'static str)> {
    if let Some(earlier) = earlier.find(|earlier| covers(earlier, route)) {
        let what = format!("never matches: the earlier {:?} takes it all", earlier.name);
        return Some((what, "put it above that one"));
    }
    below(route, prefix).then(|| {
        let what = format!("never matches: Forebay answers below {prefix} itself");
        (what, "leave it out, or change prefix")
    })
}

/// Everything to the first origin, which is the only one, through `main`.
fn implied(
    raw: &At<Vec<At<raw::Route>>>,
    targets: &Targets<'_>,
    reader: &mut Reader<'_>,
) -> Vec<Route> {
    let place = raw.place.element(0, raw.place.span.clone());
    let mut value: raw::Route = read_default(&place, "{}", reader);
    let first = targets.origins.first().map(|&name| name.to_owned());
    value.origin = first.map(|value| At {
        place: place.clone(),
        value,
    });
    vec![route(&At { place, value }, targets, reader)]
}

fn route(raw: &At<raw::Route>, targets: &Targets<'_>, reader: &mut Reader<'_>) -> Route {
    let value = &raw.value;
    let methods = value.methods.as_ref().map(|methods| {
        if methods.value.is_empty() {
            let what = "is empty, so that the route never matches";
            reader
                .report
                .error(&methods.place, what, "leave the key out for all methods");
        }
        methods
            .value
            .iter()
            .map(|method| method.value.0.clone())
            .collect()
    });
    let methods: Option<Vec<String>> = methods;
    let cache = cache::route(value.cache.as_ref(), methods.as_deref(), reader);
    let host = value.host.as_ref().map(|host| host.value.clone());
    let path = value.path.as_ref().map(|path| path.value.clone());
    Route {
        name: label(host.as_ref(), path.as_ref()),
        host,
        path,
        methods,
        origin: targets.origin(raw, reader),
        room: targets.room(&value.room, reader),
        quota: targets.quota(&value.quota, reader),
        priority: value.priority.value,
        cache,
    }
}

fn label(host: Option<&HostPattern>, path: Option<&PathPattern>) -> String {
    let host = match host {
        Some(HostPattern::Exact(name)) => name.clone(),
        Some(HostPattern::Below(suffix)) => format!("*{suffix}"),
        None => String::new(),
    };
    match path {
        Some(PathPattern::Exact(path)) => host + path,
        Some(PathPattern::Below(path)) => host + path + "/*",
        None if host.is_empty() => "*".to_owned(),
        None => host,
    }
}

/// Whether every request that `later` matches is taken by `earlier`.
fn covers(earlier: &Route, later: &Route) -> bool {
    let host = match (&earlier.host, &later.host) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(earlier), Some(HostPattern::Exact(later))) => earlier.matches(later),
        (Some(HostPattern::Below(earlier)), Some(HostPattern::Below(later))) => {
            later.ends_with(earlier.as_str())
        }
        (Some(HostPattern::Exact(_)), Some(HostPattern::Below(_))) => false,
    };
    let path = match (&earlier.path, &later.path) {
        (None, _) => true,
        (Some(PathPattern::Below(prefix)), None) => prefix.is_empty(),
        (Some(PathPattern::Exact(_)), None | Some(PathPattern::Below(_))) => false,
        (Some(earlier), Some(PathPattern::Exact(later) | PathPattern::Below(later))) => {
            earlier.matches(later) || matches!(earlier, PathPattern::Below(all) if all.is_empty())
        }
    };
    let methods = match (&earlier.methods, &later.methods) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(earlier), Some(later)) => later.iter().all(|method| earlier.contains(method)),
    };
    host && path && methods
}

/// Whether all the route's paths lie below `prefix`.
fn below(route: &Route, prefix: &str) -> bool {
    let own = PathPattern::Below(prefix.to_owned());
    match &route.path {
        Some(PathPattern::Exact(path) | PathPattern::Below(path)) => own.matches(path),
        None => false,
    }
}
