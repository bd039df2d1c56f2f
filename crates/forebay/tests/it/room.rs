//! Waiting in line, as programs on the wire see it.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use forebay_admission::credential::{Credential, RoomId};
use forebay_admission::pass::Pass;
use forebay_admission::ticket::Ticket;
use forebay_admission::time::WallTime;
use forebay_layers::keyring::Keyring;
use forebay_testkit::recorder::Step;
use forebay_testkit::{Gate, Recorder, Reply, wait_until};
use serde_json::Value;

use crate::house::{House, PAGE, SOON, Visitor, ask, echo};

/// Nobody is called here while a test looks.
const STILL: &str = "[room.main]\nmode = \"queue-all\"\ninlet = \"1/h\"\n";

fn closed(origin: &Recorder) -> House {
    House::start(origin.address, "[room.main]\nmode = \"hold\"\n")
}

fn attributes(answer: &forebay_testkit::Answer) -> BTreeSet<String> {
    let line = answer.header("set-cookie").unwrap_or_default();
    line.split(';')
        .skip(1)
        .map(|part| part.trim().to_owned())
        .collect()
}

#[test]
fn the_first_contact_gives_a_place_in_the_form_that_was_asked_for() {
    let origin = echo();
    let house = closed(&origin);
    for (accept, kind) in [
        (PAGE.1, "text/html; charset=utf-8"),
        ("application/json", "application/problem+json"),
        ("*/*", "text/plain; charset=utf-8"),
    ] {
        let answer = house.get("/", &[("Accept", accept)]);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(
            answer
                .header("retry-after")
                .is_some_and(|wait| wait.parse::<u32>().is_ok())
        );
        assert!(
            answer
                .header("proxy-status")
                .is_some_and(|said| said.contains("forebay")),
            "{answer:?}"
        );
        assert!(answer.cookie("forebay-main").is_some());
        let attributes = attributes(&answer);
        for wanted in ["Path=/", "HttpOnly", "SameSite=Lax"] {
            assert!(attributes.contains(wanted), "{attributes:?}");
        }
        assert!(attributes.iter().any(|part| part.starts_with("Max-Age=")));
        assert!(!attributes.contains("Secure"));
    }
    let json = house.get("/", &[("Accept", "application/json")]);
    let place: Value = serde_json::from_slice(&json.body).expect("JSON");
    for field in [
        "type",
        "title",
        "status",
        "room",
        "state",
        "ahead",
        "eta_seconds",
        "poll_after_seconds",
        "reference",
    ] {
        assert!(place.get(field).is_some(), "no {field} in {place}");
    }
    assert!(origin.requests().is_empty());
}

#[test]
fn a_trusted_proxys_https_makes_the_cookie_secure_and_nobody_elses_does() {
    let origin = echo();
    let held = "[room.main]\nmode = \"hold\"\n";
    let proxied = House::start(
        origin.address,
        &format!("{held}[client]\ntrusted_proxies = [\"127.0.0.0/8\"]\n"),
    );
    let https = [PAGE, ("X-Forwarded-Proto", "https")];
    let answer = proxied.get("/", &https);
    assert!(answer.cookie("__Host-forebay-main").is_some(), "{answer:?}");
    assert!(attributes(&answer).contains("Secure"));
    let direct = House::start(origin.address, held);
    assert!(direct.get("/", &https).cookie("forebay-main").is_some());
}

#[test]
fn parts_of_a_page_and_looks_from_afar_take_no_place() {
    let origin = echo();
    let house = closed(&origin);
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("HEAD", &[PAGE]),
        ("GET", &[("Accept", "image/avif,image/webp,*/*;q=0.8")]),
        ("GET", &[("Accept", "*/*"), ("Sec-Fetch-Dest", "script")]),
        ("GET", &[PAGE, ("Sec-Purpose", "prefetch")]),
        (
            "GET",
            &[
                ("Accept", "text/css,*/*;q=0.1"),
                ("Sec-Fetch-Dest", "style"),
            ],
        ),
    ];
    for (method, fields) in cases {
        let answer = house.ask(method, "/", fields, "");
        assert_eq!(answer.status, 503, "{fields:?}");
        assert_eq!(answer.header("set-cookie"), None, "{fields:?}");
        assert!(answer.body.len() < 200, "{answer:?}");
    }
    assert_eq!(house.room()["waiting"], 0);
}

