//! When the turn comes: what the page does by itself, and what it does only when it was asked to.

mod chromium_turn {
    use std::time::Duration;

    use forebay_testkit::{Browser, Person, Recorder, wait_until};

    use crate::house::{House, SOON, echo};

    /// A browser is slow to start where others build and test.
    const PATIENCE: Duration = Duration::from_secs(40);

    /// Stands in for what a browser without a screen has not: somebody who looks away, sound, and
    /// notifications that are granted.
    const STAND_INS: &str = "\
        window.asked = []; window.shown = []; window.tones = 0; window.away = false;\
        const ask = window.fetch;\
        window.fetch = (url, how) => { asked.push(String(url)); return ask(url, how); };\
        Object.defineProperty(Document.prototype, 'hidden', { get: () => window.away });\
        window.look = (away) => {\
          window.away = away; document.dispatchEvent(new Event('visibilitychange'));\
        };\
        window.Notification = class {\
          constructor(title) { shown.push(title); }\
          static requestPermission() { return Promise.resolve('granted'); }\
        };\
        window.AudioContext = class {\
          get currentTime() { return 0; }\
          createGain() { return { gain: {}, connect() {}, context: this }; }\
          createOscillator() {\
            tones += 1;\
            return { frequency: {}, connect() {}, start() {}, stop() {} };\
          }\
        };";

    /// A line that is paused, and somebody in it whose page asks every second or two.
    fn waiting() -> (Recorder, House, Browser) {
        let origin = echo();
        let rules = "[room.main]\nmode = \"hold\"\npoll = { min = \"1s\", max = \"2s\" }\n";
        let house = House::start(origin.address, rules);
        let browser = Browser::start(&Person::default());
        browser.prepare(STAND_INS);
        browser.open(&format!("http://{}/wanted", house.address));
        browser.wait_for_words("The line is paused", SOON);
        (origin, house, browser)
    }

    #[test]
    fn who_looks_away_is_told_once_and_enters_on_coming_back() {
        let (_origin, house, browser) = waiting();
        browser.click("[name=sound]");
        browser.click("[name=notice]");
        assert_eq!(
            browser.run("return tones"),
            3,
            "a click shows how it sounds"
        );
        wait_until(SOON, || {
            browser.run("return document.querySelector('[name=notice]').checked") == true
        });
        browser.run("look(true)");
        house.must(&["room", "main", "auto"]);
        wait_until(PATIENCE, || browser.run("return shown.length") == 1);
        assert_eq!(browser.run("return shown[0]"), "It is your turn");
        assert_eq!(browser.run("return tones"), 6);
        let asked = "return asked.some((url) => url.endsWith('&wait=1&hidden=1'))";
        assert_eq!(browser.run(asked), true);
        // Nobody is taken anywhere who does not look.
        let leaving = "return document.querySelector('[data-leaving]').hidden";
        assert_eq!(browser.run(leaving), true);
        browser.run("look(false)");
        browser.wait_for_words("You will be taken in within a few seconds.", SOON);
        browser.wait_for_words("origin /wanted", PATIENCE);
    }

    #[test]
    fn who_does_not_want_to_be_taken_in_stays_until_the_click() {
        let (_origin, house, browser) = waiting();
        browser.click("[name=auto]");
        browser.reload();
        browser.wait_for_words("The line is paused", SOON);
        // The wish outlives the reload.
        let auto = "return document.querySelector('[name=auto]').checked";
        assert_eq!(browser.run(auto), false);
        house.must(&["room", "main", "auto"]);
        browser.wait_for_words("It is your turn", PATIENCE);
        assert_eq!(browser.title(), "It is your turn");
        let leaving = "return document.querySelector('[data-leaving]').hidden";
        assert_eq!(browser.run(leaving), true);
        // What was said is in the one live region, for whoever cannot see the page.
        let said = browser.run("return document.getElementById('live').textContent");
        assert!(
            said.as_str()
                .unwrap_or_default()
                .contains("It is your turn"),
            "{said}"
        );
        browser.click("a.go");
        browser.wait_for_words("origin /wanted", SOON);
    }
}
