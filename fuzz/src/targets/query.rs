//! The query of the status address: the room that it names is a piece of it, as it stands there.

use forebay_layers::local::room_named;

use super::{Shape, Target, rough};

pub(super) const TARGET: Target = Target {
    name: "query",
    run,
    seeds,
};

fn seeds() -> Vec<Vec<u8>> {
    let seeds: [&[u8]; 6] = [
        b"room=main",
        b"a=b&room=main&hidden=1",
        b"room=&room=main",
        b"broom=main",
        b"room",
        b"room=a%00b",
    ];
    seeds.iter().map(|seed| seed.to_vec()).collect()
}

fn run(input: &[u8]) -> Shape {
    let query = String::from_utf8_lossy(input);
    let Some(name) = room_named(&query) else {
        let mut pairs = query.split('&');
        assert!(!pairs.any(|pair| pair.starts_with("room=")), "{query:?}");
        return 0;
    };
    assert!(!name.contains('&'), "{name:?}");
    assert!(
        query.contains(&format!("room={name}")),
        "{name:?} of {query:?}"
    );
    1 + rough(name.len())
}
