//! Checked values in the terms of the layers, one function a table.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use forebay_admission::draw::Seed;
use forebay_admission::limit::Bounds;
use forebay_admission::pass::PassRules;
use forebay_admission::priority;
use forebay_admission::queue;
use forebay_admission::quota::Allowance;
use forebay_admission::rate::Rate;
use forebay_admission::retry::RetryRules;
use forebay_admission::room::{Event, InletRule, Mode, Order, Settings};
use forebay_admission::time::WallTime;
use forebay_config as config;
use forebay_layers::bypass::{Bypass, Secret};
use forebay_layers::cache::{CacheRules, CacheSize};
use forebay_layers::gate::{GateRules, LimitRule};
use forebay_layers::keyring::Keyring;
use forebay_layers::origin::OriginRules;
use forebay_layers::page::{Language, PageSettings, Template};
use forebay_layers::room::DeskRules;
use forebay_layers::route::{HostPattern, PathPattern, Pattern};
use forebay_layers::servers::ServersRules;
use forebay_layers::site::{Forwarded, Per};
use http::{HeaderName, HeaderValue, Method};

pub(crate) fn mode(mode: config::RoomMode) -> Mode {
    match mode {
        config::RoomMode::Auto => Mode::Auto,
        config::RoomMode::Hold => Mode::Hold,
        config::RoomMode::QueueAll => Mode::QueueAll,
        config::RoomMode::Maintenance => Mode::Maintenance,
        config::RoomMode::Off => Mode::Off,
    }
}

fn rate(rate: config::Rate) -> Rate {
    Rate::new(rate.count, rate.per).expect("config refuses a rate of zero or over no time")
}

const fn pass(room: &config::Room) -> PassRules {
    PassRules {
        idle: room.pass.idle,
        lifetime: room.pass.lifetime,
        form_grace: room.pass.form_grace,
    }
}

/// A room's settings, without its next event: which one that is depends on the time.
pub(super) fn room(room: &config::Room, ring: &Keyring) -> Settings {
    Settings {
        mode: mode(room.mode),
        inlet: inlet(room.inlet),
        order: match room.order {
            config::RoomOrder::Arrival => Order::Arrival,
            config::RoomOrder::Lottery => Order::Lottery(seed(ring, room, "lottery")),
        },
        event: None,
        active: room.active,
        invite_milli: room.invite.per_thousand,
        keep: room.ticket.keep,
        call: room.ticket.call,
        pass: pass(room),
        poll_min: room.poll.min,
        poll_max: room.poll.max,
        poll_budget: per_second(room.poll.budget),
    }
}

/// A room's events by time. All nodes with the same keys draw alike.
pub(super) fn events(room: &config::Room, ring: &Keyring) -> Vec<Event> {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs()
    };
    room.events
        .iter()
        .map(|event| {
            let opens = seconds(event.opens);
            Event {
                opens: WallTime::from_millis(opens * 1_000),
                prequeue: event.prequeue,
                per_client: event.per_client,
                seed: seed(ring, room, &format!("event {opens}")),
            }
        })
        .collect()
}

fn seed(ring: &Keyring, room: &config::Room, what: &str) -> Seed {
    let purpose = format!("forebay draw\0{}\0{what}", room.name);
    Seed::new(ring.derive(purpose.as_bytes()))
}

fn per_second(rate: config::Rate) -> u32 {
    let millis = u64::try_from(rate.per.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    u32::try_from(u64::from(rate.count) * 1_000 / millis)
        .unwrap_or(u32::MAX)
        .max(1)
}

pub(super) fn desk_rules(configured: &config::Room) -> DeskRules {
    DeskRules {
        pass: pass(configured),
        keep: configured.ticket.keep,
        status: configured.status,
        held: configured.poll.held,
    }
}

pub(super) fn gate(origin: &config::Origin) -> GateRules {
    let limit = match origin.limit {
        config::Limit::Fixed(limit) => LimitRule::Fixed(limit.get()),
        config::Limit::Adaptive { min, max } => LimitRule::Adaptive(Bounds {
            min: min.get(),
            max: max.get(),
        }),
    };
    let queue = &origin.queue;
    GateRules {
        limit,
        queue: queue::Settings {
            length: queue.length.and_then(NonZeroUsize::new),
            submit: queue.submit,
            visitor: queue.visitor,
            stranger: queue.stranger,
        },
        abort_grace: origin.abort_grace,
    }
}

pub(super) fn origin(origin: &config::Origin) -> OriginRules {
    OriginRules {
        connect_timeout: origin.connect_timeout,
        response_timeout: origin.response_timeout,
        keep_alive: origin.keep_alive,
        host: match &origin.host {
            config::HostHeader::Preserve => None,
            config::HostHeader::Fixed(name) => HeaderValue::from_str(name).ok(),
        },
        hint: origin
            .hint
            .as_deref()
            .and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok()),
    }
}

