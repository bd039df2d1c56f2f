//! People in a real browser, in line in front of real pages.

mod chromium_waits {
    use std::time::Duration;

    use forebay_testkit::nginx::Nginx;
    use forebay_testkit::{Browser, Person, wait_until};

    use crate::house::{House, SOON, Visitor, echo};

    /// A browser is slow to start where others build and test.
    const PATIENCE: Duration = Duration::from_secs(40);

    fn person(scripts: bool, languages: &str) -> Browser {
        Browser::start(&Person {
            scripts,
            languages: languages.into(),
        })
    }

    #[test]
    fn nginx_pages_are_behind_a_line_that_is_left_by_itself() {
        let nginx = Nginx::start();
        let house = House::start(nginx.address, "[room.main]\ninlet = \"1/s\"\n");
        let browser = person(true, "en");
        // The rate is used up, and some are in line already.
        wait_until(SOON, || Visitor::new(&house).visit("/").status == 503);
        for _ in 0..8 {
            Visitor::queued(&house);
        }
        browser.open(&format!("http://{}/pages/3.html", house.address));
        browser.wait_for_words("You are in line", SOON);
        let shown = || browser.words("dd[data-n]").unwrap_or_default();
        wait_until(SOON, || {
            shown().parse::<u32>().is_ok() || browser.title() == "Page 3"
        });
        browser.wait_for_words("This is page 3.", PATIENCE);
        assert!(browser.cookie("forebay-main").is_some());
        // Inside, the whole site is open: its style, its script, its links.
        assert_eq!(
            browser.run("return document.documentElement.dataset.script"),
            "ran"
        );
        browser.click("#next");
        browser.wait_for_words("This is page 4.", SOON);
    }

    #[test]
    fn without_scripts_a_link_leads_inside() {
        let nginx = Nginx::start();
        let house = House::start(nginx.address, "[room.main]\nmode = \"hold\"\n");
        let browser = person(false, "fr");
        browser.open(&format!("http://{}/pages/5.html", house.address));
        browser.wait_for_words("La file est en pause", SOON);
        // The style sheet made the second contact: the place counts, and the page knows it.
        wait_until(SOON, || house.room()["waiting"] == 1);
        browser.click("a.check");
        let number = || browser.words("dd[data-n]").unwrap_or_default();
        wait_until(SOON, || number() == "0");
        let ticket = browser.cookie("forebay-main");
        assert!(ticket.is_some());
        house.must(&["room", "main", "auto"]);
        wait_until(PATIENCE, || {
            if browser
                .words("body")
                .is_some_and(|words| words.contains("This is page 5."))
            {
                return true;
            }
            browser.reload();
            false
        });
        browser.click("#next");
        browser.wait_for_words("This is page 6.", SOON);
    }

    #[test]
    fn everybody_reads_it_in_the_own_language() {
        let origin = echo();
        let house = House::start(origin.address, "[room.main]\nmode = \"hold\"\n");
        for (languages, heading, lang) in [
            ("fr-CA,fr", "La file", "fr"),
            ("en-GB", "The line is paused", "en"),
        ] {
            let browser = person(true, languages);
            browser.open(&format!("http://{}/", house.address));
            browser.wait_for_words(heading, SOON);
            assert_eq!(browser.run("return document.documentElement.lang"), lang);
        }
    }

    #[test]
    fn a_form_that_was_held_is_sent_again_and_arrives_once() {
        let origin = forebay_testkit::Recorder::start(|request| {
            let body = if request.method == "POST" {
                format!("<p>received {}</p>", String::from_utf8_lossy(&request.body))
            } else {
                "<form method=post action=/send><input name=word value=kept><button id=go>Go</button></form>".into()
            };
            forebay_testkit::Reply::ok(body).header("Content-Type", "text/html")
        });
        let house = House::start(
            origin.address,
            "[room.main]\npass = { idle = \"1s\", lifetime = \"1s\", form_grace = \"1s\" }\n",
        );
        let browser = person(true, "en");
        browser.open(&format!("http://{}/form", house.address));
        house.must(&["room", "main", "hold"]);
        let ran_out = Visitor::new(&house);
        wait_until(PATIENCE, || {
            // A pass of the same age, which is no longer good for a form either.
            let mut visitor = ran_out.clone();
            if let Some(pass) = browser.cookie("forebay-main") {
                visitor.cookies.insert("forebay-main".into(), pass);
            }
            visitor.ask("POST", "/probe", &[], "x").status == 503
        });
        browser.click("#go");
        browser.wait_for_words("Your form has not been sent yet.", SOON);
        house.must(&["room", "main", "off"]);
        wait_until(PATIENCE, || {
            browser.run("const go = document.querySelector('button.go'); return !!go && go.offsetHeight > 0")
                == true
        });
        // The button reloads, and a browser with a window then asks whether to send the form again;
        // one without declines. This is the reload of somebody who said yes.
        browser.reload();
        browser.wait_for_words("received word=kept", SOON);
        let sent = origin
            .requests()
            .into_iter()
            .filter(|request| request.target == "/send")
            .count();
        assert_eq!(sent, 1);
    }

    #[test]
    fn a_reload_and_a_closed_tab_lose_nothing() {
        let origin = echo();
        let house = House::start(origin.address, "[room.main]\nmode = \"hold\"\n");
        let browser = person(true, "en");
        let url = format!("http://{}/", house.address);
        browser.open(&url);
        let reference = || browser.words("footer code");
        let first = reference();
        assert!(first.is_some());
        for _ in 0..3 {
            browser.reload();
            assert_eq!(reference(), first);
        }
        browser.open("about:blank");
        browser.open(&url);
        assert_eq!(reference(), first);
        wait_until(SOON, || house.room()["waiting"] == 1);
    }
}
