//! What a file comes to.

use std::collections::BTreeMap;
use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use forebay_config::{
    Access, Admin, Bypass, Cache, Client, Config, Event, Forwarded, Health, HostHeader,
    HostPattern, Inlet, Invite, Language, Level, Limit, Limits, Linger, Listener, ListenerTls, Log,
    LogTarget, Origin, Pass, PathPattern, Per, Poll, Queue, Quota, Rate, Retry, Room, RoomMode,
    RoomOrder, Route, RouteCache, RoutePriority, Runtime, Secret, Server, Site, State, Template,
    Ticket,
};

use super::{config, parse_in, with};

/// Every key, none at its default, no value twice where two could be mixed up.
const FULL: &str = r#"
prefix = "/.forebay"
[[listener]]
address = "[::1]:8443"
tls = { certificate = "portal.pem", key = "portal.key" }
[runtime]
workers = 3
[limits]
connections = 101
streams = 102
header_size = "2KiB"
headers = 103
header_timeout = "104s"
body_size = "105B"
body_buffer = "106B"
body_buffers = "107B"
body_rate_min = "108B/s"
idle_timeout = "109s"
linger = { idle = "110s", total = "111s", size = "112B", sockets = 113 }
backlog = 114
drain = "115s"
[client]
trusted_proxies = ["10.0.0.0/8", "fd00::1"]
forwarded = "forwarded"
ipv4_prefix = 24
ipv6_prefix = 56
[origin.portal]
servers = [{ url = "http://[::1]:3000", weight = 3 }, { env = "SERVER" }]
connect_timeout = "201s"
response_timeout = "202s"
keep_alive = "203s"
host = "www.example:8080"
connections = 204
limit = { mode = "fixed", concurrency = 205 }
queue = { length = 206, submit = "207s", visitor = "208s", stranger = "209s" }
abort_grace = "210s"
hint = "X-Capacity"
health = { path = "/up?deep", interval = "211s" }
retry = { attempts = 0, budget = "2.5%" }
[[route]]
host = "*.Apply.example"
path = "/apply/*"
methods = ["GET", "POST"]
origin = "portal"
room = "apply"
quota = "own"
priority = "high"
cache = { fresh = "501s", stale = "502s" }
[[route]]
path = "/static"
room = "none"
quota = "none"
priority = "low"
[quota.own]
per = "route"
rate = "301/min"
burst = 302
entries = 303
[room.apply]
mode = "queue-all"
inlet = "0.1/s"
active = 401
order = "lottery"
event = [{ opens = 2096-12-01T09:00:00-05:00, prequeue = "411s", per_client = 412 }]
pass = { idle = "402s", lifetime = "403s", form_grace = "404s" }
ticket = { call = "405s", keep = "406s" }
poll = { min = "2s", max = "200s", budget = "409/s", held = 410 }
invite = { share = "40.7%" }
status = 429
page = "room.html"
languages = ["fr"]
[room.apply.bypass]
addresses = ["192.0.2.0/24"]
paths = ["/robots.txt", "/static/*"]
methods = ["OPTIONS"]
headers = { X-Monitor = "sixteen is enough" }
[site]
name = "The office"
contact = "+1 555 0100"
page = "site.html"
texts = "."
languages = ["de"]
[cache]
size = "2MiB"
object = "503B"
[state]
store = "embedded"
directory = "elsewhere"
keys = [{ file = "ticket.key" }, "abcdefghijklmnopqrstuvwxyz012345"]
rotate = "410h"
[admin]
address = "127.0.0.1:411"
socket = "own.sock"
token = "abcdefghijklmnop"
[log]
access = { format = "json", to = "access.log" }
level = "debug"
"#;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn many(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("the tests' counts are above zero")
}

fn rate(count: u32, per: u64) -> Rate {
    Rate {
        count,
        per: seconds(per),
    }
}