#[test]
fn the_second_contact_tells_the_place_and_the_order_is_that_of_arrival() {
    let origin = echo();
    let house = closed(&origin);
    let mut line = Vec::new();
    for _ in 0..3 {
        let mut visitor = Visitor::new(&house);
        assert_eq!(visitor.visit("/").status, 503);
        line.push(visitor);
        next_second();
    }
    let mut places = Vec::new();
    for (visitor, known) in line.iter_mut().zip(1..) {
        places.push(visitor.place()["ahead"].as_u64().expect("a number"));
        wait_until(SOON, || house.room()["waiting"] == known);
    }
    assert_eq!(places, [0, 1, 2]);
}

/// The line counts by the second of arrival; who comes in the next one is surely behind.
fn next_second() {
    let second = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|now| now.as_secs())
            .ok()
    };
    let now = second();
    wait_until(SOON, || second() != now);
}

#[test]
fn a_place_never_gets_worse_whatever_others_do() {
    let origin = echo();
    let house = closed(&origin);
    for _ in 0..10 {
        Visitor::queued(&house);
    }
    // The gauge follows the tick, and only from then on is anybody told of the ten.
    wait_until(SOON, || {
        house.metric("forebay_room_waiting", &["room=\"main\""]) == 10.0
    });
    next_second();
    let mut mine = Visitor::queued(&house);
    let mut told = vec![mine.place()["ahead"].as_u64().expect("a number")];
    assert!(told[0] > 5, "{told:?}");
    let mut ask = || {
        Visitor::queued(&house);
        let place = mine.place();
        told.extend(place["ahead"].as_u64());
        place["state"] == "called"
    };
    for _ in 0..5 {
        assert!(!ask(), "nobody is called from a held room");
    }
    house.must(&["room", "main", "rate", "2/s"]);
    house.must(&["room", "main", "queue-all"]);
    wait_until(SOON, ask);
    assert!(told.len() > 5, "{told:?}");
    assert!(
        told.is_sorted_by(|before, after| before >= after),
        "{told:?}"
    );
}

#[test]
fn a_steady_rate_lets_in_in_order_and_no_faster() {
    let origin = echo();
    let house = House::start(
        origin.address,
        "[room.main]\nmode = \"queue-all\"\ninlet = \"4/s\"\n",
    );
    let start = std::time::Instant::now();
    let mut line: Vec<Visitor> = (0..16).map(|_| Visitor::queued(&house)).collect();
    let mut entered = vec![None; line.len()];
    wait_until(Duration::from_secs(20), || {
        for (index, visitor) in line.iter_mut().enumerate() {
            if entered[index].is_none() && visitor.visit("/in").status == 200 {
                entered[index] = Some(start.elapsed());
            }
        }
        entered.iter().all(Option::is_some)
    });
    let times: Vec<Duration> = entered.into_iter().flatten().collect();
    let last = *times.iter().max().expect("sixteen");
    // Sixteen at four a second, less the burst of a second and a half.
    assert!(last >= Duration::from_millis(2_000), "{times:?}");
    assert!(last <= Duration::from_secs(12), "{times:?}");
    let late = times
        .windows(2)
        .filter(|pair| pair[0] > pair[1] + Duration::from_secs(2))
        .count();
    assert_eq!(late, 0, "nobody is overtaken by much: {times:?}");
    for request in origin.requests() {
        assert_eq!(
            request.header("cookie"),
            None,
            "the room's cookie is the room's"
        );
    }
}

#[test]
fn no_more_than_active_are_inside() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nactive = 3\n");
    let mut visitors: Vec<Visitor> = (0..8).map(|_| Visitor::new(&house)).collect();
    let inside: Vec<bool> = visitors
        .iter_mut()
        .map(|visitor| visitor.visit("/").status == 200)
        .collect();
    assert_eq!(
        inside.iter().filter(|inside| **inside).count(),
        3,
        "{inside:?}"
    );
    // They stay inside while the others wait.
    for (visitor, inside) in visitors.iter_mut().zip(&inside) {
        if *inside {
            assert_eq!(visitor.visit("/again").status, 200);
            assert_eq!(visitor.visit("/again").status, 200);
        }
    }
    assert_eq!(house.room()["active"], 3);
}

#[test]
fn an_open_room_gives_a_pass_and_who_is_inside_stays_inside() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let mut inside = Visitor::new(&house);
    assert_eq!(inside.visit("/").status, 200);
    assert!(inside.cookie().is_some());
    house.must(&["room", "main", "hold"]);
    assert_eq!(inside.visit("/2").text(), "origin /2");
    assert_eq!(inside.ask("POST", "/3", &[PAGE], "a=1").text(), "origin /3");
    assert_eq!(Visitor::new(&house).visit("/").status, 503);
    assert_eq!(inside.place()["state"], "open");
}