pub(super) fn servers(origin: &config::Origin) -> ServersRules {
    ServersRules {
        retry: RetryRules {
            attempts: origin.retry.attempts,
            per_thousand: origin.retry.per_thousand,
        },
        probed: origin.health.is_some(),
    }
}

pub(super) fn allowance(quota: &config::Quota) -> Allowance {
    Allowance {
        rate: rate(quota.rate),
        burst: quota.burst,
    }
}

pub(super) const fn per(per: config::Per) -> Per {
    match per {
        config::Per::Client => Per::Client,
        config::Per::Pass => Per::Pass,
        config::Per::Route => Per::Route,
    }
}

pub(super) const fn priority(priority: config::RoutePriority) -> priority::RoutePriority {
    match priority {
        config::RoutePriority::High => priority::RoutePriority::High,
        config::RoutePriority::Normal => priority::RoutePriority::Normal,
        config::RoutePriority::Low => priority::RoutePriority::Low,
    }
}

pub(super) const fn forwarded(forwarded: config::Forwarded) -> Forwarded {
    match forwarded {
        config::Forwarded::XForwardedFor => Forwarded::XForwardedFor,
        config::Forwarded::Forwarded => Forwarded::Standard,
        config::Forwarded::None => Forwarded::None,
    }
}

pub(super) fn pattern(route: &config::Route) -> Pattern {
    Pattern {
        host: route.host.as_ref().map(|host| match host {
            config::HostPattern::Exact(name) => HostPattern::Exact(name.clone()),
            config::HostPattern::Below(suffix) => HostPattern::Subdomains(suffix.clone()),
        }),
        path: route.path.as_ref().map(path),
        methods: route.methods.as_deref().map(methods),
    }
}

fn path(path: &config::PathPattern) -> PathPattern {
    match path {
        config::PathPattern::Exact(exact) => PathPattern::Exact(exact.clone()),
        config::PathPattern::Below(prefix) => PathPattern::Below(prefix.clone()),
    }
}

fn methods(names: &[String]) -> Vec<Method> {
    names
        .iter()
        .filter_map(|name| Method::from_bytes(name.as_bytes()).ok())
        .collect()
}

/// Whom the room never holds; `None` where it holds everybody.
pub(super) fn bypass(room: &config::Room) -> Option<Arc<Bypass>> {
    let rules = &room.bypass;
    let header = |(name, secret): &(String, config::Secret)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, Secret::new(secret.expose())))
    };
    (!rules.is_empty()).then(|| {
        Arc::new(Bypass {
            addresses: rules.addresses.clone(),
            paths: rules.paths.iter().map(path).collect(),
            methods: methods(&rules.methods),
            headers: rules.headers.iter().filter_map(header).collect(),
        })
    })
}

pub(crate) fn inlet(inlet: config::Inlet) -> InletRule {
    match inlet {
        config::Inlet::Auto => InletRule::Auto,
        config::Inlet::Shadow => InletRule::Shadow,
        config::Inlet::Rate(limit) => InletRule::Rate(rate(limit)),
    }
}

/// The pages that belong to no room.
pub(crate) fn site_pages(config: &config::Config) -> PageSettings {
    pages(config, config.site.page.as_ref(), &config.site.languages)
}

/// A room's pages.
pub(crate) fn room_pages(config: &config::Config, room: &config::Room) -> PageSettings {
    pages(config, room.page.as_ref(), &room.languages)
}

fn pages(
    config: &config::Config,
    template: Option<&config::Template>,
    languages: &[config::Language],
) -> PageSettings {
    let language = |language: &config::Language| Language {
        tag: language.tag.clone(),
        texts: language.texts.clone(),
    };
    PageSettings {
        site_name: config.site.name.clone(),
        prefix: config.prefix.clone(),
        languages: languages.iter().map(language).collect(),
        contact: config.site.contact.clone(),
        template: template.map(|template| Template {
            name: template.path.display().to_string(),
            text: template.text.clone(),
        }),
    }
}

/// The headers of all secrets, each once.
pub(super) fn hidden<'a>(rules: impl Iterator<Item = &'a Arc<Bypass>>) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = rules
        .flat_map(|bypass| bypass.headers.iter().map(|(name, _)| name.clone()))
        .collect();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    names
}

pub(super) fn cache_rules(cache: config::RouteCache) -> CacheRules {
    CacheRules {
        fresh: cache.fresh,
        stale: cache.stale,
    }
}

pub(super) fn cache_size(cache: config::Cache) -> CacheSize {
    CacheSize {
        all: cache.size,
        object: cache.object,
    }
}
