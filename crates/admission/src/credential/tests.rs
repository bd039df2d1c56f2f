use super::*;
use proptest::prelude::*;

/// Not a MAC, but it depends on every byte, its place and the key: enough for the framing.
struct Toy {
    signs: u8,
    knows: &'static [u8],
}

impl Seal for Toy {
    fn signing_key(&self) -> KeyId {
        KeyId(self.signs)
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<[u8; 32]> {
        self.knows.contains(&key.0).then(|| {
            let mut state = 0xcbf2_9ce4_8422_2325 ^ u64::from(key.0);
            let mut mac = [0; 32];
            for round in 0..4u8 {
                for byte in message {
                    state = (state ^ u64::from(byte ^ round)).wrapping_mul(0x0100_0000_01b3);
                }
                mac[usize::from(round) * 8..][..8].copy_from_slice(&state.to_be_bytes());
            }
            mac
        })
    }
}

const TOY: Toy = Toy {
    signs: 1,
    knows: &[1],
};
const ROOM: RoomId = RoomId::of("tickets");
const NOW: WallTime = WallTime::from_millis(1_800_000_000_000);

fn ticket() -> Ticket {
    Ticket {
        room: ROOM,
        id: 0xfeed_beef,
        arrived: NOW.minus(Duration::from_secs(30)),
        confirmed: true,
        due: NOW,
        least_ahead: Some(17),
        first_told: None,
        late: false,
        invited: false,
    }
}

fn pass() -> Pass {
    Pass {
        room: ROOM,
        id: 3,
        began: NOW,
        seen: NOW,
        confirmed: false,
    }
}

fn open(text: &str) -> Result<Credential, Rejected> {
    Credential::open(text, ROOM, &TOY, NOW)
}

#[test]
fn what_was_sealed_opens_as_it_was() {
    for credential in [
        Credential::Ticket(ticket()),
        Credential::Ticket(Ticket {
            least_ahead: None,
            confirmed: false,
            ..ticket()
        }),
        Credential::Ticket(Ticket {
            least_ahead: Some(0),
            ..ticket()
        }),
        Credential::Ticket(Ticket {
            first_told: Some(FirstTold {
                after_ms: 1_300,
                p50_seconds: 600,
                p90_seconds: u32::MAX,
            }),
            ..ticket()
        }),
        Credential::Pass(pass()),
        Credential::Pass(Pass {
            confirmed: true,
            ..pass()
        }),
    ] {
        let text = credential.seal(&TOY);
        assert!(text.len() <= TEXT_MAX);
        assert_eq!(open(&text), Ok(credential));
    }
}

#[test]
fn each_fault_has_its_name() {
    let text = Credential::Ticket(ticket()).seal(&TOY);
    let elsewhere = Ticket {
        room: RoomId::of("shop"),
        ..ticket()
    };
    let ahead = Ticket {
        arrived: NOW.plus(Duration::from_secs(61)),
        ..ticket()
    };
    let near = Ticket {
        arrived: NOW.plus(SKEW_MAX),
        ..ticket()
    };
    let old = NOW.minus(AGE_MAX + Duration::from_secs(1));
    let old = Pass {
        began: old,
        seen: old,
        ..pass()
    };
    let other_key = Toy {
        signs: 9,
        knows: &[9],
    };
    for (text, expected) in [
        (String::new(), Err(Rejected::Malformed)),
        ("!".repeat(60), Err(Rejected::Malformed)),
        ("A".repeat(5_000), Err(Rejected::Malformed)),
        ("A".repeat(70), Err(Rejected::Malformed)),
        (format!("{text}A"), Err(Rejected::Malformed)),
        (text[..text.len() - 4].into(), Err(Rejected::Malformed)),
        (
            Credential::Pass(pass()).seal(&other_key),
            Err(Rejected::UnknownKey),
        ),
        (
            Credential::Ticket(elsewhere).seal(&TOY),
            Err(Rejected::OtherRoom),
        ),
        (
            Credential::Ticket(ahead).seal(&TOY),
            Err(Rejected::FromTheFuture),
        ),
        (
            Credential::Ticket(near).seal(&TOY),
            Ok(Credential::Ticket(near)),
        ),
        (Credential::Pass(old).seal(&TOY), Err(Rejected::Expired)),
    ] {
        assert_eq!(open(&text), expected, "{text}");
    }
}

#[test]
fn an_older_key_still_opens_while_it_is_known() {
    let text = Credential::Pass(pass()).seal(&TOY);
    let changed = Toy {
        signs: 2,
        knows: &[1, 2],
    };
    assert!(Credential::open(&text, ROOM, &changed, NOW).is_ok());
}

#[test]
fn room_ids_are_fnv_1a() {
    // The test vectors of RFC 9923, appendix C.
    assert_eq!(RoomId::of(""), RoomId(0x811c_9dc5));
    assert_eq!(RoomId::of("a"), RoomId(0xe40c_292c));
    assert_eq!(RoomId::of("foobar"), RoomId(0xbf9c_f968));
}

proptest! {
    #[test]
    fn no_changed_bit_passes(bit in 0usize..48 * 8) {
        let text = Credential::Pass(pass()).seal(&TOY);
        let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open(&URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in "[A-Za-z0-9_=-]{0,100}") {
        prop_assert!(open(&text).is_err());
    }
}

#[test]
fn a_first_try_is_believed_of_its_own_pass_for_two_minutes_and_of_nobody_else() {
    let began = NOW.minus(Duration::from_secs(40));
    let attempt = Attempt { pass: 3, began };
    let text = attempt.seal(&TOY);
    let after = |seconds| NOW.plus(Duration::from_secs(seconds));
    for (pass, now, expected) in [
        (3, NOW, Some(attempt)),
        (3, after(80), Some(attempt)),
        (3, after(81), None),
        (3, began.minus(Duration::from_secs(1)), None),
        (4, NOW, None),
    ] {
        assert_eq!(
            Attempt::open(&text, pass, &TOY, now),
            expected,
            "{pass} {now:?}"
        );
    }
    let credential = Credential::Pass(pass()).seal(&TOY);
    assert_eq!(Attempt::open(&credential, 3, &TOY, NOW), None);
    assert_eq!(open(&text), Err(Rejected::Malformed));
}

proptest! {
    #[test]
    fn no_changed_bit_and_no_other_text_is_a_first_try(
        bit in 0usize..27 * 8,
        text in "[A-Za-z0-9_=-]{0,60}",
    ) {
        let attempt = Attempt { pass: 3, began: NOW };
        let mut bytes = URL_SAFE_NO_PAD.decode(attempt.seal(&TOY)).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let changed = URL_SAFE_NO_PAD.encode(bytes);
        prop_assert_eq!(Attempt::open(&changed, 3, &TOY, NOW), None);
        prop_assert_eq!(Attempt::open(&text, 3, &TOY, NOW), None);
    }
}

fn place() -> Code {
    Code {
        until: NOW.plus(RETURN_VALID),
        gives: Gives::Place(ticket()),
    }
}

#[test]
fn a_code_opens_as_it_was_sealed_until_it_ends_and_in_its_room_only() {
    let text = place().seal(&TOY);
    assert!(text.len() <= CODE_MAX);
    let last = place().until.minus(Duration::from_millis(1));
    let gone = Toy {
        signs: 9,
        knows: &[9],
    };
    let elsewhere = RoomId::of("shop");
    for (room, seal, now, expected) in [
        (ROOM, TOY, NOW, Ok(place())),
        (ROOM, TOY, last, Ok(place())),
        (ROOM, TOY, place().until, Err(Rejected::Expired)),
        (elsewhere, TOY, NOW, Err(Rejected::OtherRoom)),
        (ROOM, gone, NOW, Err(Rejected::UnknownKey)),
    ] {
        assert_eq!(Code::open(&text, room, &seal, now), expected);
    }
    for text in [
        "",
        "A",
        "!!",
        &text[1..],
        &format!("{text}A"),
        &"A".repeat(5_000),
    ] {
        let found = Code::open(text, ROOM, &TOY, NOW);
        assert!(found.is_err(), "{text}");
    }
}

#[test]
fn no_byte_of_a_code_can_be_changed_and_no_part_of_it_is_a_ticket() {
    let bytes = URL_SAFE_NO_PAD.decode(place().seal(&TOY)).unwrap();
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        let text = URL_SAFE_NO_PAD.encode(&other);
        assert!(Code::open(&text, ROOM, &TOY, NOW).is_err(), "byte {at}");
        let cut = URL_SAFE_NO_PAD.encode(&bytes[at..]);
        assert!(open(&cut).is_err(), "from byte {at}");
    }
    let cookie = Credential::Ticket(ticket()).seal(&TOY);
    assert!(Code::open(&cookie, ROOM, &TOY, NOW).is_err());
}

#[test]
fn an_invitation_is_a_code_of_its_own_kind() {
    let invitation = Code {
        until: NOW.plus(INVITATION_VALID_MAX),
        gives: Gives::Invitation { room: ROOM, id: 5 },
    };
    let text = invitation.seal(&TOY);
    assert_eq!(Code::open(&text, ROOM, &TOY, NOW), Ok(invitation));
    let elsewhere = RoomId::of("shop");
    let other = Code::open(&text, elsewhere, &TOY, NOW);
    assert_eq!(other, Err(Rejected::OtherRoom));
    let ended = Code::open(&text, ROOM, &TOY, invitation.until);
    assert_eq!(ended, Err(Rejected::Expired));
    let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
    for at in 0..bytes.len() {
        bytes[at] ^= 1;
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        assert!(Code::open(&text, ROOM, &TOY, NOW).is_err(), "byte {at}");
        bytes[at] ^= 1;
    }
}

#[test]
fn each_link_has_a_name_of_its_own() {
    let later = Code {
        until: place().until.plus(Duration::from_millis(1)),
        ..place()
    };
    let other = Code {
        gives: Gives::Place(Ticket { id: 4, ..ticket() }),
        ..place()
    };
    assert_ne!(place().name(), later.name());
    assert_ne!(place().name(), other.name());
}