fn limits() -> Limits {
    let linger = Linger {
        idle: seconds(110),
        total: seconds(111),
        size: 112,
        sockets: 113,
    };
    Limits {
        connections: 101,
        streams: 102,
        header_size: 2048,
        headers: 103,
        header_timeout: seconds(104),
        body_size: 105,
        body_buffer: 106,
        body_buffers: 107,
        body_rate_min: 108,
        idle_timeout: seconds(109),
        linger,
        backlog: 114,
        drain: seconds(115),
    }
}

fn origin() -> Origin {
    let server = |host: &str, port, weight| Server {
        host: host.to_owned(),
        port,
        weight,
    };
    Origin {
        name: "portal".to_owned(),
        servers: vec![
            server("::1", 3000, many(3)),
            server("from.env", 80, NonZeroU32::MIN),
        ],
        connect_timeout: seconds(201),
        response_timeout: seconds(202),
        keep_alive: seconds(203),
        host: HostHeader::Fixed("www.example:8080".to_owned()),
        connections: 204,
        limit: Limit::Fixed(many(205)),
        queue: Queue {
            length: Some(206),
            submit: seconds(207),
            visitor: seconds(208),
            stranger: Some(seconds(209)),
        },
        abort_grace: Some(seconds(210)),
        hint: Some("x-capacity".to_owned()),
        health: Some(Health {
            path: "/up?deep".to_owned(),
            interval: seconds(211),
        }),
        retry: Retry {
            attempts: 0,
            per_thousand: 25,
        },
    }
}

fn routes() -> Vec<Route> {
    let apply = Route {
        name: "*.apply.example/apply/*".to_owned(),
        host: Some(HostPattern::Below(".apply.example".to_owned())),
        path: Some(PathPattern::Below("/apply".to_owned())),
        methods: Some(vec!["GET".to_owned(), "POST".to_owned()]),
        origin: 0,
        room: Some(0),
        quota: Some(0),
        priority: RoutePriority::High,
        cache: Some(RouteCache {
            fresh: Some(seconds(501)),
            stale: seconds(502),
        }),
    };
    let fixed = Route {
        name: "/static".to_owned(),
        host: None,
        path: Some(PathPattern::Exact("/static".to_owned())),
        methods: None,
        origin: 0,
        room: None,
        quota: None,
        priority: RoutePriority::Low,
        cache: None,
    };
    vec![apply, fixed]
}

fn quota(name: &str, per: Per, rate: Rate, burst: u32, entries: usize) -> Quota {
    Quota {
        name: name.to_owned(),
        per,
        rate,
        burst: many(burst),
        entries,
    }
}

fn implied_quotas() -> [Quota; 3] {
    [
        quota("client", Per::Client, rate(100, 1), 500, 1_000_000),
        quota("pass", Per::Pass, rate(20, 1), 100, 1_000_000),
        quota("room", Per::Client, rate(1000, 1), 5000, 1_000_000),
    ]
}

fn template(base: &Path, name: &str) -> Template {
    Template {
        path: base.join(name),
        text: format!("<p>{name}"),
    }
}

fn language(tag: &str) -> Language {
    Language {
        tag: tag.to_owned(),
        texts: BTreeMap::new(),
    }
}

fn german() -> Language {
    Language {
        texts: BTreeMap::from([("check".to_owned(), "Platz prüfen".to_owned())]),
        ..language("de")
    }
}

fn site(base: &Path) -> Site {
    Site {
        name: Some("The office".to_owned()),
        contact: Some("+1 555 0100".to_owned()),
        page: Some(template(base, "site.html")),
        languages: vec![german()],
    }
}

