//! What is kept, for whom, and what an answer from a copy looks like.

use forebay_testkit::{Recorder, Reply, wait_until};

use super::{KEEPS, is_hit, said};
use crate::house::{House, PAGE, SOON, Visitor};

type Fields = &'static [(&'static str, &'static str)];

/// What is asked, what the origin says, and whether the next one is answered with a copy.
const RULES: [(Fields, u16, Fields, bool); 20] = [
    (&[], 200, &[], true),
    (&[], 200, &[("Cache-Control", "max-age=60")], true),
    (
        &[],
        200,
        &[("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")],
        true,
    ),
    (&[], 200, &[("Cache-Control", "max-age=0")], false),
    (&[], 200, &[("Expires", "0")], false),
    (&[], 200, &[("Cache-Control", "private")], false),
    (&[], 200, &[("Cache-Control", "no-store")], false),
    (&[], 200, &[("Cache-Control", "no-cache")], false),
    (
        &[],
        200,
        &[("Cache-Control", "s-maxage=0, max-age=60")],
        false,
    ),
    (
        &[],
        200,
        &[
            ("Set-Cookie", "a=b"),
            ("Cache-Control", "public, max-age=60"),
        ],
        false,
    ),
    (&[], 200, &[("Vary", "*")], false),
    (&[], 200, &[("Vary", "Cookie")], false),
    (
        &[],
        200,
        &[("Age", "60"), ("Cache-Control", "max-age=60")],
        false,
    ),
    (&[], 404, &[("Cache-Control", "max-age=60")], false),
    (
        &[],
        302,
        &[("Location", "/"), ("Cache-Control", "max-age=60")],
        false,
    ),
    (
        &[("Authorization", "Basic eDp5")],
        200,
        &[("Cache-Control", "public, max-age=60")],
        false,
    ),
    (
        &[("Cookie", "session=1")],
        200,
        &[("Cache-Control", "max-age=60")],
        false,
    ),
    (
        &[("Cookie", "session=1")],
        200,
        &[("Cache-Control", "public, max-age=60")],
        true,
    ),
    (
        &[("Cookie", "forebay-main=x")],
        200,
        &[("Cache-Control", "max-age=60")],
        true,
    ),
    (
        &[("Range", "bytes=0-3")],
        200,
        &[("Cache-Control", "public, max-age=60")],
        false,
    ),
];

#[test]
fn what_is_kept_follows_the_rules_for_shared_caches() {
    let origin = Recorder::start(|request| {
        let number: usize = request.target[1..].parse().expect("a number");
        let (_, status, fields, _) = RULES[number];
        let reply = Reply::status(status, "the whole answer");
        fields
            .iter()
            .fold(reply, |reply, (name, value)| reply.header(name, value))
    });
    let house = House::start(origin.address, KEEPS);
    for (number, (fields, status, reply, kept)) in RULES.into_iter().enumerate() {
        let target = format!("/{number}");
        let first = house.get(&target, fields);
        let second = house.get(&target, fields);
        let asked = origin.requests();
        let count = asked.iter().filter(|one| one.target == target).count();
        assert_eq!(second.status, status, "{fields:?} {reply:?}");
        assert_eq!(second.body, first.body, "{fields:?} {reply:?}");
        assert!(!is_hit(&first), "{first:?}");
        assert_eq!(is_hit(&second), kept, "{fields:?} {reply:?} {second:?}");
        assert_eq!(count, if kept { 1 } else { 2 }, "{fields:?} {reply:?}");
        assert_eq!(
            second.header("age").is_some(),
            kept || number == 12,
            "{second:?}"
        );
        assert_eq!(said(&first).contains("; stored"), kept, "{first:?}");
    }
}

#[test]
fn without_the_word_nothing_is_kept() {
    let origin = Recorder::start(|_| Reply::ok("x").header("Cache-Control", "public, max-age=60"));
    let house = House::start(origin.address, "[[route]]\nroom = \"none\"\n");
    for _ in 0..2 {
        assert_eq!(house.get("/", &[]).header("cache-status"), None);
    }
    assert_eq!(origin.requests().len(), 2);
}

fn tagged() -> Recorder {
    Recorder::start(|_| {
        Reply::ok("the whole answer")
            .header("ETag", "\"v1\"")
            .header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("Content-Type", "text/plain")
            .header("X-Request-Id", "the origin's")
            .header("Cache-Control", "max-age=60")
    })
}

#[test]
fn a_copy_answers_conditions_and_heads_and_names_each_request_anew() {
    let origin = tagged();
    let house = House::start(origin.address, KEEPS);
    let first = house.get("/a", &[("If-None-Match", "\"v0\"")]);
    assert_eq!(
        (first.status, first.header("age")),
        (200, None),
        "{first:?}"
    );
    let cases: [(&str, Fields, u16); 8] = [
        ("GET", &[], 200),
        ("HEAD", &[], 200),
        ("GET", &[("If-None-Match", "W/\"v1\"")], 304),
        ("GET", &[("If-None-Match", "\"v0\", \"v1\"")], 304),
        ("GET", &[("If-None-Match", "\"v2\"")], 200),
        (
            "GET",
            &[("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")],
            304,
        ),
        (
            "GET",
            &[("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")],
            200,
        ),
        // The tag says more than the date.
        (
            "GET",
            &[
                ("If-None-Match", "\"v2\""),
                ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ],
            200,
        ),
    ];
    for (method, fields, status) in cases {
        let answer = house.ask(method, "/a", fields, "");
        assert_eq!(answer.status, status, "{method} {fields:?} {answer:?}");
        assert!(is_hit(&answer), "{method} {fields:?} {answer:?}");
        assert!(answer.header("age").is_some() && answer.header("date").is_some());
        assert_eq!(answer.header("etag"), Some("\"v1\""));
        let id = answer.header("x-request-id");
        assert!(
            id.is_some() && id != first.header("x-request-id"),
            "{answer:?}"
        );
        if status == 200 {
            assert_eq!(answer.header("content-length"), Some("16"));
            assert_eq!(answer.header("content-type"), Some("text/plain"));
        }
    }
    assert_eq!(origin.requests().len(), 1);
    assert_eq!(
        origin.requests()[0].header("if-none-match"),
        None,
        "the whole is fetched"
    );
    let label = ["decision=\"cache\"", "reason=\"fresh\""];
    wait_until(SOON, || {
        house.metric("forebay_decisions_total", &label) == 8.0
    });
}

