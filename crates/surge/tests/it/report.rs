//! A run's report is complete, whatever the target is, and its page is whole.

use std::net::{SocketAddr, TcpListener as StdListener};

use surge::crowd::Site;
use surge::report::{Mark, Moment, Report, html};
use surge::run::{Plan, Target, run};
use surge::scenario::Scenario;
use surge::tally::{GroupTally, Second};
use surge::view::View;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::site::{End, site, whole};

const SHORT: &str = r#"
    title = "Three seconds"
    story = "Half of the origin is gone for one of them."
    lasts = "3s"
    [origin]
    capacity = 200
    [[event]]
    at = "1s"
    lasts = "1s"
    says = "half of it is gone"
    set = { dead = 0.5 }
    [[crowd]]
    name = "people"
    arrivals = [["0s", 30], ["3s", 30]]
    visit = { think = "50ms" }
"#;

fn plan(target: Target) -> Plan {
    Plan {
        scenario: Scenario::parse(SHORT, "short.toml").unwrap(),
        target,
        name: "the target".to_owned(),
        view: View::Silent,
    }
}

/// What every report of `SHORT` has to hold.
fn is_complete(report: &Report) {
    assert_eq!(report.lasts, 3);
    assert!(
        report.tally.seconds.len() >= 3,
        "{:?}",
        report.tally.seconds.len()
    );
    assert!(report.tally.visits.begun > 30, "{:?}", report.tally.visits);
    let json = serde_json::to_string(report).unwrap();
    let read: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(&read, report, "nothing is lost on the way through JSON");
    is_whole(&html(std::slice::from_ref(report)));
}

/// And of those with a ground truth.
fn has_truth(report: &Report) {
    let peaks: Vec<_> = report.seconds.iter().map(|moment| moment.peak).collect();
    assert_eq!(peaks.len(), 3);
    assert!(
        peaks[1] < 0.7 * peaks[0] && peaks[2] == peaks[0],
        "{peaks:?}"
    );
    let in_time: u64 = report.seconds.iter().map(|moment| moment.in_time).sum();
    let origin = report.origin.as_ref().unwrap();
    assert!(
        in_time > 0 && in_time <= origin.in_time,
        "{in_time} of {origin:?}"
    );
    let goodput = report.goodput.unwrap();
    assert!(goodput > 0.1 && goodput < 1.5, "{goodput}");
    assert_eq!(report.goodput, report.goodput());
    assert_eq!(report.events[0].says, "half of it is gone");
}

#[tokio::test]
async fn a_bare_origin_is_reported_with_the_ground_truth() {
    let report = run(plan(Target::Bare)).await.unwrap();
    is_complete(&report);
    has_truth(&report);
    let busy = |note: &String| note.contains("The machine was so busy");
    assert!(report.notes.iter().all(busy), "{:?}", report.notes);
    assert_eq!(report.at_work, 87);
}

#[tokio::test]
async fn a_proxy_in_front_of_it_is_reported_with_the_ground_truth_behind() {
    let origin = free_address();
    let proxy = pass_through(origin).await;
    let target = Target::Proxy {
        site: Site::at(proxy),
        origin,
    };
    let report = run(plan(target)).await.unwrap();
    is_complete(&report);
    has_truth(&report);
}

#[tokio::test]
async fn a_site_of_ones_own_is_reported_without_and_says_so() {
    let target = site(|_head| (whole(200, "", "hello"), End::Fin)).await;
    let report = run(plan(Target::Site(Site::at(target)))).await.unwrap();
    is_complete(&report);
    assert_eq!((report.goodput, report.origin.is_none()), (None, true));
    let notes = report.notes.join(" ");
    assert!(
        notes.contains("goodput is not known") && notes.contains("half of it is gone"),
        "{notes}"
    );
}

