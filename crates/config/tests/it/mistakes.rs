//! What is said about a file that is wrong.

use std::path::Path;

use forebay_config::Severity;
use proptest::prelude::*;

use super::{parse_in, problems, with};

/// The lines that an operator reads, without the file's name.
fn said(text: &str) -> Vec<String> {
    problems(text).iter().map(ToString::to_string).collect()
}

/// One mistake in a file that is right otherwise, and what is said about it.
#[track_caller]
fn says(more: &str, expected: &[&str]) {
    assert_eq!(said(&with(more)), expected, "about\n{more}");
}

const TEN_MISTAKES: &str = r#"[[listener]]
address = "127.0.0.1"

[limits]
conections = 100
header_size = "64KB"

[origin.portal]
servers = ["http://127.0.0.1:3000/app"]
connect_timeout = "fast"
tls = { ca = "origin.pem" }
limit = { mode = "automatic" }

[[route]]
path = "apply"
room = "aply"

[quota.client]
rate = "0/s"
"#;

#[test]
fn ten_mistakes_are_ten_problems_each_with_its_place_and_what_to_write() {
    let problems = parse_in(TEN_MISTAKES, Path::new("")).expect_err("it has ten mistakes");
    let expected = "\
forebay.toml:2:11: listener[0].address: is \"127.0.0.1\", which is no address with a port; write an address and a port, such as \"127.0.0.1:8080\"
forebay.toml:5:1: limits.conections: is no known key; did you mean \"connections\"?
forebay.toml:6:15: limits.header_size: is \"64KB\", which is no size; write one such as \"64KiB\" (units: B, KiB, MiB, GiB)
forebay.toml:9:12: origin.portal.servers[0]: is \"http://127.0.0.1:3000/app\", which goes on behind the port; write one such as \"http://127.0.0.1:3000\"
forebay.toml:10:19: origin.portal.connect_timeout: is \"fast\", which is no duration; write one such as \"1s\" (units: ms, s, m, h, d)
forebay.toml:11:1: origin.portal.tls: comes in a later version; leave it out for now
forebay.toml:12:18: origin.portal.limit.mode: is \"automatic\", which is no known word; write \"adaptive\" or \"fixed\"
forebay.toml:15:8: route[0].path: is \"apply\", which does not begin with \"/\"; write a path such as \"/apply\" or \"/apply/*\"
forebay.toml:16:8: route[0].room: names no room of this file; write \"main\"
forebay.toml:19:8: quota.client.rate: is \"0/s\", which lets nothing through; write more than 0";
    assert_eq!(problems.to_string(), expected);
    for problem in &problems.list {
        assert!(
            !TEN_MISTAKES[problem.span.clone()].is_empty(),
            "{problem} points at nothing"
        );
    }
}

#[test]
fn an_empty_file_lacks_a_listener_and_an_origin() {
    let expected = [
        "1:1: origin: is missing: there is nothing to protect; write [origin.portal] and below \
         it servers = [\"http://127.0.0.1:3000\"]",
        "1:1: listener: is missing: clients could not connect; write [[listener]] and below it \
         address = \"0.0.0.0:80\"",
    ];
    assert_eq!(said(""), expected);
}

#[test]
fn a_text_that_is_no_toml_has_only_that_said_about_it() {
    let said = said("a = \n[b]\nb = 1\nb = 2\n");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("1:5: is no TOML: "), "{said:?}");
    assert!(
        said[1].starts_with("4:1: is no TOML: duplicate key"),
        "{said:?}"
    );
}

#[test]
fn keys_of_later_versions_are_unknown_and_say_so() {
    let cases = [
        ("[origin.portal.tls]", "origin.portal.tls"),
        ("[state]\nredis = {}", "state.redis"),
        (
            "[[listener]]\naddress = \"[::]:1\"\nhttp2 = false",
            "listener[1].http2",
        ),
    ];
    for (more, key) in cases {
        let list = problems(&with(more));
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!(
            (list[0].key.as_str(), list[0].severity),
            (key, Severity::Error)
        );
        assert_eq!(list[0].what, "comes in a later version");
    }
}