fn room(base: &Path) -> Room {
    Room {
        name: "apply".to_owned(),
        mode: RoomMode::QueueAll,
        inlet: Inlet::Rate(rate(1, 10)),
        active: Some(many(401)),
        order: RoomOrder::Lottery,
        events: vec![Event {
            opens: UNIX_EPOCH + seconds(4_005_208_800),
            prequeue: seconds(411),
            per_client: Some(many(412)),
        }],
        pass: Pass {
            idle: seconds(402),
            lifetime: seconds(403),
            form_grace: seconds(404),
        },
        ticket: Ticket {
            call: seconds(405),
            keep: seconds(406),
        },
        invite: Invite { per_thousand: 407 },
        poll: Poll {
            min: seconds(2),
            max: seconds(200),
            budget: rate(409, 1),
            held: 410,
        },
        status: 429,
        page: Some(template(base, "room.html")),
        languages: vec![language("fr")],
        bypass: Bypass {
            addresses: vec!["192.0.2.0/24".parse().expect("it is a network")],
            paths: vec![
                PathPattern::Exact("/robots.txt".to_owned()),
                PathPattern::Below("/static".to_owned()),
            ],
            methods: vec!["OPTIONS".to_owned()],
            headers: vec![(
                "x-monitor".to_owned(),
                Secret::new(&b"sixteen is enough"[..]),
            )],
        },
    }
}

fn implied_room() -> Room {
    Room {
        name: "main".to_owned(),
        mode: RoomMode::Auto,
        order: RoomOrder::Arrival,
        events: Vec::new(),
        inlet: Inlet::Auto,
        active: None,
        pass: Pass {
            idle: seconds(600),
            lifetime: seconds(43_200),
            form_grace: seconds(900),
        },
        invite: Invite { per_thousand: 100 },
        ticket: Ticket {
            call: seconds(120),
            keep: seconds(1800),
        },
        poll: Poll {
            min: seconds(1),
            max: seconds(60),
            budget: rate(10_000, 1),
            held: 2_000,
        },
        status: 503,
        page: None,
        languages: vec![language("en"), language("fr")],
        bypass: Bypass::default(),
    }
}

const fn cache() -> Cache {
    Cache {
        size: 2 << 20,
        object: 503,
    }
}

fn expected(base: &Path) -> Config {
    let [client, pass, page] = implied_quotas();
    let tls = ListenerTls {
        certificate: base.join("portal.pem"),
        key: base.join("portal.key"),
    };
    let trusted = ["10.0.0.0/8", "fd00::1/128"].map(|net| net.parse().expect("it is a network"));
    let second: &[u8] = b"abcdefghijklmnopqrstuvwxyz012345";
    Config {
        listeners: vec![Listener {
            address: "[::1]:8443".parse().expect("it is an address"),
            tls: Some(tls),
        }],
        runtime: Runtime {
            workers: NonZeroUsize::new(3).expect("three is not zero"),
        },
        limits: limits(),
        client: Client {
            trusted_proxies: trusted.to_vec(),
            forwarded: Forwarded::Forwarded,
            ipv4_prefix: 24,
            ipv6_prefix: 56,
        },
        origins: vec![origin()],
        routes: routes(),
        quotas: vec![
            quota("own", Per::Route, rate(301, 60), 302, 303),
            client,
            pass,
            page,
        ],
        rooms: vec![
            room(base),
            Room {
                page: Some(template(base, "site.html")),
                languages: vec![german()],
                ..implied_room()
            },
        ],
        site: site(base),
        cache: cache(),
        state: State {
            directory: base.join("elsewhere"),
            keys: vec![Secret::new(KEY), Secret::new(second)],
            rotate: Some(seconds(410 * 3_600)),
        },
        admin: Admin {
            address: Some("127.0.0.1:411".parse().expect("an address")),
            socket: Some(base.join("own.sock")),
            token: Some(Secret::new("abcdefghijklmnop")),
        },
        log: Log {
            access: Some(Access {
                to: LogTarget::File(base.join("access.log")),
            }),
            level: Level::Debug,
        },
        prefix: "/.forebay".to_owned(),
    }
}

#[test]
fn every_key_reaches_its_own_value() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let base = directory.path();
    for (name, content) in [
        ("portal.pem", "-----BEGIN CERTIFICATE-----\n"),
        ("portal.key", "-----BEGIN EC PRIVATE KEY-----\n"),
        ("ticket.key", "0123456789abcdef0123456789abcdef\n"),
        ("site.html", "<p>site.html"),
        ("room.html", "<p>room.html"),
        ("de.toml", "reviewed = true\ncheck = \"Platz prüfen\"\n"),
    ] {
        fs::write(base.join(name), content).expect("it can be written to");
    }
    let env = |name: &str| (name == "SERVER").then(|| "http://from.env".to_owned());
    let loaded = forebay_config::parse(FULL, "full.toml", base, &env);
    let loaded = loaded
        .map_err(|problems| problems.to_string())
        .expect("the file is right");
    assert_eq!(loaded.config, expected(base));
    assert_eq!(loaded.warnings, []);
}

