//! The pages over real sockets: their size, and the operator's own.

use std::fs;
use std::process::Command;

use forebay_testkit::program::{self, Finished};
use forebay_testkit::{Options, exchange, wait_until};

use crate::house::{House, PAGE, SOON, echo};

/// Bytes that come at once, before the client has answered: ten segments (RFC 6928).
const FLIGHT: usize = 14_600;
/// What the program reckons with for a page's header.
const HEADER: usize = 1_000;

/// Bytes of the answer to a browser's request, header and all, as they come over the wire.
fn size(house: &House, method: &str) -> (usize, usize) {
    let (name, accept) = PAGE;
    let request = format!(
        "{method} /a HTTP/1.1\r\nHost: {}\r\n{name}: {accept}\r\nContent-Length: 0\r\n\
         Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\r\n",
        house.address
    );
    let mut seen = None;
    // A pre-queue begins with the next second.
    wait_until(SOON, || {
        let bytes = exchange(house.address, request.as_str(), &Options::one_answer()).bytes;
        let text = String::from_utf8_lossy(&bytes);
        let held = text.contains("<main data-state=");
        seen = held.then(|| (text.find("\r\n\r\n").unwrap_or_default() + 4, bytes.len()));
        held
    });
    seen.expect("it was waited for")
}

fn check(house: &House) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    program::run(command.arg("check").arg(house.config()), b"", SOON)
}

#[test]
fn every_page_of_any_two_languages_comes_in_the_first_flight() {
    let tags = ["en", "fr", "ar", "es", "hi", "pt", "uk", "zh"];
    let origin = echo();
    let room = "a-room-with-a-name-as-long-as-any-operator-is-likely-to-give-it";
    let mut soon = Command::new("date");
    let soon = soon.args(["-u", "-d", "+20 minutes", "+%FT%TZ"]).output();
    let opens = String::from_utf8(soon.expect("date runs").stdout).expect("it is text");
    let opens = opens.trim();
    let house = House::start(origin.address, "");
    let mut largest = (0, String::new());
    for rule in [
        "mode = \"hold\"".to_owned(),
        "mode = \"maintenance\"".to_owned(),
        format!("mode = \"queue-all\"\nevent = [{{ opens = {opens}, prequeue = \"1h\" }}]"),
    ] {
        for (index, first) in tags.iter().enumerate() {
            for second in &tags[index..] {
                let both = match first == second {
                    true => format!("[\"{first}\"]"),
                    false => format!("[\"{first}\", \"{second}\"]"),
                };
                house.write(&format!(
                    "[[route]]\norigin = \"portal\"\nroom = \"{room}\"\n[room.{room}]\n{rule}\n\
                     [site]\nname = \"The Department of Long and Official Names\"\n\
                     contact = \"+1 555 0100, help@apply.example, every day from 8 to 20\"\n\
                     languages = {both}\n"
                ));
                house.must(&["reload"]);
                for method in ["GET", "POST"] {
                    let (header, whole) = size(&house, method);
                    assert!(header <= HEADER, "{header} bytes of header");
                    largest = largest.max((whole, format!("{both} {rule} {method} {header}")));
                }
            }
        }
    }
    assert!(largest.0 <= FLIGHT, "{largest:?}");
}

#[test]
fn the_operators_words_and_template_are_shown_and_broken_ones_keep_the_old() {
    let origin = echo();
    let house = House::start(origin.address, "");
    let own = "<!doctype html>\n<html lang=\"{{lang}}\"><title>{{title}}</title>\n\
               <style>{{style}}</style><style>b{color:#123}</style>\n\
               <b>Our own head</b>{{main}}{{#script}}<script>{{script}}</script>{{/script}}\n";
    fs::create_dir(house.file("texts")).expect("the folder can be written");
    let write = |name: &str, text: &str| {
        fs::write(house.file(name), text).expect("the folder can be written");
    };
    write("own.html", own);
    write(
        "texts/en.toml",
        "waiting_heading = \"Please wait\"\nclosed_heading = \"Back soon\"\n",
    );
    house.write(
        "[site]\nname = \"Permits & more\"\ntexts = \"texts\"\npage = \"own.html\"\n\
         [room.main]\nmode = \"hold\"\n",
    );
    let checked = check(&house);
    assert!(checked.status.success(), "{checked:?}");
    house.must(&["reload"]);
    let page = || house.get("/", &[PAGE, ("Accept-Language", "en")]).text();
    let shown = page();
    for expected in ["Our own head", "Back soon", "Permits &amp; more"] {
        assert!(shown.contains(expected), "no {expected} in {shown}");
    }
    assert!(!shown.contains("The line is paused"));

    write("own.html", &own.replace("{{title}}", "{{titel}}"));
    let checked = check(&house);
    let place = "own.html:2:30: `{{titel}}` is neither a slot nor a text of these pages";
    assert!(
        !checked.status.success() && checked.stdout.contains(place),
        "{checked:?}"
    );
    let reloaded = house.command(&["reload"]);
    assert!(!reloaded.status.success(), "{reloaded:?}");
    assert!(page().contains("Our own head"));

    write("own.html", own);
    write("texts/en.toml", "waiting_headnig = \"Please wait\"\n");
    let checked = check(&house);
    let place = "en.toml:1:1: that no page uses";
    assert!(
        !checked.status.success() && checked.stdout.contains(place),
        "{checked:?}"
    );
    write("texts/en.toml", "closed_heading = \"Really soon\"\n");
    house.must(&["reload"]);
    wait_until(SOON, || page().contains("Really soon"));
}
