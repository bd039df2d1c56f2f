//! Invitations: links that the operator issues, each for one visitor, past the line.

use forebay_testkit::{Answer, wait_until};

use crate::house::{House, PAGE, SOON, Visitor, echo};

/// Nobody of the line is called here while a test looks; the invited have half of little.
const STILL: &str = "[room.main]\nmode = \"queue-all\"\ninlet = \"1/s\"\n";

fn invitations(house: &House, count: &str) -> Vec<String> {
    let printed = house.must(&["room", "main", "invite", "--count", count]);
    printed.lines().map(str::to_owned).collect()
}

fn press(visitor: &mut Visitor, link: &str) -> Answer {
    let origin = ("Origin", "http://site.test");
    visitor.ask("POST", link, &[PAGE, origin], "")
}

#[test]
fn who_opens_an_invitation_enters_before_the_line_and_opens_it_for_nobody_else() {
    let origin = echo();
    let mut house = House::start(origin.address, STILL);
    let mut line: Vec<Visitor> = (0..60).map(|_| Visitor::queued(&house)).collect();
    wait_until(SOON, || house.room()["waiting"].as_u64() >= Some(50));
    let links = invitations(&house, "3");
    house.program.wait_for_text("invited by=\"uid", SOON);
    assert_eq!(links.len(), 3);
    assert!(links[0] != links[1] && links[0].starts_with("/__forebay/invite?room=main&code="));
    let mut guest = Visitor::new(&house);
    assert_eq!(guest.visit(&links[0]).status, 200, "a look uses nothing up");
    let answer = press(&mut guest, &format!("{}&to=%2Fapply", links[0]));
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/apply"))
    );
    wait_until(SOON * 2, || guest.visit("/apply").status == 200);
    let last = line.last_mut().expect("a line");
    assert_eq!(
        last.visit("/").status,
        503,
        "the last of the line still waits"
    );
    assert_eq!(press(&mut Visitor::new(&house), &links[0]).status, 410);
    house.program.kill();
    house.start_again();
    assert_eq!(press(&mut Visitor::new(&house), &links[0]).status, 410);
    assert_eq!(press(&mut Visitor::new(&house), &links[1]).status, 303);
}

#[test]
fn an_invitation_into_a_closed_room_waits_and_is_told_so() {
    let origin = echo();
    let house = House::start(origin.address, "[room.main]\nmode = \"hold\"\n");
    let [link] = &invitations(&house, "1")[..] else {
        panic!("one link");
    };
    let mut guest = Visitor::new(&house);
    assert_eq!(press(&mut guest, link).status, 303);
    assert_eq!(guest.visit("/").status, 503);
    assert_eq!(guest.place()["state"], "closed");
    house.must(&["room", "main", "auto"]);
    wait_until(SOON, || guest.visit("/").status == 200);
}

#[test]
fn only_what_the_operator_signed_for_this_room_invites() {
    let origin = echo();
    let rest = format!("{STILL}[room.other]\nmode = \"queue-all\"\n");
    let house = House::start(origin.address, &rest);
    let link = invitations(&house, "1").remove(0);
    let ticket = Visitor::queued(&house);
    let ticket = ticket.cookie().expect("a ticket");
    for bad in [
        link.replace("room=main", "room=other"),
        link.replace("code=", "code=A"),
        format!("/__forebay/invite?room=main&code={ticket}"),
        "/__forebay/invite?room=main".to_owned(),
    ] {
        let mut guest = Visitor::new(&house);
        assert_eq!(press(&mut guest, &bad).status, 400, "{bad}");
        assert_eq!(guest.cookie(), None);
    }
    for words in [
        &["--count", "0"][..],
        &["--count", "1001"],
        &["--valid", "32d"],
        &["--valid", "soon"],
    ] {
        let all = [&["room", "main", "invite"], words].concat();
        assert!(!house.command(&all).status.success(), "{words:?}");
    }
    let nowhere = house.command(&["room", "nowhere", "invite"]);
    assert!(nowhere.stderr.contains("no room"), "{nowhere:?}");
    let whole = house.must(&["room", "main", "invite", "--site", "https://site.test/"]);
    assert!(
        whole.starts_with("https://site.test/__forebay/invite?"),
        "{whole}"
    );
}