#[tokio::test]
async fn an_origin_that_cannot_be_started_is_an_error() {
    let taken = StdListener::bind("127.0.0.1:0").unwrap();
    let origin = taken.local_addr().unwrap();
    let target = Target::Proxy {
        site: Site::at(origin),
        origin,
    };
    assert!(run(plan(target)).await.is_err());
}

/// An address that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// The smallest proxy: it passes bytes on.
async fn pass_through(origin: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _peer)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut far) = TcpStream::connect(origin).await {
                    copy_bidirectional(&mut near, &mut far).await.ok();
                }
            });
        }
    });
    address
}

/// Two targets, everything counted, and names that try to be markup.
fn invented() -> Vec<Report> {
    let evil = r#"<script>alert("1")</script> & 'sons'"#;
    let second = |index: u64| Second {
        begun: 30 + index,
        completed: index,
        wanted: 200,
        outstanding: 40 * index,
        page: 100,
        waiting_page: 20,
        busy: 5,
        limited: 4,
        error: 3,
        reset: 2,
        refused: 1,
        unanswered: 6,
        waiting: 30 * index,
        p50_us: 20_000,
        p90_us: 90_000,
        p99_us: 800_000 + index,
        ..Second::default()
    };
    let report = |name: &str, goodput| {
        let mut report = Report {
            name: name.to_owned(),
            lasts: 10,
            machine: evil.to_owned(),
            notes: vec![evil.to_owned()],
            goodput,
            ..Report::default()
        };
        report.scenario.title = evil.to_owned();
        report.scenario.story = evil.to_owned();
        report.scenario.source = evil.to_owned();
        report.tally.seconds = (0..10).map(second).collect();
        report.tally.visits.begun = 345;
        let group = |name: &str| GroupTally {
            name: name.to_owned(),
            ..GroupTally::default()
        };
        report.tally.groups = vec![group(evil), group("others")];
        report.tally.generator.seconds_limited = 3;
        report.tally.generator.seconds = 10;
        report.events = vec![Mark {
            at: 2.0,
            lasts: 3.0,
            says: evil.to_owned(),
        }];
        report
    };
    let mut truth = report(evil, Some(0.93));
    let moment = Moment {
        in_time: 90,
        useful: 95,
        wasted: 10,
        reset: 3,
        in_flight: 80,
        peak: 100.0,
    };
    truth.seconds = vec![moment; 10];
    vec![truth, report("Its neighbour", None)]
}

#[test]
fn the_page_is_whole_and_asks_for_nothing_from_anywhere() {
    let page = html(&invented());
    is_whole(&page);
    assert!(
        page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;sons&#39;")
    );
    // Six questions, for each of two targets; nothing of the origin's for the neighbour.
    assert_eq!(page.matches("<svg class=\"plot\"").count(), 12);
    assert!(page.contains("the crowd itself was at its limit in 3 of 10 seconds"));
    assert!(page.contains("Its neighbour"));
}

#[test]
fn a_page_without_runs_is_a_page_all_the_same() {
    is_whole(&html(&[]));
    is_whole(&html(&[Report::default()]));
}

/// Every element is closed in turn, nothing is loaded, and plots are said in words.
fn is_whole(page: &str) {
    for outside in [
        "http:",
        "https:",
        "//",
        "src=",
        "@import",
        "<script",
        "<link rel=\"style",
    ] {
        assert!(!page.contains(outside), "{outside} in the page");
    }
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(
        page.matches("<svg class=\"plot\"").count(),
        page.matches("role=\"img\" aria-label=\"").count()
    );
    let mut open = Vec::new();
    let (_doctype, body) = page.split_once('>').unwrap();
    let body = strip_style(body);
    for tag in body.split('<').skip(1) {
        let (tag, _text) = tag.split_once('>').unwrap();
        let name = tag.split_whitespace().next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "in {tag}");
        } else if !tag.ends_with('/') && !["meta", "link"].contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?} is never closed");
}

/// Style is not markup: `>` in it closes nothing.
fn strip_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_style, after) = rest.split_once("</style>").unwrap();
    format!("{before}{after}")
}