#[test]
fn the_smallest_file_has_a_route_a_room_and_quotas() {
    let config = config(&with(""));
    let route = Route {
        name: "*".to_owned(),
        host: None,
        path: None,
        methods: None,
        origin: 0,
        room: Some(0),
        quota: Some(0),
        priority: RoutePriority::Normal,
        cache: None,
    };
    assert_eq!(config.routes, [route]);
    assert_eq!(config.rooms, [implied_room()]);
    assert_eq!(config.quotas, implied_quotas());
    assert_eq!(
        config.origins[0].limit,
        Limit::Adaptive {
            min: many(4),
            max: many(1_000)
        }
    );
    assert_eq!(config.state.directory, PathBuf::from("state"));
    assert_eq!(config.admin.socket, Some(PathBuf::from("state/admin.sock")));
    assert_eq!(
        config.log.access,
        Some(Access {
            to: LogTarget::Stdout
        })
    );
}

#[test]
fn what_is_implied_can_be_adjusted_key_by_key() {
    let config = config(&with(
        "[quota.pass]\nrate = \"2/s\"\n[room.main]\nstatus = 429\n",
    ));
    assert_eq!(
        config.quotas[0],
        quota("pass", Per::Pass, rate(2, 1), 10, 1_000_000)
    );
    assert_eq!(
        config.rooms,
        [Room {
            status: 429,
            ..implied_room()
        }]
    );
    let names: Vec<_> = config
        .quotas
        .iter()
        .map(|quota| quota.name.as_str())
        .collect();
    assert_eq!(names, ["pass", "client", "room"]);
    assert_eq!(
        config.routes[0].quota,
        Some(1),
        "the route's quota is still that of clients"
    );
}

#[test]
fn a_burst_that_nobody_wrote_is_that_of_five_seconds() {
    for (rate, burst) in [
        ("100/s", 500),
        ("1/min", 1),
        ("0.1/s", 1),
        ("1000000000/s", u32::MAX),
    ] {
        let config = config(&with(&format!("[quota.client]\nrate = \"{rate}\"\n")));
        assert_eq!(config.quotas[0].burst.get(), burst, "{rate}");
    }
}

#[test]
fn parts_can_be_switched_off() {
    let config = config(&with(
        "[admin]\naddress = \"none\"\nsocket = \"none\"\n[log]\naccess = \"none\"\n",
    ));
    assert_eq!(
        config.admin,
        Admin {
            address: None,
            socket: None,
            token: None,
        }
    );
    assert_eq!(config.log.access, None);
}

#[test]
fn a_swapped_certificate_and_key_are_noticed() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, label) in [("a.pem", "CERTIFICATE"), ("a.key", "PRIVATE KEY")] {
        let content = format!("-----BEGIN {label}-----\n");
        fs::write(directory.path().join(name), content).expect("it can be written to");
    }
    let swapped = "[[listener]]\naddress = \"[::1]:1\"\ntls = { certificate = \"a.key\", key = \
                   \"a.pem\" }\n";
    let problems = parse_in(&with(swapped), directory.path()).expect_err("they are swapped");
    let keys: Vec<_> = problems
        .list
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(keys, ["listener[1].tls.certificate", "listener[1].tls.key"]);
}

#[test]
fn a_secret_is_not_in_what_debugging_prints() {
    let config = config(&with(
        "[state]\nkeys = [\"0123456789abcdef0123456789abcdef\"]\n",
    ));
    assert_eq!(config.state.keys[0].expose(), KEY);
    let printed = format!("{config:?}");
    assert!(
        !printed.contains("abcdef") && !printed.contains("48, 49"),
        "{printed}"
    );
}