#[test]
fn programs_and_parts_are_given_no_pass() {
    let origin = echo();
    let house = House::start(origin.address, "");
    for fields in [
        [("Accept", "*/*")],
        [("Accept", "image/webp,*/*")],
        [("Accept", "application/json")],
    ] {
        let answer = house.get("/", &fields);
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None));
    }
}

#[test]
fn what_a_shared_cache_may_store_carries_no_cookie_of_ours() {
    let origin = Recorder::start(|request| {
        let value = request.target.trim_start_matches('/').replace('+', " ");
        Reply::ok("x").header("Cache-Control", &value)
    });
    let house = House::start(origin.address, "");
    for (value, cookie, seen) in [
        ("public,+max-age=60", false, "public, max-age=60"),
        ("s-maxage=9", false, "s-maxage=9"),
        ("private,+max-age=60", true, "private, max-age=60"),
        ("no-store", true, "no-store"),
    ] {
        let answer = house.get(&format!("/{value}"), &[PAGE]);
        assert_eq!(answer.cookie("forebay-main").is_some(), cookie, "{value}");
        let lines: Vec<_> = answer.all("cache-control").collect();
        assert_eq!(lines, [seen], "{value}");
    }
    for value in ["max-age=60", "no-cache"] {
        let answer = house.get(&format!("/{value}"), &[PAGE]);
        assert!(answer.cookie("forebay-main").is_some(), "{value}");
        let lines: Vec<_> = answer.all("cache-control").collect();
        assert_eq!(lines, [value, "private"], "a cookie makes it private");
    }
}

#[test]
fn the_same_ticket_claimed_by_many_at_once_is_one_visit() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nmode = \"hold\"\n");
    let visitor = Visitor::queued(&house);
    house.must(&["room", "main", "auto"]);
    let claims: Vec<_> = (0..20)
        .map(|_| {
            let mut visitor = visitor.clone();
            thread::spawn(move || {
                wait_until(SOON, || visitor.visit("/").status == 200);
                visitor.place()["reference"].clone()
            })
        })
        .collect();
    let references: BTreeSet<String> = claims
        .into_iter()
        .map(|claim| claim.join().expect("a claim").to_string())
        .collect();
    assert_eq!(references.len(), 1, "{references:?}");
    let room = house.room();
    assert!(room["active"].as_u64() <= Some(1), "{room}");
    assert!(room["claimed"].as_u64() <= Some(1), "{room}");
}

#[test]
fn a_form_without_a_pass_is_held_with_words_for_it_and_keeps_its_place() {
    let origin = echo();
    let house = closed(&origin);
    let mut visitor = Visitor::new(&house);
    let held = visitor.ask(
        "POST",
        "/send",
        &[PAGE, ("Content-Type", "application/x-www-form-urlencoded")],
        "name=x",
    );
    assert_eq!(held.status, 503);
    assert!(held.header("location").is_none());
    assert!(held.text().contains("data-form"), "{}", held.text());
    assert!(visitor.cookie().is_some());
    let reference = visitor.place()["reference"].clone();
    assert_eq!(visitor.place()["reference"], reference);
    house.must(&["room", "main", "off"]);
    let sent = visitor.ask("POST", "/send", &[PAGE], "name=x");
    assert_eq!(sent.text(), "origin /send");
    assert_eq!(origin.only_request().body, b"name=x");
}

#[test]
fn a_form_goes_through_shortly_after_the_pass_ran_out_and_a_page_does_not() {
    let origin = echo();
    let rules = "[room.main]\npass = { idle = \"1s\", lifetime = \"1h\", form_grace = \"1h\" }\n\
                 [quota.pass]\nrate = \"10000/s\"\n";
    let house = House::start(origin.address, rules);
    let mut visitor = Visitor::new(&house);
    assert_eq!(visitor.visit("/").status, 200);
    let early = visitor.clone();
    house.must(&["room", "main", "hold"]);
    wait_until(SOON, || early.clone().visit("/").status == 503);
    let mut form = early.clone();
    assert_eq!(
        form.ask("POST", "/send", &[PAGE], "a=1").text(),
        "origin /send"
    );
    assert_eq!(
        form.visit("/thanks").text(),
        "origin /thanks",
        "the form renewed the pass"
    );
}

