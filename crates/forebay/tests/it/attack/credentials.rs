//! Tickets and passes that nobody was given: changed, of another kind, of another key.

use std::time::{SystemTime, UNIX_EPOCH};

use forebay_admission::credential::{Credential, RoomId};
use forebay_admission::pass::Pass;
use forebay_admission::seal::{KeyId, Seal};
use forebay_admission::time::WallTime;
use forebay_layers::keyring::Keyring;

use super::refused;
use crate::house::{House, PAGE, Visitor, echo};

const NEW: &str = "the new key: thirty-two bytes and no secret";
const OLD: &str = "the old key: thirty-two bytes and no secret";
const GONE: &str = "a key that was taken out long ago, no secret";

fn house(origin: std::net::SocketAddr, keys: &[&str]) -> House {
    let rest = "[room.main]\nmode = \"hold\"\n[quota.room]\nrate = \"100000/s\"\n";
    House::edited(origin, rest, |text| {
        text.replace("[state]", &format!("[state]\nkeys = {keys:?}"))
    })
}

fn ring(keys: &[&str]) -> Keyring {
    Keyring::new(keys.iter().map(|key| key.as_bytes()))
}

fn pass() -> Credential {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let now = WallTime::default().plus(now);
    Credential::Pass(Pass {
        room: RoomId::of("main"),
        id: 7,
        began: now,
        seen: now,
        confirmed: true,
    })
}

/// The status of a page asked for with this cookie, and whether the cookie was refused.
fn tried(house: &House, cookie: &str) -> (u16, bool) {
    let before = refused(house);
    let answer = house.get("/", &[PAGE, ("Cookie", &format!("forebay-main={cookie}"))]);
    (answer.status, refused(house) > before)
}

#[test]
fn no_place_of_a_ticket_or_a_pass_can_be_changed() {
    let origin = echo();
    let house = house(origin.address, &[NEW]);
    let ticket = Visitor::queued(&house)
        .cookie()
        .expect("a ticket")
        .to_owned();
    let pass = pass().seal(&ring(&[NEW]));
    assert_eq!(tried(&house, &pass), (200, false), "the key is the house's");
    let asked = origin.requests().len();
    for credential in [ticket, pass] {
        for place in 0..credential.len() {
            let mut bytes = credential.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("still text");
            assert_eq!(
                tried(&house, &changed),
                (503, true),
                "place {place} of {credential}"
            );
        }
        for cut in [1, 2, 22, credential.len() / 2] {
            let short = &credential[..credential.len() - cut];
            assert_eq!(tried(&house, short), (503, true), "{short}");
        }
        assert_eq!(tried(&house, &format!("{credential}A")), (503, true));
        assert_eq!(
            tried(&house, &format!("{credential}{credential}")),
            (503, true)
        );
    }
    assert_eq!(origin.requests().len(), asked, "nobody got past");
}

/// Signs with one key and says that it was another.
struct Liar {
    signs: Keyring,
    says: KeyId,
}

impl Seal for Liar {
    fn signing_key(&self) -> KeyId {
        self.says
    }

    fn mac(&self, _key: KeyId, message: &[u8]) -> Option<[u8; 32]> {
        self.signs.mac(self.signs.signing_key(), message)
    }
}

#[test]
fn an_older_key_counts_while_it_is_there_and_no_key_stands_in_for_another() {
    let origin = echo();
    let house = house(origin.address, &[NEW, OLD]);
    let says = |signs: &str, says: &str| {
        pass().seal(&Liar {
            signs: ring(&[signs]),
            says: ring(&[says]).signing_key(),
        })
    };
    let cases = [
        (pass().seal(&ring(&[NEW])), (200, false)),
        (pass().seal(&ring(&[OLD])), (200, false)),
        (pass().seal(&ring(&[GONE])), (503, true)),
        (says(GONE, NEW), (503, true)),
        (says(GONE, OLD), (503, true)),
        (says(OLD, NEW), (503, true)),
        (says(NEW, OLD), (503, true)),
    ];
    for (number, (cookie, expected)) in cases.into_iter().enumerate() {
        assert_eq!(tried(&house, &cookie), expected, "case {number}");
    }
    let text = std::fs::read_to_string(house.config()).expect("it can be read");
    house.write_text(&text.replace(&format!(", {OLD:?}"), ""));
    house.must(&["reload"]);
    assert_eq!(tried(&house, &pass().seal(&ring(&[OLD]))), (503, true));
    assert_eq!(tried(&house, &pass().seal(&ring(&[NEW]))), (200, false));
}

#[test]
fn a_ticket_is_no_pass_and_a_cookie_counts_once_under_whatever_names() {
    let origin = echo();
    let house = house(origin.address, &[NEW]);
    let mut visitor = Visitor::queued(&house);
    let ticket = visitor.cookie().expect("a ticket").to_owned();
    let reference = visitor.place()["reference"].clone();
    let many = format!(
        "forebay-main=; __Host-forebay-main={ticket}; forebay-main={ticket}; \
         forebay-other={ticket}; forebay-~try={ticket}"
    );
    let answer = house.get("/__forebay/status?room=main", &[("Cookie", &many)]);
    assert!(
        answer.text().contains(reference.as_str().expect("text")),
        "{answer:?}"
    );
    assert_eq!(house.get("/", &[PAGE, ("Cookie", &many)]).status, 503);
    assert!(origin.requests().is_empty());
}

#[test]
fn a_query_chooses_among_the_rooms_and_does_nothing_else() {
    let origin = echo();
    let house = house(origin.address, &[NEW]);
    for (query, status) in [
        ("?room=main", 200),
        ("?room=main&room=nowhere", 200),
        ("?x=y&room=main", 200),
        ("?room=nowhere&room=main", 404),
        ("?room=", 404),
        ("?room=MAIN", 404),
        ("?room=main%00", 404),
        ("?room=%6dain", 404),
        ("?room=../main", 404),
        ("?broom=nowhere", 200),
        ("?", 200),
    ] {
        let answer = house.get(&format!("/__forebay/status{query}"), &[]);
        assert_eq!(answer.status, status, "{query}");
    }
    let long = format!("/__forebay/status?room={}", "a".repeat(20_000));
    assert_eq!(house.get(&long, &[]).status, 404);
    assert!(origin.requests().is_empty());
}
