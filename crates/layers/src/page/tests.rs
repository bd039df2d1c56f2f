//! What is promised of every page, in every language.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const WORST: Waiting<'_> = Waiting {
    room: "a-room-whose-name-is-as-long-as-names-of-rooms-are-likely-to-get",
    state: WaitState::Queueing,
    ahead: Some(u32::MAX),
    eta: Some((
        Duration::from_secs(359_000),
        Duration::from_secs(360_000_000),
    )),
    poll_after: Duration::from_secs(u32::MAX as u64),
    keep: Duration::from_secs(86_000),
    reference: "0123456789abcdef",
    counting: true,
    form: true,
};

fn settings() -> PageSettings {
    PageSettings {
        site_name: Some("The Department of Long and Official Names".to_owned()),
        contact: Some("+1 555 0100, help@apply.example, every day from 8 to 20".to_owned()),
        ..PageSettings::default()
    }
}

fn pages() -> Pages {
    Pages::new(&settings()).unwrap()
}

fn choices(pages: &Pages) -> [LanguageChoice; 3] {
    [Some("en"), Some("fr"), None].map(|header| pages.choose(header))
}

fn text(page: Bytes) -> String {
    String::from_utf8(page.to_vec()).unwrap()
}

/// Every page for one choice of languages, in every state and of every kind.
fn every(pages: &Pages, choice: LanguageChoice) -> Vec<String> {
    let mut all = Vec::new();
    for form in [false, true] {
        for state in [WaitState::Queueing, WaitState::Called, WaitState::Closed] {
            all.push(pages.waiting(
                choice,
                &Waiting {
                    state,
                    form,
                    ..WORST
                },
            ));
        }
        let retry_after = Duration::from_millis(2_500);
        all.push(pages.busy(
            choice,
            &Busy {
                retry_after,
                reference: "r",
                form,
            },
        ));
        for kind in ErrorKind::ALL {
            let retry_after = Some(retry_after);
            let failure = Failure {
                status: 503,
                kind,
                retry_after,
                reference: "r",
                form,
            };
            all.push(pages.error(choice, &failure));
        }
    }
    all.into_iter().map(text).collect()
}

fn every_page() -> Vec<String> {
    let pages = pages();
    choices(&pages)
        .into_iter()
        .flat_map(|choice| every(&pages, choice))
        .collect()
}

fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    page.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[test]
fn every_page_fits_into_the_first_flight_with_its_header() {
    for page in every_page() {
        assert!(
            page.len() + 700 <= 14_600,
            "{} bytes: {}",
            page.len(),
            between(&page, "<title>", "<")
        );
    }
}

#[test]
fn a_page_fits_into_the_room_set_aside_for_it() {
    let pages = pages();
    for choice in choices(&pages) {
        let edition = pages.edition(choice);
        let written = pages.waiting(choice, &WORST).len();
        let fixed = edition.waiting[1].render(0, |_, _| {}).len();
        assert!(written - fixed <= WORST.spare(), "{} more", written - fixed);
    }
}

#[test]
fn nothing_is_left_unfilled() {
    for page in every_page() {
        assert!(!page.contains("{{"), "{page}");
        assert!(
            !page.contains("<title></title>") && !page.contains("<h1></h1>"),
            "{page}"
        );
    }
}

#[test]
fn a_page_loads_nothing_and_leads_nowhere_else() {
    for page in every_page() {
        let page = page.replace("xmlns='http://www.w3.org/2000/svg'", "");
        for outside in [
            "http:", "https:", "url(", "@import", " src=", " action=", "style=\"", " on",
        ] {
            let found = page.match_indices(outside).filter(|(at, _)| {
                // Words such as "go on" are no event handlers.
                outside != " on"
                    || page[at + 3..]
                        .split(['=', ' ', '\n'])
                        .next()
                        .is_some_and(|name| page[at + 3 + name.len()..].starts_with("=\""))
            });
            assert_eq!(found.count(), 0, "{outside} in {page}");
        }
        // The one thing that a page asks for is its own, empty, and only for who runs no script.
        let counted = "<noscript><link rel=\"stylesheet\" href=\"/__forebay/here.css?room=";
        for link in page.replace(counted, "").split(" href=\"").skip(1) {
            assert!(link.starts_with('"') || link.starts_with("data:"), "{link}");
        }
    }
}

#[test]
fn the_policy_allows_exactly_the_pages_own_style_and_script() {
    let pages = pages();
    for page in every_page() {
        for (element, directive) in [("style", "style-src 'self'"), ("script", "script-src")] {
            let (start, end) = (format!("<{element}>"), format!("</{element}>"));
            assert_eq!(page.matches(&format!("<{element}")).count(), 1);
            let inline = between(&page, &start, &end);
            let hash = STANDARD.encode(digest(&SHA256, inline.as_bytes()));
            let policy = pages.csp().to_str().unwrap();
            assert!(
                policy.contains(&format!("{directive} 'sha256-{hash}';")),
                "{policy}"
            );
        }
    }
    assert!(
        pages
            .csp()
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'; ")
    );
}

#[test]
fn every_language_has_exactly_the_texts_that_the_pages_use() {
    let settings = settings();
    let catalogues = catalogues(&[]).unwrap();
    for (index, (tag, catalogue)) in catalogues.iter().enumerate() {
        for key in catalogue.keys() {
            let mut without = catalogues.clone();
            without[index].1 = catalogue.without(key);
            assert!(
                Pages::compile(&settings, &without).is_err(),
                "`{key}` of `{tag}` is not used"
            );
        }
    }
}

