//! axe-core finds nothing to complain of, on any page, in any language.

mod chromium_looks {
    use forebay_testkit::{Browser, Person, tool};
    use serde_json::Value;

    use crate::shown::{LANGUAGES, NAMES, everywhere};

    /// What a phone held upright shows, and what a page zoomed to 400 % has.
    const NARROW: u32 = 320;
    const WIDE: u32 = 1_280;

    /// What axe-core says of the page that is open, one complaint a line; and that nothing has to
    /// be scrolled sideways to be read (WCAG 2.2, 1.4.10).
    const JUDGE: &str = "\
        return axe.run(document, { resultTypes: ['violations'] }).then((found) => {\
          const said = found.violations.flatMap((one) => one.nodes.map((node) =>\
            one.id + ': ' + node.html.slice(0, 120) + ' ' + node.failureSummary));\
          const wide = document.documentElement.scrollWidth - innerWidth;\
          if (wide > 0) said.push('wider than the screen by ' + wide);\
          if (!found.violations) said.push('axe-core did not run');\
          return said;\
        });";

    fn complaints(browser: &Browser) -> Vec<String> {
        let said = browser.run(JUDGE);
        let list = said.as_array().expect("the judge answers with a list");
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_judge_finds_what_is_wrong() {
        let browser = Browser::start(&Person::default());
        browser.prepare(&tool::script("axe.min.js"));
        let server = forebay_testkit::Recorder::start(|_| {
            let page = "<img src=x><p style='color:#888;background:#999;width:9999px'>some words";
            forebay_testkit::Reply::ok(page).header("Content-Type", "text/html")
        });
        browser.open(&format!("http://{}/", server.address));
        let found = complaints(&browser).join("\n");
        for expected in ["image-alt", "color-contrast", "html-has-lang", "wider than"] {
            assert!(found.contains(expected), "no {expected} in {found}");
        }
    }

    /// What is said of every page in these rows of [`LANGUAGES`].
    fn found(rows: impl Iterator<Item = usize>) -> String {
        let server = everywhere();
        let browser = Browser::start(&Person::default());
        browser.prepare(&tool::script("axe.min.js"));
        let mut found = String::new();
        for row in rows {
            for (column, name) in NAMES.iter().enumerate() {
                // Each page meets each look in some language, and two looks in two.
                let looks = [(false, WIDE), (true, NARROW), (true, WIDE), (false, NARROW)];
                let twice = matches!(LANGUAGES[row], ["en"] | ["ar"]);
                let chosen = match twice {
                    true => &looks[..2],
                    false => &looks[(row + column) % 4..][..1],
                };
                for &(dark, width) in chosen {
                    browser.view(dark, width);
                    let path = format!("{}/{name}", LANGUAGES[row].join("-"));
                    browser.open(&format!("http://{}/{path}", server.address));
                    for one in complaints(&browser) {
                        found.push_str(&format!("{path} dark={dark} {width}: {one}\n"));
                    }
                }
            }
        }
        found
    }

    // Two tests, for two cores.

    #[test]
    fn every_page_in_every_second_language_is_for_everybody() {
        assert_eq!(found((0..LANGUAGES.len()).step_by(2)), "");
    }

    #[test]
    fn every_page_in_the_languages_between_is_for_everybody() {
        assert_eq!(found((1..LANGUAGES.len()).step_by(2)), "");
    }
}