#[test]
fn forged_and_foreign_tickets_are_strangers_and_are_counted() {
    let origin = echo();
    let rest = "[[route]]\npath = \"/other/*\"\nroom = \"other\"\n[[route]]\n\
                [room.main]\nmode = \"hold\"\n[room.other]\nmode = \"hold\"\n";
    let house = House::start(origin.address, rest);
    let elsewhere = closed(&origin);
    let mine = Visitor::queued(&house)
        .cookie()
        .expect("a ticket")
        .to_owned();
    let tampered = {
        let mut bytes = mine.clone().into_bytes();
        bytes[20] = if bytes[20] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("still text")
    };
    let other = house
        .get("/other/", &[PAGE])
        .cookie("forebay-other")
        .expect("a ticket")
        .to_owned();
    let foreign = Visitor::queued(&elsewhere)
        .cookie()
        .expect("a ticket")
        .to_owned();
    let long = "A".repeat(3_000);
    for (cookie, reasons) in [
        (tampered.as_str(), &["forged"][..]),
        (other.as_str(), &["other_room"]),
        (foreign.as_str(), &["unknown_key", "forged"]),
        ("nonsense", &["malformed"]),
        ("", &["malformed"]),
        (long.as_str(), &["malformed"]),
        ("%00\"{}", &["malformed"]),
    ] {
        let before: f64 = counted(&house, reasons);
        let answer = house.get("/", &[PAGE, ("Cookie", &format!("forebay-main={cookie}"))]);
        assert_eq!(answer.status, 503, "{cookie}");
        let fresh = answer.cookie("forebay-main").expect("a place of one's own");
        assert_ne!(fresh, cookie);
        assert!(
            counted(&house, reasons) > before,
            "{cookie:?} is not counted under {reasons:?}"
        );
    }
    assert!(origin.requests().is_empty());
}

/// What this process would have signed, had it been another time: the test knows the key.
fn signed(credential: Credential) -> String {
    credential.seal(&Keyring::new([KEY.as_bytes()]))
}

const KEY: &str = "thirty-two bytes that are no secret";

fn millis(seconds: i64) -> WallTime {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let now = i64::try_from(now.as_millis()).expect("before the year 292,278,994");
    WallTime::from_millis(u64::try_from(now + seconds * 1_000).expect("after 1970"))
}

fn ticket(arrived: WallTime) -> String {
    let (room, id) = (RoomId::of("main"), 7);
    let (confirmed, due, least_ahead) = (true, arrived, None);
    signed(Credential::Ticket(Ticket {
        room,
        id,
        arrived,
        confirmed,
        due,
        least_ahead,
        first_told: None,
        late: false,
        invited: false,
    }))
}

fn pass(seen: WallTime) -> String {
    let (room, id, confirmed) = (RoomId::of("main"), 7, true);
    signed(Credential::Pass(Pass {
        room,
        id,
        began: seen,
        seen,
        confirmed,
    }))
}

#[test]
fn what_is_signed_for_another_time_is_a_strangers_and_is_counted() {
    const DAY: i64 = 86_400;
    let origin = echo();
    let house = House::edited(origin.address, "[room.main]\nmode = \"hold\"\n", |text| {
        text.replace("[state]", &format!("[state]\nkeys = [\"{KEY}\"]"))
    });
    for (cookie, reason) in [
        (ticket(millis(DAY)), "from_the_future"),
        (pass(millis(DAY)), "from_the_future"),
        (ticket(millis(-400 * DAY)), "expired"),
        (pass(millis(-400 * DAY)), "expired"),
        // Within the life of the key, but not of the pass.
        (pass(millis(-2 * DAY)), "expired"),
    ] {
        let before = counted(&house, &[reason]);
        let answer = house.get("/", &[PAGE, ("Cookie", &format!("forebay-main={cookie}"))]);
        assert_eq!(answer.status, 503, "{reason}");
        assert!(
            answer
                .cookie("forebay-main")
                .is_some_and(|fresh| fresh != cookie)
        );
        assert!(counted(&house, &[reason]) > before, "{reason} of {cookie}");
    }
    let good = pass(millis(-1));
    assert_eq!(
        house
            .get("/", &[PAGE, ("Cookie", &format!("forebay-main={good}"))])
            .status,
        200
    );
}