#[test]
fn events_are_moments_to_come_and_do_not_overlap() {
    let cases = [
        (
            "{ opens = \"2096-12-01T09:00:00Z\" }",
            "opens: is \"2096-12-01T09:00:00Z\", a string; write one such as \
             2030-12-01T09:00:00-05:00, without quotes",
        ),
        (
            "{ opens = 2096-12-01T09:00:00 }",
            "opens: is 2096-12-01T09:00:00, which is no moment: it lacks date, time or offset; \
             write one such as 2030-12-01T09:00:00-05:00, without quotes",
        ),
        (
            "{ prequeue = \"1m\" }",
            "opens: is missing; write opens = …",
        ),
        (
            "{ opens = 2096-12-01T09:00:00Z, prequeue = \"13h\" }",
            "prequeue: is no time in which people gather for an opening; write \"1s\" to \"12h\"",
        ),
        (
            "{ opens = 2096-12-01T09:00:00Z, per_client = 0 }",
            "per_client: is 0, which is too small; write a number from 1 to",
        ),
        (
            "{ opens = 2001-12-01T09:00:00Z }",
            "has opened already; leave it out when its line is gone",
        ),
    ];
    for (event, expected) in cases {
        let text = with(&format!("[room.main]\nevent = [{event}]"));
        let list = said(&text);
        assert!(
            list.iter().any(|said| said.contains(expected)),
            "{event}: {list:?}"
        );
    }
    let two =
        "[room.main]\nevent = [{ opens = 2096-12-01T10:00:00Z }, { opens = 2096-12-01T09:45:00Z }]";
    assert_eq!(problems(&with(two)).len(), 1);
}

#[test]
fn what_concerns_the_servers_of_an_origin_is_checked() {
    let cases = [
        (
            "[origin.portal.health]\npath = \"healthz\"",
            "origin.portal.health.path: is \"healthz\", which is no path; write a path such as \
             \"/healthz\"",
        ),
        (
            "[origin.portal.health]",
            "origin.portal.health.path: is missing; write path = …",
        ),
        (
            "[origin.portal.health]\npath = \"/\"\ninterval = \"50ms\"",
            "origin.portal.health.interval: is less than 100 ms: probes would be a load of their \
             own; write \"100ms\" or more",
        ),
        (
            "[origin.portal.retry]\nattempts = 2",
            "origin.portal.retry.attempts: is 2, which is too large; write a number from 0 to 1",
        ),
        (
            "[origin.portal.retry]\nbudget = \"10\"",
            "origin.portal.retry.budget: is \"10\", which is no share; write one such as \
             \"10%\", up to \"100%\"",
        ),
    ];
    for (more, expected) in cases {
        let said = said(&with(more));
        assert_eq!(said.len(), 1, "about\n{more}\n{said:?}");
        assert!(said[0].ends_with(expected), "about\n{more}\n{said:?}");
    }
}

#[test]
fn what_lets_past_a_room_is_checked_and_no_secret_is_repeated() {
    let cases = [
        (
            "addresses = [\"192.0.2.0/33\"]",
            "addresses[0]: is \"192.0.2.0/33\", which is no network; write an address or a \
             network, such as \"10.0.0.0/8\"",
        ),
        (
            "addresses = [\"::/0\"]",
            "addresses[0]: lets everybody past the room; write a narrower network, or mode = \"off\"",
        ),
        (
            "paths = [\"/*\"]",
            "paths[0]: lets everybody past the room; write a narrower path, or mode = \"off\"",
        ),
        (
            "paths = [\"/a*\"]",
            "paths[0]: is \"/a*\", where \"*\" is not the last segment; write a path such as \
             \"/apply\" or \"/apply/*\"",
        ),
        (
            "methods = [\"GET\"]",
            "methods[0]: lets everybody past the room; leave it out, or write mode = \"off\"",
        ),
        (
            "headers = { cookie = \"hunter2hunter2hunter2\" }",
            "headers.cookie: is a header that is needed on the way; take a name of your own, \
             such as \"x-monitor\"",
        ),
        (
            "headers = { \"x monitor\" = \"hunter2hunter2hunter2\" }",
            "headers.\"x monitor\": is no name of a header; write one such as \"x-monitor\"",
        ),
        (
            "headers = { x-m = \"hunter2hunter2hunter2\", X-M = \"hunter2hunter2hunter2\" }",
            "headers.X-M: is there twice; leave one out",
        ),
        (
            "headers = { x-m = \"hunter2\" }",
            "headers.x-m: has a value that somebody may find by trying; make it 16 random \
             characters or more",
        ),
        (
            "headers = { x-m = \"hunter2 hunter2 \" }",
            "headers.x-m: has a value that no header can have; make it 16 random letters and \
             digits or more",
        ),
        (
            "headers = { x-m = \"\" }",
            "headers.x-m: has an empty value; make it 16 random characters or more",
        ),
        (
            "headers = { x-m = { env = \"UNSET\" } }",
            "headers.x-m: names the environment variable \"UNSET\", which is not set; set it \
             where Forebay is started",
        ),
    ];
    for (more, expected) in cases {
        let said = said(&with(&format!("[room.main.bypass]\n{more}")));
        assert_eq!(said.len(), 1, "about\n{more}\n{said:?}");
        let expected = format!("room.main.bypass.{expected}");
        assert!(said[0].ends_with(&expected), "about\n{more}\n{said:?}");
        assert!(!said[0].contains("hunter"), "{said:?}");
    }
}

