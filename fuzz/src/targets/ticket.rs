//! Tickets and passes with a right MAC and any fields: what an older version, another node or a
//! leaked key could have signed. The room keeps its promises whatever they say.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use forebay_admission::credential::{Credential, RoomId};
use forebay_admission::pass::Pass;
use forebay_admission::room::{Load, Mode, Room, Settings, Turn};
use forebay_admission::seal::{KeyId, MAC_BYTES, Seal};
use forebay_admission::ticket::{FirstTold, Ticket};
use forebay_admission::time::WallTime;

use super::toy::{NOW, ROOM, Toy};
use super::{Shape, Target, rough};

pub(super) const TARGET: Target = Target {
    name: "ticket",
    run,
    seeds,
};

/// One of each kind.
pub(super) fn credentials() -> Vec<Credential> {
    let before = |seconds| NOW.minus(Duration::from_secs(seconds));
    let minute = Duration::from_secs(60);
    let settings = Settings::default();
    let (first, _) = Room::new(ROOM, settings, before(60)).shed(before(60), 7);
    let ticket = Ticket {
        confirmed: true,
        due: before(1),
        least_ahead: Some(17),
        ..first
    };
    let pass = Pass {
        room: ROOM,
        id: 7,
        began: before(600),
        seen: before(30),
        confirmed: true,
    };
    vec![
        Credential::Ticket(ticket),
        Credential::Ticket(Ticket {
            confirmed: false,
            least_ahead: None,
            ..ticket
        }),
        Credential::Ticket(Ticket {
            first_told: Some(FirstTold::new(minute, minute, 2 * minute)),
            late: true,
            ..ticket
        }),
        Credential::Ticket(Ticket {
            room: RoomId::of("other"),
            ..ticket
        }),
        Credential::Pass(pass),
        Credential::Pass(Pass {
            confirmed: false,
            ..pass
        }),
    ]
}

/// The seeds without their MACs.
fn seeds() -> Vec<Vec<u8>> {
    let message = |credential: Credential| {
        let mut bytes = URL_SAFE_NO_PAD.decode(credential.seal(&Toy)).ok()?;
        bytes.truncate(bytes.len().checked_sub(MAC_BYTES)?);
        Some(bytes)
    };
    credentials().into_iter().filter_map(message).collect()
}

/// The input as a message with the MAC of the key that it names.
fn sealed(message: &[u8]) -> String {
    let key = KeyId(message.get(2).copied().unwrap_or_default());
    let mac = Toy.mac(key, message).unwrap_or_default();
    let mut bytes = message.to_vec();
    bytes.extend_from_slice(&mac[..MAC_BYTES]);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn run(message: &[u8]) -> Shape {
    let text = sealed(message);
    match Credential::open(&text, ROOM, &Toy, NOW) {
        Ok(Credential::Ticket(ticket)) => 1 << 8 | in_line(&ticket),
        Ok(Credential::Pass(pass)) => 2 << 8 | inside(&pass),
        Err(rejected) => rejected as Shape,
    }
}

fn in_line(ticket: &Ticket) -> Shape {
    let mut shape = 0;
    for mode in [Mode::QueueAll, Mode::Auto, Mode::Hold] {
        let settings = Settings {
            mode,
            ..Settings::default()
        };
        let mut room = Room::new(ROOM, settings, NOW);
        let mut ticket = *ticket;
        for step in 0..4_u64 {
            let now = NOW.plus(Duration::from_millis(200 * step));
            let told = room.look(now, &ticket);
            never_more(&ticket, told.ahead);
            shape = shape * 8
                + match room.poll(now, &ticket) {
                    Turn::Through => 1,
                    Turn::Enter(pass) => {
                        assert_eq!(pass.id, Pass::id_of(ticket.id), "one ticket is one visit");
                        2
                    }
                    Turn::Wait(next, told) => {
                        never_more(&ticket, told.ahead);
                        same_place(&ticket, &next, now, settings.keep);
                        ticket = next;
                        3
                    }
                };
            room.tick(now, Load::default());
            room.publish(now);
        }
        let saved = room.snapshot();
        let restored = Room::restore(ROOM, settings, &saved, NOW);
        assert!(restored.is_ok(), "what a room saves it reads");
    }
    shape % 4_096 + (rough(usize::from(ticket.due < ticket.arrived)) << 12)
}

/// A place is kept; one that is older than what the room remembers becomes a new one, which is
/// never better.
fn same_place(ticket: &Ticket, next: &Ticket, now: WallTime, keep: Duration) {
    const HOUR: Duration = Duration::from_secs(3_600);
    assert_eq!(next.id, ticket.id);
    assert!(
        next.arrived >= ticket.arrived.min(now),
        "{ticket:?} then {next:?}"
    );
    let recent = ticket.arrived.plus(HOUR) >= now && ticket.arrived <= now;
    if recent && ticket.due.plus(keep) >= now {
        assert_eq!(next.arrived, ticket.arrived);
    }
}

fn never_more(ticket: &Ticket, ahead: Option<u32>) {
    if let (Some(least), Some(ahead)) = (ticket.least_ahead, ahead) {
        assert!(ahead <= least, "{ahead} ahead after {least}");
    }
}

fn inside(pass: &Pass) -> Shape {
    let settings = Settings::default();
    let mut room = Room::new(ROOM, settings, NOW);
    let standing = pass.standing(NOW, &settings.pass) as Shape;
    let renewed = room.renew(NOW, pass);
    assert_eq!(renewed.id, pass.id, "a pass signed anew is the same visit");
    room.end(&renewed);
    room.tick(NOW, Load::default());
    standing
}
