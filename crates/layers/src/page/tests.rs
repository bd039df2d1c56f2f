//! What is promised of every page, in every language.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const WORST: Waiting<'_> = Waiting::WORST;

/// The states that a waiting page can be in.
const STATES: [WaitState; 5] = [
    WaitState::Queueing,
    WaitState::Called,
    WaitState::Closed,
    WaitState::Maintenance,
    WaitState::Early(Duration::from_secs(360_000_000)),
];

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
        for state in STATES {
            for drawn in [false, true] {
                let waiting = Waiting {
                    state,
                    drawn,
                    form,
                    ..WORST
                };
                all.push(pages.waiting(choice, &waiting));
            }
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
fn every_page_of_any_two_languages_fits_into_the_first_flight_with_its_header() {
    let mut largest = (0, String::new());
    for (index, (first, _)) in CATALOGUES.iter().enumerate() {
        for (second, _) in &CATALOGUES[index..] {
            let languages = vec![Language::ours(first), Language::ours(second)];
            let settings = PageSettings {
                languages,
                ..settings()
            };
            let pages = Pages::new(&settings).unwrap();
            assert!(pages.largest() <= FLIGHT, "{first} {second}");
            for page in every(&pages, pages.choose(None)) {
                let title = between(&page, "<title>", "<");
                largest = largest.max((page.len(), format!("{first} {second}: {title}")));
            }
        }
    }
    assert!(largest.0 + HEADER <= FLIGHT, "{largest:?}");
}

#[test]
fn a_page_fits_into_the_room_set_aside_for_it() {
    let pages = pages();
    for choice in choices(&pages) {
        let edition = pages.edition(choice);
        let written = pages.waiting(choice, &WORST).len();
        let fixed = edition.waiting[0][1].render(0, |_, _| {}).len();
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
            let own = ["\"", "data:", "/__forebay/link?room="];
            assert!(own.iter().any(|own| link.starts_with(own)), "{link}");
        }
    }
}

#[test]
fn the_policy_allows_exactly_the_pages_own_style_and_scripts() {
    let pages = pages();
    let policy = pages.csp().to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; "));
    let allowed = |text: &str| {
        let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
        policy.contains(&format!(" 'sha256-{hash}'"))
    };
    for page in every_page() {
        assert_eq!(page.matches("<style").count(), 1);
        assert!(allowed(between(&page, "<style>", "</style>")));
        let scripts: Vec<_> = page.split("<script").skip(1).collect();
        for script in &scripts {
            assert!(allowed(between(script, ">", "</script>")), "{script}");
        }
        // An error page has nothing to do, and one in two languages no room for notices.
        let languages = page.matches("<section ").count();
        let expected = match page.contains("<main>") {
            true => 0,
            false => 3 - languages,
        };
        assert_eq!(scripts.len(), expected);
    }
    assert_eq!(policy.matches("sha256-").count(), 3);
}

#[test]
fn every_language_has_exactly_the_texts_that_the_pages_use() {
    let settings = settings();
    let catalogues = catalogues(&CATALOGUES.map(|(tag, _)| Language::ours(tag))).unwrap();
    let keys: Vec<_> = catalogues[0].1.keys().collect();
    for key in &keys {
        let without = [("en".to_owned(), catalogues[0].1.without(key))];
        assert!(
            Pages::compile(&settings, &without).is_err(),
            "`{key}` is not used"
        );
    }
    for (tag, catalogue) in &catalogues {
        let theirs: Vec<_> = catalogue.keys().collect();
        assert_eq!(theirs, keys, "{tag}");
    }
}

