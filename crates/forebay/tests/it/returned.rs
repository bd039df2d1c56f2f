//! A place in line that moves to another browser by a link.

use forebay_testkit::{Answer, wait_until};
use serde_json::Value;

use crate::house::{House, PAGE, SOON, Visitor, echo};

const HELD: &str = "[room.main]\nmode = \"hold\"\n";
const PROGRAM: (&str, &str) = ("Accept", "application/json");
const SITE: &str = "http://site.test";

/// The address of a visitor's link on this host.
fn link(visitor: &mut Visitor, more: &str) -> String {
    let path = format!("/__forebay/link?room=main{more}");
    let answer = visitor.ask("GET", &path, &[PROGRAM], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    let made: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(made["expires_seconds"], 1_800, "{made}");
    let link = made["link"].as_str().expect("a link");
    link.strip_prefix(SITE).expect("on this host").to_owned()
}

/// Presses the button on the link's page.
fn press(visitor: &mut Visitor, link: &str) -> Answer {
    visitor.ask("POST", link, &[PAGE, ("Origin", SITE)], "")
}

fn reference(visitor: &mut Visitor) -> Value {
    visitor.place()["reference"].clone()
}

#[test]
fn another_browser_gets_the_same_place_once_and_previews_use_nothing_up() {
    let origin = echo();
    let house = House::start(origin.address, HELD);
    let mut first = Visitor::queued(&house);
    let told = first.place()["ahead"].as_u64();
    let link = link(&mut first, "&to=%2Fapply%3Fstep%3D2");
    for _ in 0..3 {
        let mut preview = Visitor::new(&house);
        let page = preview.visit(&link);
        assert_eq!(page.status, 200);
        assert!(page.text().contains("<form method=\"post\">"), "{page:?}");
        assert_eq!(page.header("referrer-policy"), Some("strict-origin"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(preview.cookie(), None);
    }
    let mut second = Visitor::new(&house);
    let answer = press(&mut second, &link);
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(answer.header("location"), Some("/apply?step=2"));
    assert_eq!(reference(&mut second), reference(&mut first));
    assert!(second.place()["ahead"].as_u64() <= told, "never more");
    let mut third = Visitor::new(&house);
    let again = press(&mut third, &link);
    assert_eq!(again.status, 410, "{again:?}");
    assert!(again.text().contains("used already"), "{again:?}");
    assert_eq!(third.cookie(), None);
    // One visitor inside, however many browsers come.
    house.must(&["room", "main", "queue-all"]);
    house.must(&["room", "main", "rate", "100/s"]);
    wait_until(SOON, || first.visit("/").status == 200);
    wait_until(SOON, || second.visit("/").status == 200);
    assert_eq!(reference(&mut second), reference(&mut first));
    wait_until(SOON, || house.room()["active"] == 1);
}

#[test]
fn a_link_that_was_opened_stays_so_after_a_kill() {
    let origin = echo();
    let mut house = House::start(origin.address, HELD);
    let mut first = Visitor::queued(&house);
    let (used, unused) = (link(&mut first, ""), link(&mut first, ""));
    let mut second = Visitor::new(&house);
    assert_eq!(press(&mut second, &used).status, 303);
    house.program.kill();
    house.start_again();
    assert_eq!(press(&mut Visitor::new(&house), &used).status, 410);
    let mut third = Visitor::new(&house);
    assert_eq!(press(&mut third, &unused).status, 303);
    assert_eq!(reference(&mut third), reference(&mut first));
}

#[test]
fn a_link_that_is_of_no_use_says_so_and_gives_nothing() {
    let origin = echo();
    let house = House::start(
        origin.address,
        &format!("{HELD}[room.other]\nmode = \"hold\"\n"),
    );
    let mut first = Visitor::queued(&house);
    let good = link(&mut first, "");
    let code = good
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let code = code.expect("a code").to_owned();
    let changed: String = code.chars().rev().collect();
    let bad = [
        good.replace(&code, &changed),
        good.replace(&code, &code[1..]),
        good.replace(&code, ""),
        good.replace(&code, "%00%22%3Cscript%3E"),
        good.replace(&code, &"A".repeat(4_000)),
        good.replace(&code, first.cookie().expect("a ticket")),
        good.replace("room=main", "room=other"),
    ];
    for link in bad {
        for method in ["GET", "POST"] {
            let mut visitor = Visitor::new(&house);
            let answer = visitor.ask(method, &link, &[PAGE], "");
            assert_eq!(answer.status, 400, "{link}");
            assert!(!answer.text().contains("<script"), "{link}");
            assert!(visitor.cookies.is_empty(), "{link}");
        }
    }
    let nowhere = Visitor::new(&house).visit(&good.replace("room=main", "room=nowhere"));
    assert_eq!(nowhere.status, 404);
    // A code of a key that is distrusted now.
    house.must(&["keys", "rotate", "--distrust"]);
    assert_eq!(press(&mut Visitor::new(&house), &good).status, 400);
}

#[test]
fn neither_another_site_nor_a_crafted_page_leads_anybody_astray() {
    let origin = echo();
    let house = House::start(origin.address, HELD);
    let mut first = Visitor::queued(&house);
    let mut victim = Visitor::queued(&house);
    let kept = victim.cookie().map(str::to_owned);
    let good = link(&mut first, "");
    for field in [
        ("Origin", "https://evil.test"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        let answer = victim.ask("POST", &good, &[PAGE, field], "");
        assert_eq!(answer.status, 403, "{field:?}");
        assert_eq!(victim.cookie().map(str::to_owned), kept);
    }
    for to in [
        "%2F%2Fevil.test",
        "https%3A%2F%2Fevil.test",
        "%2F%5Cevil.test",
        "%0D%0Ax",
    ] {
        let link = link(&mut first, &format!("&to={to}"));
        let crafted = format!("{link}&to={to}");
        let answer = press(&mut Visitor::new(&house), &crafted);
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/")),
            "{to}"
        );
    }
}

#[test]
fn the_page_before_is_where_the_link_leads_and_who_has_no_place_has_no_link() {
    let origin = echo();
    let house = House::start(origin.address, HELD);
    let mut first = Visitor::queued(&house);
    let from = [PAGE, ("Referer", "http://site.test/apply/start")];
    let page = first.ask("GET", "/__forebay/link?room=main", &from, "");
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(text.contains("to=%2Fapply%2Fstart"), "{text}");
    for (accept, kind) in [(PAGE, "text/html"), (PROGRAM, "application/json")] {
        let nobody = house.get("/__forebay/link?room=main", &[accept]);
        assert_eq!(nobody.status, 404);
        let found = nobody.header("content-type").expect("a type");
        assert!(found.starts_with(kind), "{found}");
    }
    let french = [PAGE, ("Accept-Language", "fr")];
    let page = first.ask("GET", "/__forebay/link?room=main", &french, "");
    assert!(page.text().contains("<html lang=\"fr\">"), "{page:?}");
}

#[test]
fn who_is_revoked_has_no_place_to_give_away() {
    let origin = echo();
    let house = House::start(origin.address, HELD);
    let mut first = Visitor::queued(&house);
    let good = link(&mut first, "");
    let shown = reference(&mut first)
        .as_str()
        .expect("a reference")
        .to_owned();
    house.must(&["room", "main", "revoke", &shown]);
    assert_eq!(press(&mut Visitor::new(&house), &good).status, 400);
}