fn counted(house: &House, reasons: &[&str]) -> f64 {
    reasons
        .iter()
        .map(|reason| {
            house.metric(
                "forebay_credentials_rejected_total",
                &[&format!("\"{reason}\"")],
            )
        })
        .sum()
}

#[test]
fn a_full_origin_opens_the_line_and_an_idle_one_closes_it() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |request| match request.target.as_str() {
        "/slow" => Reply::ok("slow").first(Step::Wait(held.clone())),
        _ => Reply::ok("quick"),
    });
    let rest = "limit = { mode = \"fixed\", concurrency = 2 }\nqueue = { length = 4, submit = \"30s\", visitor = \"5s\", stranger = \"200ms\" }\n";
    let house = House::start(origin.address, rest);
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let address = house.address;
            thread::spawn(move || ask(address, None, "GET", "/slow", &[PAGE], "").status)
        })
        .collect();
    wait_until(SOON, || origin.in_flight() == 2);
    let mut line: Vec<Visitor> = (0..4).map(|_| Visitor::new(&house)).collect();
    for visitor in &mut line {
        let answer = visitor.visit("/");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(visitor.cookie().is_some(), "a place in line, not an error");
        visitor.place();
    }
    assert_eq!(house.room()["state"], "queueing");
    assert!(origin.in_flight_max() <= 2);

    gate.open();
    for busy in busy {
        assert_eq!(busy.join().expect("a visit"), 200);
    }
    wait_until(Duration::from_secs(20), || {
        line.retain_mut(|visitor| {
            visitor.place()["state"] == "queueing" || visitor.visit("/").status != 200
        });
        line.is_empty()
    });
    wait_until(Duration::from_secs(30), || house.room()["state"] == "open");
    assert!(origin.in_flight_max() <= 2);
}

#[test]
fn with_the_room_off_a_full_origin_gives_a_short_answer_and_no_place_in_line() {
    let gate = Gate::closed();
    let held = gate.clone();
    let origin = Recorder::start(move |_| Reply::ok("slow").first(Step::Wait(held.clone())));
    let rest = "limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { stranger = \"100ms\" }\n\
                [room.main]\nmode = \"off\"\n";
    let house = House::start(origin.address, rest);
    let address = house.address;
    let blocking = thread::spawn(move || ask(address, None, "GET", "/", &[PAGE], "").status);
    wait_until(SOON, || origin.in_flight() == 1);
    let answer = Visitor::new(&house).visit("/");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert_eq!(house.room()["waiting"], 0);
    wait_until(SOON, || {
        house.log().iter().any(|line| line["class"] == "stranger")
    });
    gate.open();
    assert_eq!(blocking.join().expect("an answer"), 200);
}

#[test]
fn who_is_asked_for_one_moment_goes_before_those_inside_who_ask_later() {
    let first = Gate::closed();
    let held = first.clone();
    let origin = Recorder::start(move |request| match request.target.as_str() {
        "/slow" => Reply::ok("slow").first(Step::Wait(held.clone())),
        target => Reply::ok(target.to_owned()),
    });
    let rest = "limit = { mode = \"fixed\", concurrency = 1 }\nqueue = { visitor = \"3s\" }\n";
    let house = House::start(origin.address, rest);
    let mut inside: Vec<Visitor> = (0..3).map(|_| Visitor::new(&house)).collect();
    for visitor in &mut inside {
        assert_eq!(visitor.visit("/").status, 200);
    }
    let [mut blocks, mut early, later] = <[Visitor; 3]>::try_from(inside).expect("three");
    let blocking = thread::spawn(move || blocks.visit("/slow").status);
    wait_until(SOON, || origin.in_flight() == 1);

    let answer = early.visit("/early");
    assert_eq!(answer.status, 503, "{answer:?}");
    let cookie = answer
        .all("set-cookie")
        .find(|value| value.starts_with("forebay-~try="))
        .expect("the first try is carried along");
    assert!(cookie.contains("; Path=/early; "), "{cookie}");

    let asks = |mut visitor: Visitor, path: &'static str| {
        thread::spawn(move || visitor.visit(path).status)
    };
    let queued = |count| {
        wait_until(SOON, || {
            house.metric("forebay_queue_length", &["origin=\"portal\""]) == count
        });
    };
    let later = asks(later, "/later");
    queued(1.0);
    let early = asks(early, "/early");
    queued(2.0);
    first.open();
    let all: Vec<u16> = [blocking, later, early]
        .into_iter()
        .map(|asking| asking.join().expect("a visit"))
        .collect();
    assert_eq!(all, [200, 200, 200]);
    let order: Vec<String> = origin
        .requests()
        .iter()
        .map(|request| request.target.clone())
        .filter(|target| target == "/early" || target == "/later")
        .collect();
    assert_eq!(
        order,
        ["/early", "/later"],
        "in the order of the first tries"
    );
    assert!(
        origin.requests().iter().all(|request| request
            .header("cookie")
            .is_none_or(|line| !line.contains("forebay"))),
        "the origin sees none of it"
    );
}

