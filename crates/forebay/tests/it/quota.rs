//! Quotas: by client, by pass, by what a trusted proxy says.

use forebay_testkit::Answer;

use crate::house::{House, PAGE, Visitor, ask, echo};

const THREE: &str = "[quota.client]\nrate = \"3/h\"\nburst = 3\n";

fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

#[test]
fn over_the_quota_a_client_is_told_when_to_come_back() {
    let origin = echo();
    let house = House::start(origin.address, THREE);
    let answers: Vec<Answer> = (0..5).map(|_| house.get("/", &[])).collect();
    assert_eq!((count(&answers, 200), count(&answers, 429)), (3, 2));
    let refused = &answers[4];
    let wait: u64 = refused
        .header("retry-after")
        .and_then(|wait| wait.parse().ok())
        .expect("when");
    assert!((1..=3_600).contains(&wait), "{wait}");
    let policy = refused.header("ratelimit-policy").expect("a policy");
    assert!(policy.starts_with("\"client\";q=3;w=3600"), "{policy}");
    let limit = refused.header("ratelimit").expect("a limit");
    assert!(limit.starts_with("\"client\";r=0;t="), "{limit}");
    assert!(refused.header("proxy-status").is_some());
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert_eq!(origin.requests().len(), 3);
    assert!(
        house.metric("forebay_decisions_total", &["\"client_rate\""]) >= 2.0,
        "{}",
        house.metrics()
    );
}

#[test]
fn every_address_has_a_quota_of_its_own() {
    let origin = echo();
    let house = House::start(origin.address, THREE);
    for client in ["127.0.0.2", "127.0.0.3"] {
        let from = client.parse().ok();
        let answers: Vec<Answer> = (0..4)
            .map(|_| ask(house.address, from, "GET", "/", &[], ""))
            .collect();
        assert_eq!(
            (count(&answers, 200), count(&answers, 429)),
            (3, 1),
            "{client}"
        );
    }
}

#[test]
fn a_pass_has_a_quota_of_its_own_that_all_who_share_it_share() {
    let origin = echo();
    let rest = "[quota.pass]\nrate = \"4/h\"\nburst = 4\n";
    let house = House::start(origin.address, rest);
    let mut visitor = Visitor::new(&house);
    assert_eq!(visitor.visit("/").status, 200);
    let mut sharing = visitor.clone();
    let answers: Vec<Answer> = (0..6)
        .map(|turn| {
            if turn % 2 == 0 {
                visitor.visit("/")
            } else {
                sharing.visit("/")
            }
        })
        .collect();
    assert_eq!((count(&answers, 200), count(&answers, 429)), (4, 2));
    assert_eq!(house.get("/", &[PAGE]).status, 200, "others go on");
}

#[test]
fn only_a_trusted_proxy_names_the_client() {
    let origin = echo();
    let trusting = format!("{THREE}[client]\ntrusted_proxies = [\"127.0.0.1\"]\n");
    let house = House::start(origin.address, &trusting);
    let spread: Vec<Answer> = (0..6)
        .map(|turn| house.get("/", &[("X-Forwarded-For", &format!("198.51.100.{turn}"))]))
        .collect();
    assert_eq!(count(&spread, 200), 6);
    let one: Vec<Answer> = (0..4)
        .map(|turn| {
            house.get(
                "/",
                &[("X-Forwarded-For", &format!("10.9.9.{turn}, 203.0.113.5"))],
            )
        })
        .collect();
    assert_eq!(
        count(&one, 429),
        1,
        "what stands further left was written by anybody"
    );

    let alone = House::start(origin.address, THREE);
    let forged: Vec<Answer> = (0..4)
        .map(|turn| alone.get("/", &[("X-Forwarded-For", &format!("198.51.100.{turn}"))]))
        .collect();
    assert_eq!(count(&forged, 429), 1);
}

#[test]
fn the_line_has_a_budget_of_its_own() {
    let origin = echo();
    let rest =
        format!("{THREE}[quota.room]\nrate = \"20/h\"\nburst = 20\n[room.main]\nmode = \"hold\"\n");
    let house = House::start(origin.address, &rest);
    let pages: Vec<Answer> = (0..10).map(|_| house.get("/", &[PAGE])).collect();
    assert_eq!(count(&pages, 503), 10, "the line, and not an error");
    let polls: Vec<Answer> = (0..12)
        .map(|_| house.get("/__forebay/status", &[]))
        .collect();
    assert_eq!((count(&polls, 200), count(&polls, 429)), (10, 2));
}