#[test]
fn an_operators_words_stand_instead_of_ours_and_a_further_language_needs_all() {
    let english = Catalogue::parse(CATALOGUES[0].1).unwrap();
    let all: BTreeMap<_, _> = english
        .keys()
        .map(|key| (key.to_owned(), english.text(key).unwrap().to_owned()))
        .collect();
    let speaking = |tag: &str, texts: BTreeMap<String, String>| {
        let tag = tag.to_owned();
        Pages::new(&PageSettings {
            languages: vec![Language { tag, texts }],
            ..settings()
        })
    };
    let own = BTreeMap::from([("waiting_heading".to_owned(), "Please <wait>".to_owned())]);
    let pages = speaking("en", own.clone()).unwrap();
    let page = text(pages.waiting(pages.choose(None), &WORST));
    assert!(page.contains("Please &lt;wait&gt;") && page.contains("Check my place") != WORST.form);

    let pages = speaking("de", all.clone()).unwrap();
    assert_eq!(pages.content_language(pages.choose(None)), "de");
    assert!(matches!(
        speaking("de", own).unwrap_err(),
        PageError::MissingText { .. } | PageError::Template(_)
    ));
    assert_eq!(
        speaking("de", BTreeMap::new()).unwrap_err(),
        PageError::UnknownLanguage("de".to_owned())
    );
    let circle = BTreeMap::from([("check".to_owned(), "{{check}}".to_owned())]);
    assert!(matches!(
        speaking("en", circle).unwrap_err(),
        PageError::Template(_)
    ));
}

#[test]
fn an_operators_template_stands_around_every_page() {
    let with = |text: &str| {
        let template = Some(Template {
            name: "pages/own.html".to_owned(),
            text: text.to_owned(),
        });
        Pages::new(&PageSettings {
            template,
            ..settings()
        })
    };
    let own = "<!doctype html><html lang=\"{{lang}}\"><title>{{title}}</title>\n\
               <style>{{style}}</style><style>b{color:red}</style>\n\
               <body class=\"{{#waiting}}w{{/waiting}}{{#busy}}b{{/busy}}{{#error}}e{{/error}}\">\n\
               <b>{{site}}</b>{{main}}{{#script}}<script>{{script}}</script>{{/script}}</html>";
    let pages = with(own).unwrap();
    for page in every(&pages, pages.choose(Some("en"))) {
        assert!(page.contains("<b>The Department of Long"), "{page}");
        let class = between(&page, "<body class=\"", "\"");
        let expected = match (page.contains("<main>"), page.contains(" data-retry")) {
            (true, _) => "e",
            (_, true) => "b",
            _ => "w",
        };
        assert_eq!(class, expected);
    }
    let hash = STANDARD.encode(digest(&SHA256, b"b{color:red}"));
    assert!(pages.csp().to_str().unwrap().contains(&hash));

    let broken = own.replace(
        "<b>{{site}}</b>",
        "{{#form}}{{nobody}}{{/form}} {{^wating}}x{{/wating}}",
    );
    let Err(PageError::Template(what)) = with(&broken) else {
        panic!("a broken template is no template");
    };
    let expected = "pages/own.html:4:10: `{{nobody}}` is neither a slot nor a text of these pages\n\
                    pages/own.html:4:30: there is no flag `wating`";
    assert_eq!(what, expected);
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
        assert!(page.contains(&format!("<html lang=\"{}\" ", spoken[0])));
    }
}

#[test]
fn the_operators_order_and_choice_of_languages_count() {
    let languages = |tags: &[&str]| {
        let languages = tags.iter().map(|&tag| Language::ours(tag)).collect();
        Pages::new(&PageSettings {
            languages,
            ..PageSettings::default()
        })
    };
    let pages = languages(&["fr", "en", "fr"]).unwrap();
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
    assert!(page.contains("<title>1,248 ahead – You are in line – The Department"));

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
        (WaitState::Maintenance, "The site is being worked on"),
        (STATES[4], "You are here in good time"),
    ];
    for (state, expected) in cases {
        let page = text(pages.waiting(pages.choose(Some("en")), &Waiting { state, ..WORST }));
        let state = match state.name() {
            "called" => 't',
            name => name.chars().next().unwrap(),
        };
        let shown: Vec<_> = page
            .split("<h1 data-in=")
            .skip(1)
            .filter(|heading| heading.split('>').next().unwrap().contains(state))
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
            let form = page.contains(" data-form>") || page.contains("<p class=note>What you sent");
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
    assert!(page.contains("Please try again in 5\u{a0}s.") && page.contains("<p><a class=go"));
    assert!(page.contains("<code dir=ltr>502 · ref-1</code>"));
    let page = say(ErrorKind::NotFound, false);
    assert!(!page.contains("Please try again") && page.contains("<p hidden><a class=go"));
    assert!(say(ErrorKind::Late, true).contains("We do not know whether"));
    assert!(say(ErrorKind::TooFast, true).contains("has not been accepted"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
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