#[test]
fn the_language_is_the_visitors_or_all() {
    let pages = pages();
    let cases = [
        (Some("fr-CA,fr;q=0.9,en;q=0.1"), "fr"),
        (Some("en-GB"), "en"),
        (Some("de"), "en, fr"),
        (None, "en, fr"),
    ];
    for (header, expected) in cases {
        let choice = pages.choose(header);
        assert_eq!(pages.content_language(choice), expected);
        let page = text(pages.waiting(choice, &WORST));
        let spoken: Vec<_> = page
            .split("<section lang=\"")
            .skip(1)
            .map(|section| &section[..2])
            .collect();
        assert_eq!(spoken.join(", "), expected);
        assert!(page.contains(&format!("<html lang=\"{}\">", spoken[0])));
    }
}

#[test]
fn the_operators_order_and_choice_of_languages_count() {
    let languages = |tags: &[&str]| {
        let languages = tags.iter().map(|&tag| tag.to_owned()).collect();
        Pages::new(&PageSettings {
            languages,
            ..PageSettings::default()
        })
    };
    let pages = languages(&["fr", "EN", "fr"]).unwrap();
    assert_eq!(pages.content_language(pages.choose(None)), "fr, en");
    let pages = languages(&["fr"]).unwrap();
    assert_eq!(pages.content_language(pages.choose(Some("en"))), "fr");
    assert_eq!(
        languages(&["xx"]).unwrap_err(),
        PageError::UnknownLanguage("xx".to_owned())
    );
}

#[test]
fn programs_can_read_the_state_and_the_number() {
    let pages = pages();
    let choice = pages.choose(Some("en"));
    let waiting = Waiting {
        room: "a b",
        ahead: Some(1_248),
        form: false,
        ..WORST
    };
    let page = text(pages.waiting(choice, &waiting));
    assert!(page.contains("<main data-state=\"queueing\" data-ahead=\"1248\" "));
    assert!(page.contains("data-status=\"/__forebay/status?room=a%20b\""));
    assert!(page.contains("<dd data-n>1,248</dd>"));
    assert!(page.contains("<title>1,248 ahead – In line – The Department"));

    let page = text(pages.waiting(
        choice,
        &Waiting {
            ahead: None,
            ..waiting
        },
    ));
    assert!(page.contains(" data-ahead=\"\" ") && page.contains("<dd data-n>counting…</dd>"));
    assert!(page.contains(" data-counting"));
    let settled = Waiting {
        ahead: None,
        counting: false,
        ..waiting
    };
    let page = text(pages.waiting(choice, &settled));
    assert!(page.contains("<dd data-n>not known yet</dd>") && !page.contains(" data-counting"));
}

#[test]
fn each_state_shows_its_own_heading_only() {
    let pages = pages();
    let cases = [
        (WaitState::Queueing, "You are in line"),
        (WaitState::Called, "It is your turn"),
        (WaitState::Closed, "The line is paused"),
    ];
    for (state, expected) in cases {
        let page = text(pages.waiting(pages.choose(Some("en")), &Waiting { state, ..WORST }));
        let shown: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("<h1 ") && !line.contains("\" hidden>"))
            .collect();
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert!(shown[0].contains(expected), "{shown:?}");
    }
}

#[test]
fn a_form_is_never_left_behind_by_a_link() {
    let pages = pages();
    for choice in choices(&pages) {
        for page in every(&pages, choice) {
            let form =
                page.contains(" data-form>") || page.contains("<p class=\"note\">What you sent");
            if form {
                assert!(!page.contains("<a "), "{page}");
            }
        }
    }
}

#[test]
fn an_error_says_what_to_do_about_it() {
    let pages = pages();
    let say = |kind, form| {
        let retry_after = Some(Duration::from_secs(5));
        let failure = Failure {
            status: 502,
            kind,
            retry_after,
            reference: "ref-1",
            form,
        };
        text(pages.error(pages.choose(Some("en")), &failure))
    };
    let page = say(ErrorKind::TooFast, false);
    assert!(page.contains("Please try again in 5\u{a0}s.") && page.contains("<p><a class=\"go\""));
    assert!(page.contains("<code>502 · ref-1</code>"));
    let page = say(ErrorKind::NotFound, false);
    assert!(!page.contains("Please try again") && page.contains("<p hidden><a class=\"go\""));
    assert!(say(ErrorKind::Late, true).contains("We do not know whether"));
    assert!(say(ErrorKind::TooFast, true).contains("has not been accepted"));
}

proptest! {
    #[test]
    fn no_mark_up_comes_from_outside(
        room in ".{0,20}", reference in ".{0,20}", site in ".{1,20}", contact in ".{1,20}",
    ) {
        let marks = |room: &str, reference: &str, site: &str, contact: &str| {
            let settings = PageSettings {
                site_name: Some(site.to_owned()),
                contact: Some(contact.to_owned()),
                ..PageSettings::default()
            };
            let pages = Pages::new(&settings).unwrap();
            let page = text(pages.waiting(pages.choose(None), &Waiting { room, reference, ..WORST }));
            ['<', '>', '"', '\''].map(|mark| page.matches(mark).count())
        };
        prop_assert_eq!(marks(&room, &reference, &site, &contact), marks("r", "r", "s", "c"));
    }
}
