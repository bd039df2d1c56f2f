//! Chromium, driven as a person would: pages, links, words on the screen.
//!
//! Speaks the W3C WebDriver protocol to chromedriver. Tests that use it have
//! `chromium_` in their path, so that they can be left out by name.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::Answer;
use crate::port::free_address;
use crate::program::Program;
use crate::tool;
use crate::wait::holds_within;
use crate::wire::{Options, exchange};

/// The key under which WebDriver names an element (section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Bound of one command, with the page loads that it causes.
const COMMAND: Duration = Duration::from_secs(60);

/// What kind of visitor the browser is.
#[derive(Debug, Clone)]
pub struct Person {
    /// Whether pages' scripts run.
    pub scripts: bool,
    /// What the browser sends as `Accept-Language`.
    pub languages: String,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            scripts: true,
            languages: "en".into(),
        }
    }
}

/// A running browser with a fresh profile; it ends when this is dropped.
pub struct Browser {
    driver: Program,
    address: SocketAddr,
    session: String,
    profile: TempDir,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When chromium or chromedriver is missing or does not start.
    #[track_caller]
    #[must_use]
    pub fn start(person: &Person) -> Self {
        let (chromium, chromedriver) = (tool::need("chromium"), tool::need("chromedriver"));
        let address = free_address();
        let profile = match tempfile::tempdir() {
            Ok(profile) => profile,
            Err(error) => panic!("no folder for the browser: {error}"),
        };
        let mut driver =
            Program::start(Command::new(chromedriver).arg(format!("--port={}", address.port())));
        driver.wait_for_port(address, Duration::from_secs(20));
        let mut browser = Self {
            driver,
            address,
            session: String::new(),
            profile,
        };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {
                "binary": chromium,
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--no-first-run", "--disable-background-networking", "--disable-extensions",
                    format!("--user-data-dir={}", browser.profile.path().display()),
                ],
                "prefs": {
                    "intl.accept_languages": person.languages,
                    "profile.managed_default_content_settings.javascript":
                        if person.scripts { 1 } else { 2 },
                },
            },
        } } });
        let made = browser.ask("POST", "/session", &wanted);
        browser.session = made["sessionId"].as_str().unwrap_or_default().to_owned();
        browser
    }

    /// Opens `url` and waits until it is loaded.
    ///
    /// # Panics
    /// When the page cannot be reached.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.command("POST", "/url", &json!({ "url": url }));
    }

    /// Loads the page again.
    ///
    /// # Panics
    /// When the browser does not.
    #[track_caller]
    pub fn reload(&self) {
        self.command("POST", "/refresh", &json!({}));
    }

    /// Where the browser is.
    ///
    /// # Panics
    /// When the browser does not say.
    #[track_caller]
    #[must_use]
    pub fn url(&self) -> String {
        text(&self.command("GET", "/url", &Value::Null))
    }

    /// The page's title.
    ///
    /// # Panics
    /// When the browser does not say.
    #[track_caller]
    #[must_use]
    pub fn title(&self) -> String {
        text(&self.command("GET", "/title", &Value::Null))
    }

    /// The page as HTML.
    ///
    /// # Panics
    /// When the browser does not say.
    #[track_caller]
    #[must_use]
    pub fn source(&self) -> String {
        text(&self.command("GET", "/source", &Value::Null))
    }

    /// The words that a person sees in the first element that matches `css`,
    /// if there is one.
    ///
    /// # Panics
    /// When the browser does not say.
    #[track_caller]
    #[must_use]
    pub fn words(&self, css: &str) -> Option<String> {
        let element = self.find(css)?;
        // The element may go with its page between the two questions.
        let path = format!("/element/{element}/text");
        self.try_command("GET", &path, &Value::Null)
            .ok()
            .map(|value| text(&value))
    }

    /// Waits until the page shows `words` anywhere.
    ///
    /// # Panics
    /// When it does not `within` that time.
    #[track_caller]
    pub fn wait_for_words(&self, words: &str, within: Duration) {
        let shown = || self.words("body").unwrap_or_default();
        if !holds_within(within, || shown().contains(words)) {
            panic!(
                "no {words:?} within {within:?} at {} but {:?}",
                self.url(),
                shown()
            );
        }
    }

    /// Clicks the first element that matches `css`, and waits for the page it leads to.
    ///
    /// # Panics
    /// When there is none, or it cannot be clicked.
    #[track_caller]
    pub fn click(&self, css: &str) {
        let Some(element) = self.find(css) else {
            panic!("no {css} at {}: {}", self.url(), self.source());
        };
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// The value of the cookie `name`, also of one that scripts may not read.
    ///
    /// # Panics
    /// When the browser does not say.
    #[track_caller]
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.command("GET", "/cookie", &Value::Null);
        let found = cookies
            .as_array()?
            .iter()
            .find(|cookie| cookie["name"] == name)?;
        found["value"].as_str().map(str::to_owned)
    }

    /// Runs `script` in the page, as its own scripts run, and returns what it returns.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.command(
            "POST",
            "/execute/sync",
            &json!({ "script": script, "args": [] }),
        )
    }

    /// Shows pages from now on in this colour scheme, and as wide as this in CSS pixels.
    ///
    /// # Panics
    /// When the browser does not.
    #[track_caller]
    pub fn view(&self, dark: bool, width: u32) {
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.develop("Emulation.setEmulatedMedia", &media);
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.develop("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Runs `script` in every page that is opened from now on, before the page's own scripts and
    /// whatever its policy allows.
    ///
    /// # Panics
    /// When the browser does not.
    #[track_caller]
    pub fn prepare(&self, script: &str) {
        let source = json!({ "source": script });
        self.develop("Page.addScriptToEvaluateOnNewDocument", &source);
    }

    /// A command of the browser's own protocol.
    #[track_caller]
    fn develop(&self, name: &str, parameters: &Value) -> Value {
        let command = json!({ "cmd": name, "params": parameters });
        self.command("POST", "/goog/cdp/execute", &command)
    }

    /// The screen as PNG in base64.
    ///
    /// # Panics
    /// When the browser does not say.
    #[track_caller]
    #[must_use]
    pub fn screenshot(&self) -> String {
        text(&self.command("GET", "/screenshot", &Value::Null))
    }

    #[track_caller]
    fn find(&self, css: &str) -> Option<String> {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.command("POST", "/elements", &wanted);
        Some(found[0][ELEMENT].as_str()?.to_owned())
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        match self.try_command(method, path, body) {
            Ok(value) => value,
            Err(error) => panic!("the browser: {method} {path} {body}: {error}"),
        }
    }

    fn try_command(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        self.try_ask(method, &format!("/session/{}{path}", self.session), body)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        match self.try_ask(method, path, body) {
            Ok(value) => value,
            Err(error) => panic!("the browser: {error}\n{}", self.driver),
        }
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let options = Options {
            timeout: COMMAND,
            ..Options::one_answer()
        };
        let seen = exchange(self.address, request, &options);
        // No panic here: this also runs while a failed test unwinds.
        let answer = Answer::parse(&seen.bytes, method).map_err(|error| error.to_string())?;
        let mut said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let value = said["value"].take();
        if answer.status == 200 {
            Ok(value)
        } else {
            Err(value)
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without it the driver dies and the browser stays; a browser that
        // cannot be ended any more is gone already.
        self.try_command("DELETE", "", &Value::Null).ok();
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recorder, Reply};

    const PAGE: &str = "<!doctype html><title>Here</title><p id=a>before</p><a href=/next>Go</a>\
                        <script>document.getElementById('a').textContent = 'after'</script>";

    fn site() -> Recorder {
        Recorder::start(|request| {
            let page = if request.target == "/next" {
                "<p id=a>there"
            } else {
                PAGE
            };
            Reply::ok(page)
                .header("Content-Type", "text/html")
                .header("Set-Cookie", "seen=1; HttpOnly; Path=/")
        })
    }

    #[test]
    fn chromium_shows_what_scripts_did_and_follows_links() {
        let site = site();
        let browser = Browser::start(&Person::default());
        browser.open(&format!("http://{}/", site.address));
        assert_eq!(
            (browser.title().as_str(), browser.words("#a").as_deref()),
            ("Here", Some("after"))
        );
        assert_eq!(browser.cookie("seen").as_deref(), Some("1"));
        assert_eq!(browser.run("return 1 + 1"), 2);
        browser.click("a");
        browser.wait_for_words("there", Duration::from_secs(10));
        assert!(browser.url().ends_with("/next"));
    }

    #[test]
    fn chromium_without_scripts_shows_the_bare_page() {
        let site = site();
        let person = Person {
            scripts: false,
            languages: "fr".into(),
        };
        let browser = Browser::start(&person);
        browser.open(&format!("http://{}/", site.address));
        assert_eq!(browser.words("#a").as_deref(), Some("before"));
        assert_eq!(browser.words("#missing"), None);
        let languages = site.requests()[0]
            .header("accept-language")
            .map(str::to_owned);
        assert!(languages.unwrap_or_default().starts_with("fr"));
    }
}