#[test]
fn modes_change_at_once_for_every_worker() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let all = |status: u16| (0..16).all(|_| house.get("/", &[PAGE]).status == status);
    assert!(all(200));
    house.must(&["room", "main", "hold"]);
    assert!(all(503));
    house.must(&["room", "main", "off"]);
    assert!(all(200));
    house.must(&["room", "main", "queue-all"]);
    assert!(all(503));
    assert_eq!(house.room()["mode"], "queue-all");
    house.write("[room.main]\nmode = \"off\"\n");
    house.must(&["reload"]);
    assert!(all(200));
    let status: Value =
        serde_json::from_str(&house.must(&["room", "main", "status"])).expect("JSON");
    assert_eq!(status["mode"], "off");
    let unknown = house.command(&["room", "nowhere", "hold"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        unknown.stderr.contains("main"),
        "it names those that are: {}",
        unknown.stderr
    );
}

#[test]
fn what_a_page_says_of_a_place_is_what_its_visitor_keeps() {
    let origin = echo();
    let house = closed(&origin);
    let mut visitor = Visitor::queued(&house);
    let reference = visitor.place()["reference"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(visitor.visit("/").text().contains(&reference));
    house.must(&["room", "main", "off"]);
    assert_eq!(visitor.visit("/").status, 200);
    assert_eq!(
        visitor.place()["reference"],
        reference,
        "inside it is the same"
    );
}

#[test]
fn a_page_without_scripts_makes_its_second_contact_by_a_style_sheet() {
    let origin = echo();
    let house = House::start(origin.address, STILL);
    let mut visitor = Visitor::new(&house);
    let page = visitor.visit("/");
    let link = "/__forebay/here.css?room=main";
    let text = page.text();
    assert!(
        text.contains(&format!(
            "<noscript><link rel=\"stylesheet\" href=\"{link}\"></noscript>"
        )),
        "{text}"
    );
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("style-src 'self'"), "{policy}");
    let style = visitor.ask("GET", link, &[("Accept", "text/css,*/*;q=0.1")], "");
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, Some("text/css"))
    );
    assert!(style.cookie("forebay-main").is_some());
    wait_until(SOON, || house.room()["waiting"] == 1);
}

#[test]
fn our_own_addresses_answer_for_what_is_there_and_nothing_else() {
    let origin = echo();
    let house = House::start(origin.address, "");
    for (method, path, status) in [
        ("GET", "/__forebay/status?room=main", 200),
        ("GET", "/__forebay/status", 200),
        ("HEAD", "/__forebay/status", 200),
        ("GET", "/__forebay/status?room=nowhere", 404),
        ("GET", "/__forebay/", 404),
        ("GET", "/__forebay/../secret", 404),
        ("POST", "/__forebay/status", 405),
    ] {
        let answer = house.ask(method, path, &[], "");
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{method} {path}"
        );
    }
    assert!(origin.requests().is_empty());
    assert_eq!(
        house.get("/__forebaying", &[]).text(),
        "origin /__forebaying"
    );
    let stranger = Visitor::new(&house).place();
    assert_eq!(
        (stranger["state"].as_str(), &stranger["reference"]),
        (Some("open"), &Value::Null)
    );
}

#[test]
fn a_rate_and_a_cap_by_command_are_in_force_at_once() {
    let origin = echo();
    let house = House::start(origin.address, "");
    house.must(&["room", "main", "active", "2"]);
    let came: Vec<u16> = (0..4)
        .map(|_| Visitor::new(&house).visit("/").status)
        .collect();
    assert_eq!(came, [200, 200, 503, 503]);
    house.must(&["room", "main", "active", "unlimited"]);
    house.must(&["room", "main", "rate", "100/s"]);
    wait_until(SOON, || Visitor::new(&house).visit("/").status == 200);
    for words in [["rate", "many"], ["active", "0"]] {
        let refused = house.command(&["room", "main", words[0], words[1]]);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    }
}
