//! What policy costs an admitted request, from the cookie's text to the class at the queue, and
//! a request that finds the line: all of `admission` that stands on the two hot paths.

use std::hint::black_box;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use forebay_admission::credential::{Credential, RoomId};
use forebay_admission::pass::{Pass, PassRules, Standing};
use forebay_admission::priority::{PerClass, Priority, RoutePriority, Traits};
use forebay_admission::queue::{Queue, Settings};
use forebay_admission::quota::{Allowance, ClientKey, Decision, Quota, SharedTable};
use forebay_admission::rate::Rate;
use forebay_admission::time::{Timestamp, WallTime};
use forebay_benches::Key;

const ROOM: RoomId = RoomId::of("main");
const NOW: WallTime = WallTime::from_millis(1_767_225_600_000);
const RULES: PassRules = PassRules {
    idle: Duration::from_secs(600),
    lifetime: Duration::from_secs(43_200),
    form_grace: Duration::from_secs(900),
};

/// The way of a pass holder's request through policy while permits are free.
fn admit(text: &str, key: &Key, quota: &Quota, now: Timestamp) -> Option<Priority> {
    let Ok(Credential::Pass(pass)) = Credential::open(text, ROOM, key, NOW) else {
        return None;
    };
    let standing = pass.standing(NOW, &RULES);
    let Decision::Within { .. } = quota.check(ClientKey::new(pass.id), now) else {
        return None;
    };
    let inside = matches!(standing, Standing::Fresh | Standing::Renew);
    let route = RoutePriority::Normal;
    Some(Priority::of(Traits {
        inside,
        safe: true,
        route,
        ..Traits::default()
    }))
}

fn admitted(c: &mut Criterion) {
    let key = Key::default();
    let pass = Pass {
        room: ROOM,
        id: 7,
        began: NOW,
        seen: NOW,
        confirmed: true,
    };
    let text = Credential::Pass(pass).seal(&key);
    let allowance = Allowance {
        rate: Rate::new(2_000_000, Duration::from_secs(1)).expect("a rate above zero"),
        burst: NonZeroU32::MIN.saturating_add(99),
    };
    let quota = Quota::new(allowance, SharedTable::new(1_000_000));
    let mut turn = 0;
    c.bench_function("verdict/admitted with a pass", |b| {
        b.iter(|| {
            turn += 1_000;
            let priority = admit(black_box(&text), &key, &quota, Timestamp::from_nanos(turn));
            assert_eq!(priority, Some(Priority::Navigation));
        });
    });
}

/// A full queue of strangers, through which visitors go.
fn queued(c: &mut Criterion) {
    let patience = Duration::from_secs(3_600);
    let settings = Settings {
        length: NonZeroUsize::new(1_024),
        submit: patience,
        visitor: patience,
        stranger: Some(patience),
    };
    let mut queue = Queue::new(settings, 64);
    let held = PerClass::from_fn(|_class| 10);
    let mut turn = 0u64;
    c.bench_function("verdict/through a full queue", |b| {
        b.iter(|| {
            turn += 1;
            let now = Timestamp::from_nanos(turn * 1_000);
            let stranger = queue.push(Priority::Stranger, now, now, turn);
            let visitor = queue.push(Priority::Navigation, now, now, turn);
            black_box((stranger.is_ok(), visitor.is_ok(), queue.pop(now, &held)))
        });
    });
}

criterion_group!(verdicts, admitted, queued);
criterion_main!(verdicts);
