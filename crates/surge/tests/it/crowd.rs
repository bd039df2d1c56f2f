//! Visitors behave like visitors, and the crowd stays within its bounds.

use std::net::SocketAddr;
use std::time::Duration;

use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Site, Visit};
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
        let cookie = format!("Set-Cookie: forebay-main={next}; Path=/; HttpOnly\r\n");
        let answer = if head.starts_with("GET /__forebay/status?room=main ") {
            let state = if contact >= 3 { "called" } else { "queueing" };
            let json = format!(
                r#"{{"room":"main","state":"{state}","ahead":{ahead},"poll_after_seconds":0.2}}"#
            );
            whole(200, &cookie, &json)
        } else if contact >= 3 {
            whole(200, "", "inside")
        } else {
            let page = format!("<main data-state=\"queueing\" data-ahead=\"{ahead}\">");
            whole(503, &format!("Retry-After: 0\r\n{cookie}"), &page)
        };
        (answer, End::Fin)
    })
    .await
}

#[tokio::test]
async fn visitors_wait_in_line_with_and_without_script_and_get_in() {
    let target = room(|contact| 9 - contact).await;
    for scripted in [1.0, 0.0] {
        let settings = few(
            target,
            Visit {
                pages: 0,
                scripted,
                ..brisk()
            },
        );
        let Tally {
            visits,
            line,
            requests,
            ..
        } = all_gone(settings).await;
        assert!(visits.begun >= 3);
        assert_eq!(
            visits.completed, visits.begun,
            "scripted {scripted}: {visits:?}"
        );
        assert_eq!((line.joined, line.entered), (visits.begun, visits.begun));
        assert_eq!(
            (line.places_lost, line.sent_back, visits.waiting),
            (0, 0, 0)
        );
        assert_eq!(
            requests.page, visits.begun,
            "the waiting page is no page of the site"
        );
    }
}

#[tokio::test]
async fn a_room_that_tells_a_larger_number_has_lost_the_place() {
    let target = room(|contact| 5 + contact).await;
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
