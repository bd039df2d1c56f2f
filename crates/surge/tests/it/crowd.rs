//! Visitors behave like visitors, and the crowd stays within its bounds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Group, Script, Site, Sources, Visit};
use surge::origin::{Origin, OriginSettings};
use surge::tally::Tally;

use crate::site::{End, site, wait_until, whole};

/// People who do not think long.
fn brisk() -> Visit {
    Visit {
        think: Duration::from_millis(20),
        scripted: 1.0,
        ..Visit::default()
    }
}

/// About a dozen visitors, and time to get through for all of them.
fn few(target: SocketAddr, visit: Visit) -> CrowdSettings {
    let lasts = Duration::from_secs(30);
    let mut few = CrowdSettings::steady(Site::at(target), 40.0, lasts);
    few.groups[0].arrivals = Curve::steady(40.0, Duration::from_millis(300));
    few.groups[0].behaviour = Behaviour::Visit(visit);
    few
}

/// The tally once everybody who came has left.
async fn all_gone(settings: CrowdSettings) -> Tally {
    let crowd = Crowd::start(settings);
    wait_until("all have left", || {
        let tally = crowd.tally();
        tally.seconds.len() > 1 && tally.visits.alive() == 0
    })
    .await;
    crowd.tally()
}

#[tokio::test]
async fn a_visit_fills_in_the_whole_form_and_the_origin_agrees() {
    let service = Duration::from_millis(5);
    let origin = Origin::start(OriginSettings {
        service,
        ..OriginSettings::default()
    })
    .unwrap();
    let tally = all_gone(few(origin.address(), brisk())).await;
    let stats = origin.stop().await;
    assert!(tally.visits.begun >= 3);
    assert_eq!(tally.visits.completed, tally.visits.begun, "{tally:?}");
    assert_eq!(stats.forms, tally.visits.completed);
    assert_eq!((stats.duplicates, stats.wasted), (0, 0));
    // The welcome, three pages, three posts and their redirects, the thank-you.
    assert_eq!(tally.requests.page, 8 * tally.visits.begun);
    let people = &tally.groups[0];
    assert_eq!(people.forms.page, 3 * tally.visits.begun);
    assert_eq!(people.forms.begun, people.forms.page);
    // All but the welcome, which is asked for from outside.
    assert_eq!(people.navigations.page, 4 * tally.visits.begun);
}