#[test]
fn what_is_kept_is_checked() {
    let cases = [
        (
            "[cache]\nsize = \"4MiB\"",
            "cache.size: is less than eight times cache.object; raise it, or lower the other",
        ),
        (
            "[[route]]\nmethods = [\"POST\"]\ncache = {}",
            "route[0].cache: keeps nothing: only answers to GET are kept; leave it out, or add \
             \"GET\" to the route's methods",
        ),
        (
            "[[route]]\ncache = { fresh = \"0s\" }",
            "route[0].cache.fresh: is \"0s\", which leaves no time at all; write more than \
             \"0s\", or \"auto\"",
        ),
    ];
    for (more, expected) in cases {
        let said = said(&with(more));
        assert_eq!(said.len(), 1, "about\n{more}\n{said:?}");
        assert!(said[0].ends_with(expected), "about\n{more}\n{said:?}");
    }
}

#[test]
fn values_that_do_not_go_together_are_problems() {
    let listeners = "[[listener]]\naddress = \"0.0.0.0:8080\"\n[[listener]]\naddress = \
                     \"127.0.0.1:9901\"";
    says(
        listeners,
        &[
            "6:11: listener[1].address: is taken by a listener above; take another address or port",
            "8:11: listener[2].address: is taken by admin.address; take another port, here or there",
        ],
    );
    says(
        "[limits]\nbody_buffers = \"1KiB\"\nlinger = { total = \"1s\" }",
        &[
            "5:1: limits.body_buffer: is more than limits.body_buffers; lower it, or raise the other",
            "7:10: limits.linger.idle: is more than limits.linger.total; lower it, or raise the other",
        ],
    );
    says(
        "[room.main]\nticket.keep = \"30s\"\npass.idle = \"13h\"",
        &[
            "6:1: room.main.ticket.call: is more than room.main.ticket.keep; lower it, or raise \
             the other",
            "6:15: room.main.ticket.keep: is less than poll.max: places would be lost between two \
             polls; raise it, or lower poll.max",
            "7:13: room.main.pass.idle: is more than room.main.pass.lifetime; lower it, or raise \
             the other",
        ],
    );
    says(
        "[room.main]\nticket = { call = \"31m\" }",
        &[
            "6:19: room.main.ticket.call: is more than room.main.ticket.keep; lower it, or raise \
             the other",
        ],
    );
    says(
        "[quota.pass]\nper = \"client\"",
        &[
            "6:7: quota.pass.per: changes an implied quota, whose per is fixed; leave it out, or \
           give the quota another name",
        ],
    );
}

#[test]
fn a_token_of_the_admin_address_is_long_enough_and_is_never_shown() {
    for (token, what) in [
        (
            "swordfish",
            "is 9 characters long, which can be found by trying",
        ),
        (
            "two words that are long enough",
            "has characters that do not fit into a header",
        ),
    ] {
        let said = said(&with(&format!("[admin]\ntoken = \"{token}\"")));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("admin.token") && said[0].contains(what),
            "{said:?}"
        );
        assert!(!said[0].contains(token), "{said:?}");
    }
    let unused = problems(&with(
        "[admin]\naddress = \"none\"\ntoken = \"abcdefghijklmnop\"",
    ));
    assert_eq!(unused[0].severity, Severity::Warning, "{unused:?}");
}

#[test]
fn several_origins_need_routes_that_name_them() {
    let two = "[origin.two]\nservers = [\"http://a\"]\n";
    says(
        two,
        &[
            "5:9: origin.two: is a second origin, and no [[route]] says what goes where; \
                 write a [[route]] for each",
        ],
    );
    says(
        &format!("{two}[[route]]\n"),
        &["7:1: route[0].origin: is missing, and there are \
                 several; write \"portal\" or \"two\""],
    );
    says(
        &format!("{two}[[route]]\norigin = 5\n"),
        &["8:10: route[0].origin: is 5, a number; \
                 write a string in quotes"],
    );
}