#[test]
fn each_form_is_kept_for_those_who_asked_for_it() {
    let origin = Recorder::start(|request| {
        let language = request.header("accept-language").unwrap_or("none");
        Reply::ok(language.to_owned())
            .header("Vary", "Accept-Language, Accept-Encoding")
            .header("Cache-Control", "max-age=60")
    });
    let house = House::start(origin.address, KEEPS);
    for (language, encoding, hit) in [
        ("fr", "gzip", false),
        ("en", "gzip", false),
        ("fr", "gzip;q=1.0", true),
        ("FR", "gzip", true),
        ("fr", "br", false),
        ("en", "gzip", true),
    ] {
        let fields = [("Accept-Language", language), ("Accept-Encoding", encoding)];
        let answer = house.get("/", &fields);
        assert_eq!(is_hit(&answer), hit, "{fields:?} {answer:?}");
        assert_eq!(answer.text(), language.to_lowercase(), "{fields:?}");
    }
}

#[test]
fn a_change_forgets_every_form_and_an_error_forgets_nothing() {
    let origin = Recorder::start(|request| match request.method.as_str() {
        "POST" if request.body == b"bad" => Reply::status(500, ""),
        "POST" => Reply::status(303, "").header("Location", "/"),
        _ => Reply::ok("x").header("Vary", "Accept-Language"),
    });
    let house = House::start(origin.address, KEEPS);
    let get = |language| house.get("/a", &[("Accept-Language", language)]);
    get("fr");
    get("en");
    house.ask("POST", "/a", &[], "bad");
    assert!(is_hit(&get("fr")) && is_hit(&get("en")));
    house.ask("POST", "/a", &[], "good");
    assert!(!is_hit(&get("fr")) && !is_hit(&get("en")));
    assert!(is_hit(&get("fr")));
}

#[test]
fn nobody_can_choose_what_others_are_sent() {
    let origin = Recorder::start(|request| {
        let host = request.header("x-forwarded-host").unwrap_or("none");
        let rewritten = request.header("x-original-url").unwrap_or("none");
        Reply::ok(format!("{host} {rewritten}"))
    });
    let house = House::start(origin.address, KEEPS);
    let evil = house.get(
        "/",
        &[
            ("X-Forwarded-Host", "evil.test"),
            ("X-Original-Url", "/evil"),
        ],
    );
    assert_eq!(evil.text(), "site.test /evil", "an origin that trusts it");
    let answer = house.get("/", &[]);
    assert_eq!(
        (answer.text().as_str(), is_hit(&answer)),
        ("site.test none", false)
    );
}

#[test]
fn a_pass_is_each_visitors_own_and_a_held_visitor_gets_no_copy() {
    let origin = Recorder::start(|request| Reply::ok(format!("origin {}", request.target)));
    let house = House::start(
        origin.address,
        "[[route]]\npath = \"/free/*\"\nroom = \"none\"\ncache = { fresh = \"1h\" }\n\
         [[route]]\ncache = { fresh = \"1h\" }\n",
    );
    let mut first = Visitor::new(&house);
    let mut second = Visitor::new(&house);
    assert_eq!(first.visit("/page").status, 200);
    let copy = second.visit("/page");
    assert!(is_hit(&copy), "{copy:?}");
    assert!(second.cookie().is_some() && first.cookie() != second.cookie());
    house.get("/free/a", &[PAGE]);
    house.must(&["room", "main", "hold"]);
    assert!(is_hit(&first.visit("/page")), "who is inside may have it");
    let held = house.get("/page", &[PAGE]);
    assert_eq!((held.status, held.header("cache-status")), (503, None));
    assert!(is_hit(&house.get("/free/a", &[PAGE])), "nobody waits there");
    assert_eq!(origin.requests().len(), 2);
}

#[test]
fn what_is_larger_than_an_object_is_handed_on_whole_and_not_kept() {
    let large = "x".repeat(3 << 20);
    let reply = large.clone();
    let origin = Recorder::start(move |request| {
        if request.target == "/chunked" {
            Reply::chunked(&[&reply[..1 << 20], &reply[1 << 20..]])
        } else {
            Reply::ok(reply.clone())
        }
    });
    let house = House::start(origin.address, KEEPS);
    for target in ["/", "/chunked"] {
        for _ in 0..2 {
            let answer = house.get(target, &[]);
            assert_eq!(answer.body.len(), large.len(), "{target}");
            assert!(!is_hit(&answer));
        }
    }
    assert_eq!(origin.requests().len(), 4);
}