#[tokio::test]
async fn a_script_with_jars_comes_again_with_the_cookie_of_each() {
    let passes = Arc::new(AtomicU32::new(0));
    let given = Arc::clone(&passes);
    let target = site(move |head| {
        let fields = if head.contains("Cookie: forebay-main=") {
            assert!(head.contains("Sec-Fetch-Dest: document"), "{head}");
            "Connection: close\r\n".to_owned()
        } else {
            let pass = given.fetch_add(1, Ordering::Relaxed);
            format!("Connection: close\r\nSet-Cookie: forebay-main={pass}\r\n")
        };
        (whole(200, &fields, "page"), End::Fin)
    })
    .await;
    let lasts = Duration::from_secs(30);
    let mut script = CrowdSettings::steady(Site::at(target), 40.0, lasts);
    script.groups[0].arrivals = Curve::steady(100.0, Duration::from_millis(500));
    script.groups[0].behaviour = Behaviour::Script(Script {
        connections: 2,
        jars: 5,
        ..Script::default()
    });
    let crowd = Crowd::start(script);
    wait_until("all have been answered", || {
        let tally = crowd.tally();
        tally.seconds.len() > 1 && tally.requests.ended() == tally.requests.begun
    })
    .await;
    assert!(crowd.tally().requests.page > 20);
    assert_eq!(passes.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn a_client_without_cookies_never_gets_past_the_forms_first_page() {
    let service = Duration::from_millis(5);
    let origin = Origin::start(OriginSettings {
        service,
        ..OriginSettings::default()
    })
    .unwrap();
    let settings = few(
        origin.address(),
        Visit {
            cookies: false,
            ..brisk()
        },
    );
    let tally = all_gone(settings).await;
    assert_eq!((tally.visits.completed, origin.stats().forms), (0, 0));
    assert_eq!(tally.visits.lost_mid_form, tally.visits.begun);
}

/// Without it the next request might meet the end of the connection on its way.
const CLOSES: &str = "Connection: close\r\n";

/// A room whose ticket counts the contacts: the fourth one gets in. `ahead` says what
/// the n-th contact is told.
async fn room(ahead: fn(u32) -> u32) -> SocketAddr {
    site(move |head| {
        let contact = head
            .split_once("forebay-main=")
            .and_then(|(_before, value)| value.chars().next()?.to_digit(10))
            .unwrap_or(0);
        let next = contact + 1;
        let ahead = ahead(contact);
        let cookie = format!("{CLOSES}Set-Cookie: forebay-main={next}; Path=/; HttpOnly\r\n");
        let answer = if head.starts_with("GET /__forebay/status?room=main&wait=1 ") {
            let state = if contact >= 3 { "called" } else { "queueing" };
            let json = format!(
                r#"{{"room":"main","state":"{state}","ahead":{ahead},"eta_seconds":{{"p50":2,"p90":60}},"poll_after_seconds":1}}"#
            );
            whole(200, &cookie, &json)
        } else if head.starts_with("GET /__forebay/here.css?room=main ") {
            whole(200, &cookie, "")
        } else if contact >= 3 {
            whole(200, "", "inside")
        } else {
            let here = "<noscript><link rel=\"stylesheet\" href=\"/__forebay/here.css?room=main\">";
            let page = format!(
                "<main data-state=\"queueing\" data-ahead=\"{ahead}\" data-counting>{here}"
            );
            whole(503, &format!("Retry-After: 0\r\n{cookie}"), &page)
        };
        (answer, End::Fin)
    })
    .await
}

async fn all_get_in(target: SocketAddr, scripted: f64) -> Tally {
    let visit = Visit {
        pages: 0,
        scripted,
        ..brisk()
    };
    let tally = all_gone(few(target, visit)).await;
    let Tally { visits, line, .. } = &tally;
    assert!(visits.begun >= 3);
    assert_eq!(
        visits.completed, visits.begun,
        "scripted {scripted}: {tally:?}"
    );
    assert_eq!((line.joined, line.entered), (visits.begun, visits.begun));
    assert_eq!(
        (line.places_lost, line.sent_back, visits.waiting),
        (0, 0, 0)
    );
    let pages = tally.requests.page;
    assert_eq!(
        pages, visits.begun,
        "the waiting page is no page of the site"
    );
    tally
}

#[tokio::test]
async fn visitors_wait_in_line_with_and_without_script_and_get_in() {
    let target = room(|contact| 9 - contact.min(9)).await;
    let (scripted, by_hand) = tokio::join!(all_get_in(target, 1.0), all_get_in(target, 0.0));
    let (told, begun) = (scripted.line.told, scripted.visits.begun);
    assert_eq!((told.count, told.below_p90_permille), (begun, 1_000));
    assert_eq!(
        by_hand.line.told.count, 0,
        "who has no script is told no figure"
    );
    // The page and its style sheet count as contacts: two pages of each, and in.
    assert_eq!(by_hand.requests.waiting, 4 * by_hand.visits.begun);
    assert!(
        scripted.line.wait_p50_ms >= 3_000,
        "the page says for 3 s that it leaves"
    );
    let most = scripted
        .seconds
        .iter()
        .map(|second| second.outstanding)
        .max();
    assert_eq!(most, Some(begun), "in line is outstanding");
    let wanted: u64 = scripted.seconds.iter().map(|second| second.wanted).sum();
    assert_eq!(wanted, begun, "asking again is not wanting anew");
    assert_eq!(
        scripted.seconds.last().map(|second| second.outstanding),
        Some(0)
    );
}

#[tokio::test]
async fn a_program_without_cookies_never_waits_in_line() {
    let target = room(|contact| 9 - contact.min(9)).await;
    let visit = Visit {
        pages: 0,
        cookies: false,
        patience: Duration::from_secs(1),
        ..brisk()
    };
    let tally = all_gone(few(target, visit)).await;
    assert_eq!((tally.line.joined, tally.visits.completed), (0, 0));
    assert_eq!(tally.visits.given_up, tally.visits.begun);
    assert!(tally.requests.waiting > 2 * tally.visits.begun, "{tally:?}");
}

#[tokio::test]
async fn a_room_that_tells_a_larger_number_has_lost_the_place() {
    let target = room(|contact| 5 + contact.min(3)).await;
    let settings = few(
        target,
        Visit {
            pages: 0,
            ..brisk()
        },
    );
    let Tally { visits, line, .. } = all_gone(settings).await;
    assert_eq!(visits.completed, visits.begun);
    assert_eq!(
        line.places_lost,
        3 * visits.begun,
        "once for each contact after the first"
    );
}

#[tokio::test]
async fn the_crowd_keeps_to_its_bounds_and_says_that_it_was_the_limit() {
    let target = site(|_head| (String::new(), End::Never)).await;
    let mut bounded = few(target, brisk());
    bounded.groups[0].arrivals = Curve::steady(40.0, Duration::from_millis(500));
    bounded.lasts = Duration::from_millis(600);
    bounded.visitors_max = 5;
    bounded.connections_max = 2;
    let tally = Crowd::start(bounded).finish().await;
    assert_eq!(tally.visits.alive(), 5);
    assert!(tally.visits.not_begun > 0);
    assert_eq!(tally.generator.connections_waited, 3);
    assert!(tally.crowd_was_the_limit());
}

#[tokio::test]
async fn an_impatient_visitor_reloads_and_gives_up_in_the_end() {
    let target = site(|_head| (String::new(), End::Never)).await;
    let settings = few(
        target,
        Visit {
            reload_probability: 1.0,
            reload_after: Duration::from_millis(100),
            patience: Duration::from_millis(800),
            ..brisk()
        },
    );
    let Tally {
        visits, requests, ..
    } = all_gone(settings).await;
    assert_eq!((visits.given_up, visits.alive()), (visits.begun, 0));
    assert_eq!(requests.abandoned, requests.begun);
    assert!(requests.begun > 2 * visits.begun, "{requests:?}");
}

#[tokio::test]
async fn the_same_seed_brings_the_same_crowd() {
    let target = site(|_head| (whole(200, "", "hello"), End::Fin)).await;
    let settings = few(
        target,
        Visit {
            pages: 0,
            ..brisk()
        },
    );
    let first = all_gone(settings.clone()).await.visits;
    let second = all_gone(settings).await.visits;
    assert_eq!(first, second);
}

#[tokio::test]
async fn one_moment_is_no_place_in_line() {
    let target = site(|_head| {
        let page = "<main data-state=\"called\" data-retry=\"1\" data-site=\"\">";
        (whole(503, "Retry-After: 1\r\n", page), End::Fin)
    })
    .await;
    let visit = Visit {
        patience: Duration::from_secs(2),
        ..brisk()
    };
    let tally = all_gone(few(target, visit)).await;
    assert_eq!(
        (tally.line.joined, tally.requests.busy),
        (0, tally.requests.begun)
    );
    // Nobody comes back earlier than the page does, nor stays longer than patience.
    assert!(tally.requests.begun <= 5 * tally.visits.begun, "{tally:?}");
    assert_eq!(tally.visits.given_up, tally.visits.begun);
}

/// A form of two pages whose second page comes only as `second` says for the n-th try.
async fn form(second: fn(u32) -> (String, End)) -> (SocketAddr, Arc<AtomicU32>) {
    let posts = Arc::new(AtomicU32::new(0));
    let (counted, tries) = (Arc::clone(&posts), AtomicU32::new(0));
    let page = |step: u32| {
        let action = format!("<form method=\"post\" action=\"/apply/{step}\">");
        whole(
            200,
            CLOSES,
            &format!("<main>{action}<input name=\"token\" value=\"x\"></main>"),
        )
    };
    let address = site(move |head| {
        let answer = match head.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["POST", "/apply/1"] => {
                counted.fetch_add(1, Ordering::Relaxed);
                whole(303, "Location: /apply/2\r\nConnection: close\r\n", "")
            }
            ["POST", "/apply/2"] => {
                whole(303, "Location: /apply/done\r\nConnection: close\r\n", "")
            }
            ["GET", "/apply/1"] => page(1),
            ["GET", "/apply/2"] => match tries.fetch_add(1, Ordering::Relaxed) {
                early if early < 5 => return second(early),
                _late => page(2),
            },
            _ => whole(200, CLOSES, "hello"),
        };
        (answer, End::Fin)
    })
    .await;
    (address, posts)
}

#[tokio::test]
async fn what_a_post_led_to_is_asked_for_again_without_posting_again() {
    let (target, posts) = form(|_try| (String::new(), End::Rst)).await;
    let tally = all_gone(few(target, brisk())).await;
    assert_eq!(tally.visits.completed, tally.visits.begun, "{tally:?}");
    assert_eq!(u64::from(posts.load(Ordering::Relaxed)), tally.visits.begun);
    assert_eq!(tally.requests.reset_before, 5);
    // The welcome, two pages, two posts and the thank-you; the second page is what the
    // first post leads to.
    let wanted: u64 = tally.seconds.iter().map(|second| second.wanted).sum();
    assert_eq!(wanted, 6 * tally.visits.begun);
}

#[tokio::test]
async fn who_is_thrown_back_to_the_forms_begin_has_lost_it() {
    let (target, _posts) = form(|_try| {
        (
            whole(303, "Location: /apply/1\r\nConnection: close\r\n", ""),
            End::Fin,
        )
    })
    .await;
    let tally = all_gone(few(target, brisk())).await;
    assert_eq!(
        (tally.visits.lost_mid_form, tally.visits.alive()),
        (5, 0),
        "{tally:?}"
    );
    assert_eq!(tally.visits.completed, tally.visits.begun - 5);
    let lost: u64 = tally.seconds.iter().map(|second| second.lost).sum();
    assert_eq!(lost, 5);
}

#[tokio::test]
async fn groups_are_counted_apart_and_one_does_not_move_the_other() {
    let target = site(|_head| (whole(200, "", "hello"), End::Fin)).await;
    let visit = Visit {
        pages: 0,
        ..brisk()
    };
    let alone = few(target, visit);
    let mut both = alone.clone();
    both.groups.push(Group {
        name: "late".to_owned(),
        sources: Sources::Forwarded { prefix: [203, 0] },
        arrivals: Curve::steady(60.0, Duration::from_millis(500)),
        ..both.groups[0].clone()
    });
    let (alone, both) = tokio::join!(all_gone(alone), all_gone(both));
    let begun = |tally: &Tally| {
        tally
            .groups
            .iter()
            .map(|group| group.visits.begun)
            .collect::<Vec<_>>()
    };
    assert_eq!(begun(&alone)[0], begun(&both)[0]);
    assert_eq!(both.visits.begun, begun(&both).iter().sum::<u64>());
    assert_eq!(both.visits.completed, both.visits.begun);
    assert_eq!(both.groups[1].name, "late");
}