#[test]
fn values_out_of_bounds_are_problems() {
    let cases = [
        ("[limits]\nheader_size = \"1023B\"", "limits.header_size"),
        ("[limits]\nconnections = 0", "limits.connections"),
        ("[limits]\nconnections = -1", "limits.connections"),
        (
            "[limits]\nconnections = 99999999999999999999999999999999999999999",
            "limits.connections",
        ),
        ("[limits]\nconnections = 1.5", "limits.connections"),
        ("[limits]\ndrain = \"0s\"", "limits.drain"),
        ("[client]\nipv4_prefix = 33", "client.ipv4_prefix"),
        ("[client]\nipv6_prefix = 129", "client.ipv6_prefix"),
        (
            "[client]\ntrusted_proxies = [\"10.0.0.0/33\"]",
            "client.trusted_proxies[0]",
        ),
        (
            "[client]\ntrusted_proxies = \"10.0.0.0/8\"",
            "client.trusted_proxies",
        ),
        ("[runtime]\nworkers = 0", "runtime.workers"),
        ("keep_alive = \"0s\"", "origin.portal.keep_alive"),
        ("host = \"a b\"", "origin.portal.host"),
        ("limit.concurrency = 0", "origin.portal.limit.concurrency"),
        ("[quota.client]\nburst = 0", "quota.client.burst"),
        ("[quota.own]", "quota.own.rate"),
        ("[room.main]\nstatus = 302", "room.main.status"),
        ("[room.main]\nlanguages = []", "room.main.languages"),
        (
            "[room.main]\nlanguages = [\"en\", \"en\"]",
            "room.main.languages[1]",
        ),
        (
            "[room.main]\nlanguages = [\"de\"]",
            "room.main.languages[0]",
        ),
        ("[room.main]\ninlet = \"0/s\"", "room.main.inlet"),
        ("[room.main]\nactive = 0", "room.main.active"),
        ("[room.\"a b\"]", "room.\"a b\""),
        ("[room.none]", "room.none"),
        ("[[route]]\nmethods = []", "route[0].methods"),
        ("[state]\nkeys = [\"too short\"]", "state.keys[0]"),
        ("[state]\nstore = \"redis\"", "state.store"),
        ("[log]\nlevel = \"loud\"", "log.level"),
        ("[log.access]\nto = \"\"", "log.access.to"),
        ("[log]\naccess = \"stderr\"", "log.access"),
    ];
    for (more, key) in cases {
        let list = problems(&with(more));
        let keys: Vec<_> = list.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, [key], "about\n{more}\n{list:?}");
        assert_eq!(list[0].severity, Severity::Error, "{key}");
        assert!(!list[0].write.is_empty(), "{key} says nothing to write");
    }
}

#[test]
fn a_route_that_can_never_match_is_a_warning() {
    let route = |keys: &str| format!("[[route]]\n{keys}\n");
    let cases = [
        ("path = \"/a/*\"", "path = \"/a/b\"", true),
        ("path = \"/a/*\"", "path = \"/a\"", true),
        ("path = \"/a/*\"", "path = \"/a/b/*\"", true),
        ("path = \"/a/b\"", "path = \"/a/*\"", false),
        ("path = \"/a\"", "path = \"/a\"", true),
        ("path = \"/*\"", "host = \"a\"", true),
        ("path = \"/*\"", "path = \"/*\"", true),
        ("path = \"/a\"", "", false),
        ("host = \"a\"", "host = \"A\"", true),
        ("host = \"a\"", "host = \"b\"", false),
        ("host = \"*.x\"", "host = \"a.x\"", true),
        ("host = \"*.x\"", "host = \"*.a.x\"", true),
        ("host = \"*.a.x\"", "host = \"*.x\"", false),
        ("host = \"a\"", "path = \"/a\"", false),
        ("methods = [\"GET\", \"HEAD\"]", "methods = [\"GET\"]", true),
        (
            "methods = [\"GET\"]",
            "methods = [\"GET\", \"HEAD\"]",
            false,
        ),
        ("methods = [\"GET\"]", "", false),
        ("", "path = \"/a\"", true),
        // What a wrong route would match is unknown.
        ("path = \"a\"", "path = \"/b\"", false),
    ];
    for (first, second, never) in cases {
        let list = problems(&with(&(route(first) + &route(second))));
        let warned = list.iter().any(|problem| {
            problem.severity == Severity::Warning
                && problem.key == "route[1]"
                && problem.what.starts_with("never matches")
        });
        assert_eq!(warned, never, "{first} / {second}: {list:?}");
    }
    says(
        &route("path = \"/__forebay/x\""),
        &["5:1: warning: route[0]: never matches: Forebay \
        answers below /__forebay itself; leave it out, or change prefix"],
    );
}

