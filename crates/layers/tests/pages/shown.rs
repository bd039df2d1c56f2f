//! Every page of every language on a server of its own, with the pages' policy.

use std::time::Duration;

use forebay_layers::page::{
    Busy, ErrorKind, Failure, Language, PageSettings, Pages, WaitState, Waiting,
};
use forebay_testkit::{Recorder, Reply};

/// The languages of each site that is shown, and both halves on one page.
pub(crate) const LANGUAGES: [&[&str]; 10] = [
    &["en"],
    &["fr"],
    &["ar"],
    &["es"],
    &["hi"],
    &["pt"],
    &["uk"],
    &["zh"],
    &["en", "fr"],
    &["ar", "uk"],
];

/// The pages by the name in their address.
pub(crate) const NAMES: [&str; 16] = [
    "queueing",
    "counting",
    "called",
    "closed",
    "maintenance",
    "early",
    "drawn",
    "busy",
    "unavailable",
    "missing",
    "queueing-form",
    "called-form",
    "closed-form",
    "early-form",
    "busy-form",
    "unavailable-form",
];

/// A server that shows every page under `/LANGUAGES/NAME`, such as `/en-fr/queueing`.
pub(crate) fn everywhere() -> Recorder {
    let sites = LANGUAGES.map(|tags| (tags.join("-"), pages(tags)));
    Recorder::start(move |request| {
        let mut parts = request.target.trim_start_matches('/').split('/');
        let (tags, name) = (parts.next(), parts.next().unwrap_or_default());
        let Some((_, pages)) = sites.iter().find(|(own, _)| Some(own.as_str()) == tags) else {
            return Reply::status(404, "");
        };
        Reply::ok(page(pages, name))
            .header("Content-Type", "text/html; charset=utf-8")
            .header(
                "Content-Security-Policy",
                pages.csp().to_str().unwrap_or_default(),
            )
    })
}

pub(crate) fn pages(tags: &[&str]) -> Pages {
    let settings = PageSettings {
        site_name: Some("Apply for a permit".to_owned()),
        contact: Some("+1 555 0100, help@apply.example".to_owned()),
        languages: tags.iter().map(|tag| Language::ours(tag)).collect(),
        ..PageSettings::default()
    };
    Pages::new(&settings).expect("our own pages can be made")
}

fn page(pages: &Pages, name: &str) -> Vec<u8> {
    let choice = pages.choose(None);
    let (name, form) = match name.strip_suffix("-form") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let state = match name {
        "called" => WaitState::Called,
        "closed" => WaitState::Closed,
        "maintenance" => WaitState::Maintenance,
        "early" => WaitState::Early(Duration::from_secs(740)),
        _ => WaitState::Queueing,
    };
    let counting = matches!(name, "counting" | "early" | "drawn");
    let kind = match name {
        "missing" => ErrorKind::NotFound,
        _ => ErrorKind::Unavailable,
    };
    let page = match name {
        "busy" => pages.busy(
            choice,
            &Busy {
                // Nobody leaves while somebody looks.
                retry_after: Duration::from_secs(3_600),
                reference: "4f2a91c0",
                form,
            },
        ),
        "unavailable" | "missing" => pages.error(
            choice,
            &Failure {
                status: 502,
                kind,
                retry_after: Some(Duration::from_secs(10)),
                reference: "4f2a91c0",
                form,
            },
        ),
        _ => pages.waiting(
            choice,
            &Waiting {
                room: "main",
                state,
                ahead: (!counting).then_some(12_481),
                eta: (!counting)
                    .then_some((Duration::from_secs(1_200), Duration::from_secs(4_100))),
                poll_after: Duration::from_secs(3_600),
                keep: Duration::from_secs(1_800),
                reference: "4F2A-91C0",
                counting: name == "counting",
                drawn: name == "drawn",
                form,
            },
        ),
    };
    page.to_vec()
}
