//! What a credential costs: checking and signing a ticket and a pass, and turning a forgery away.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use forebay_admission::credential::{Credential, RoomId};
use forebay_admission::pass::Pass;
use forebay_admission::ticket::Ticket;
use forebay_admission::time::WallTime;
use forebay_benches::Key;

const ROOM: RoomId = RoomId::of("main");
const NOW: WallTime = WallTime::from_millis(1_767_225_600_000);

fn benches(c: &mut Criterion) {
    let key = Key::default();
    let ticket = Credential::Ticket(Ticket {
        room: ROOM,
        id: 0x0123_4567_89ab_cdef,
        arrived: NOW,
        confirmed: true,
        due: NOW,
        least_ahead: Some(1_234),
        first_told: None,
        late: false,
        invited: false,
    });
    let pass = Credential::Pass(Pass {
        room: ROOM,
        id: 7,
        began: NOW,
        seen: NOW,
        confirmed: true,
    });
    for (name, credential) in [("ticket", ticket), ("pass", pass)] {
        let text = credential.seal(&key);
        let mut forged = text.clone();
        forged.replace_range(12..13, if &forged[12..13] == "A" { "B" } else { "A" });
        for (what, text) in [("open", &text), ("turn a forged one away", &forged)] {
            c.bench_function(&format!("{name}/{what}"), |b| {
                b.iter(|| Credential::open(black_box(text), ROOM, &key, NOW));
            });
        }
        c.bench_function(&format!("{name}/sign"), |b| {
            b.iter(|| black_box(&credential).seal(&key));
        });
    }
}

criterion_group!(tickets, benches);
criterion_main!(tickets);