#[test]
fn what_runs_though_hardly_as_meant_is_a_warning() {
    let cases = [
        ("[room.main]\nstatus = 200", "room.main.status"),
        (
            "[room.main]\nlanguages = [\"en\", \"uk\"]",
            "room.main.languages[1]",
        ),
        ("[room.apply]", "room.apply"),
        ("[quota.own]\nrate = \"1/s\"", "quota.own"),
        (
            "[client]\ntrusted_proxies = [\"0.0.0.0/0\"]",
            "client.trusted_proxies[0]",
        ),
        (
            "[origin.two]\nservers = [\"http://a\"]\n[[route]]\norigin = \"portal\"",
            "origin.two",
        ),
    ];
    for (more, key) in cases {
        let loaded = parse_in(&with(more), Path::new("")).expect("a warning stops nobody");
        let keys: Vec<_> = loaded
            .warnings
            .iter()
            .map(|problem| problem.key.as_str())
            .collect();
        assert_eq!(keys, [key], "about\n{more}");
    }
}

#[test]
fn values_from_outside_the_file_are_never_printed() {
    let cases = [
        "connect_timeout = { env = \"SET\" }",
        "limit = { mode = { env = \"SET\" } }",
        "[[route]]\norigin = { env = \"SET\" }",
        "[[route]]\nroom = { env = \"SET\" }",
        "[[route]]\npath = { env = \"SET\" }",
        "[log]\nlevel = { env = \"SET\" }",
        "[room.main]\ninlet = { env = \"SET\" }",
        "[state]\nkeys = [{ env = \"SET\" }]",
    ];
    for more in cases {
        let problems = parse_in(&with(more), Path::new("")).expect_err("the value does not fit");
        assert!(!problems.to_string().contains("secret-value"), "{problems}");
    }
}

#[test]
fn a_secret_that_is_not_there_is_a_problem() {
    says(
        "[state]\nkeys = [{ env = \"UNSET\" }, { env = 5 }]\ndirectory = { file = \"not/there\" }",
        &[
            "6:9: state.keys[0]: names the environment variable \"UNSET\", which is not set; set \
             it where Forebay is started",
            "6:28: state.keys[1]: is a table that is neither { env = \"NAME\" } nor { file = \
             \"path\" }; write { file = \"ticket.key\" }, a file of 32 random bytes or more",
            "7:13: state.directory: names the file not/there, which cannot be read: No such file \
             or directory (os error 2); name a file that this user may read",
        ],
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        problems(&text);
    }

    /// A right file with a piece replaced gets past the TOML parser more often.
    #[test]
    fn no_damage_to_a_right_file_makes_it_panic(
        start in 0_usize..9000,
        length in 0_usize..40,
        piece in "[a-z0-9 =\"'\\[\\]{}.,\n-]{0,12}",
    ) {
        let mut text = include_str!("../../../../config/forebay.toml").to_owned();
        prop_assume!(text.is_ascii());
        let start = start.min(text.len());
        text.replace_range(start..(start + length).min(text.len()), &piece);
        for problem in problems(&text) {
            prop_assert!(text.get(problem.span.clone()).is_some());
            prop_assert!(problem.line <= text.lines().count() + 1);
        }
    }

    #[test]
    fn no_value_makes_it_panic(
        key in prop::sample::select(&[
            "prefix", "listener", "limits.drain", "limits.linger", "client.trusted_proxies",
            "origin.a.servers", "origin.a.limit", "origin.a.abort_grace", "route", "quota.a.rate",
            "quota.client.burst", "room.a.inlet", "room.a.poll.min", "room.a.languages",
            "state.keys", "state.directory", "admin.socket", "log.access",
        ][..]),
        value in prop::sample::select(&[
            "0", "-1", "1e9", "true", "''", "'none'", "'auto'", "'9/s'", "'1s'", "'99999999999999d'",
            "'64KiB'", "'é'", "[]", "[[]]", "{}", "[{}]", "['a', 1]", "{ env = 'SET' }",
            "{ file = '/' }", "1979-05-27", "'http://a'", "['http://a']",
        ][..]),
    ) {
        problems(&format!("{key} = {value}\n"));
    }
}

#[test]
fn a_share_for_the_invited_and_the_time_of_a_key_have_bounds() {
    for (more, key) in [
        (
            "[room.main]\ninvite = { share = \"0%\" }",
            "room.main.invite.share",
        ),
        (
            "[room.main]\ninvite = { share = \"51%\" }",
            "room.main.invite.share",
        ),
        ("[state]\nrotate = \"4d\"", "state.rotate"),
        ("[state]\nrotate = \"none\"", "state.rotate"),
    ] {
        let list = problems(&with(more));
        let keys: Vec<_> = list.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, [key], "about\n{more}\n{list:?}");
    }
}
