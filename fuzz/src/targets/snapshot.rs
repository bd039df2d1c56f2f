//! A room's saved state from a disk that lies: it is refused, or read as a room that saves what
//! can be read again.

use std::time::Duration;

use forebay_admission::room::{Load, Room, Settings};

use super::toy::{NOW, ROOM};
use super::{Shape, Target, rough};

pub(super) const TARGET: Target = Target {
    name: "snapshot",
    run,
    seeds,
};

fn seeds() -> Vec<Vec<u8>> {
    let mut room = Room::new(ROOM, Settings::default(), NOW);
    let empty = room.snapshot();
    for id in 0..5 {
        room.shed(NOW, id);
    }
    room.tick(NOW.plus(Duration::from_millis(200)), Load::default());
    vec![empty, room.snapshot()]
}

fn run(input: &[u8]) -> Shape {
    let settings = Settings::default();
    match Room::restore(ROOM, settings, input, NOW) {
        Ok(mut room) => {
            let saved = room.snapshot();
            let again = Room::restore(ROOM, settings, &saved, NOW);
            assert!(again.is_ok(), "what was read is saved as it can be read");
            // Figures at the ends of their ranges may leave them now, and harm nobody.
            room.tick(NOW.plus(Duration::from_millis(200)), Load::default());
            room.publish(NOW.plus(Duration::from_millis(200)));
            16 + rough(saved.len())
        }
        Err(_) => rough(input.len()),
    }
}
