//! The gate's promises, in virtual time.

use std::num::NonZeroUsize;

use forebay_admission::limit::{Bounds, Moved};
use forebay_admission::queue::Settings;

use super::*;

fn gate(limit: u32, patience: Duration) -> Arc<Gate> {
    gate_by(LimitRule::Fixed(limit), patience)
}

fn gate_by(limit: LimitRule, patience: Duration) -> Arc<Gate> {
    let rules = GateRules {
        limit,
        queue: Settings {
            length: NonZeroUsize::new(4_096),
            submit: patience,
            visitor: patience,
            stranger: Some(patience),
        },
        abort_grace: Some(Duration::from_secs(1)),
    };
    Gate::new(rules, Clock::new())
}

/// Somebody of this class waits; the end at which the permit arrives.
fn waits(gate: &Arc<Gate>, class: Priority) -> oneshot::Receiver<Permit> {
    gate.enqueue(class, gate.clock.now()).unwrap().0
}

#[tokio::test(start_paused = true)]
async fn a_queue_of_the_late_alone_gives_its_permit_back() {
    let gate = gate(1, Duration::from_secs(1));
    let permit = gate.try_acquire().unwrap();
    let late = waits(&gate, Priority::Stranger);
    tokio::time::advance(Duration::from_secs(2)).await;
    drop(permit);
    assert_eq!(gate.status().in_flight, 0);
    gate.tick(false);
    assert_eq!(gate.status().queued, 0);
    assert_eq!(gate.status().shed.stranger.late, 1);
    drop(late);
    assert!(gate.try_acquire().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_turned_away_once_with_or_without_a_tick() {
    for ticks in [false, true] {
        let gate = gate(1, Duration::from_secs(1));
        let permit = gate.try_acquire().unwrap();
        let now = gate.clock.now();
        let asked = gate.acquire(Priority::Navigation, now);
        let ticking = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ticks.then(|| gate.tick(false));
        };
        let (asked, ()) = tokio::join!(asked, ticking);
        assert!(asked.is_none());
        let status = gate.status();
        assert_eq!((status.queued, status.shed.navigation.late), (0, 1));
        assert_eq!(gate.load().shed, 1);
        drop(permit);
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_is_counted_by_class() {
    let gate = gate(1, Duration::from_secs(60));
    let _permit = gate.try_acquire().unwrap();
    let forms: Vec<_> = (0..4_096).map(|_| waits(&gate, Priority::Submit)).collect();
    assert!(
        gate.enqueue(Priority::Stranger, gate.clock.now()).is_none(),
        "no place for a stranger"
    );
    let _page = waits(&gate, Priority::Navigation);
    let status = gate.status();
    assert_eq!((status.queued, status.standing), (4_096, true));
    assert_eq!(status.shed.stranger.crowded, 1);
    assert_eq!(status.shed.submit.crowded, 1, "the last gave its place");
    drop(forms);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_forms_leaves_pages_their_floor() {
    let gate = gate(10, Duration::from_secs(60));
    let mut held: Vec<_> = std::iter::from_fn(|| gate.try_acquire()).collect();
    let mut forms: VecDeque<_> = (0..40).map(|_| waits(&gate, Priority::Submit)).collect();
    let mut page = waits(&gate, Priority::Navigation);
    // The floors of ten permits: two for forms, one for pages.
    for _ in 0..3 {
        drop(held.remove(0));
        forms.retain_mut(|form| {
            let got = form.try_recv();
            held.extend(got.ok());
            !form.is_terminated()
        });
    }
    let page = page.try_recv().expect("the third permit at the latest");
    assert_eq!(lock(&gate.waiters).held.navigation, 1);
    drop(page);
    drop((forms, held));
    assert_eq!(lock(&gate.waiters).held, PerClass::default());
    assert_eq!(gate.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn thousands_who_left_the_queue_are_passed_over() {
    let gate = gate(1, Duration::from_secs(60));
    let permit = gate.try_acquire().unwrap();
    for _ in 0..4_000 {
        // The receiving end is dropped at once, and the entry stays.
        drop(waits(&gate, Priority::Stranger));
    }
    let mut receiver = waits(&gate, Priority::Stranger);
    drop(permit);
    assert!(receiver.try_recv().is_ok(), "the one who stayed is served");
    assert_eq!(gate.status().queued, 0);
}

#[tokio::test(start_paused = true)]
async fn a_used_permit_counts_until_the_grace_is_over() {
    let gate = gate(1, Duration::from_secs(1));
    let mut permit = gate.try_acquire().unwrap();
    permit.begin();
    drop(permit);
    gate.sweep();
    assert!(gate.try_acquire().is_none());
    tokio::time::advance(Duration::from_millis(1_001)).await;
    gate.sweep();
    assert!(gate.try_acquire().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_is_inside_goes_before_strangers() {
    let gate = gate(1, Duration::from_secs(60));
    let permit = gate.try_acquire().unwrap();
    let mut stranger = waits(&gate, Priority::Stranger);
    let mut inside = waits(&gate, Priority::Navigation);
    drop(permit);
    assert!(inside.try_recv().is_ok());
    assert!(stranger.try_recv().is_ok(), "freed again by the one before");
}

/// `clients` ask again and again for `seconds`, at an origin that answers after `service`, however
/// many it is asked for at once. Where the limit is at the end.
async fn asked(gate: &Arc<Gate>, clients: usize, seconds: u64, service: Duration) -> u32 {
    let end = gate.clock.now().plus(Duration::from_secs(seconds));
    for _ in 0..clients {
        let gate = Arc::clone(gate);
        tokio::spawn(async move {
            while gate.clock.now() < end {
                let now = gate.clock.now();
                let Some(mut permit) = gate.acquire(Priority::Stranger, now).await else {
                    continue;
                };
                permit.begin();
                tokio::time::sleep(service).await;
                permit.finish(Outcome::Success, service);
            }
        });
    }
    while gate.clock.now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
        gate.tick(false);
    }
    gate.limit()
}

const FREE: LimitRule = LimitRule::Adaptive(Bounds { min: 4, max: 1_000 });

#[tokio::test(start_paused = true)]
async fn the_limit_grows_only_while_it_binds_and_more_is_served() {
    let calm = gate_by(FREE, Duration::from_secs(5));
    let before = calm.limit();
    assert_eq!(asked(&calm, 4, 60, Duration::from_millis(50)).await, before);
    assert_eq!(calm.status().holds, Holds::Learned(Moved::Never));

    let pressed = gate_by(FREE, Duration::from_secs(5));
    let after = asked(&pressed, 200, 60, Duration::from_millis(50)).await;
    assert!(after > 150, "{before} became {after}");
}

#[tokio::test(start_paused = true)]
async fn nothing_exceeds_a_ceiling_and_without_it_what_was_learned_holds() {
    let gate = gate_by(FREE, Duration::from_secs(5));
    let learned = gate.limit();
    gate.ceiling(Some(5));
    assert_eq!((gate.limit(), gate.status().holds), (5, Holds::Ceiling));
    let permits: Vec<_> = std::iter::from_fn(|| gate.try_acquire()).collect();
    assert_eq!(permits.len(), 5);
    gate.ceiling(None);
    assert_eq!(gate.limit(), learned);
}

#[tokio::test(start_paused = true)]
async fn the_limit_follows_the_servers_that_are_there() {
    let gate = gate_by(FREE, Duration::from_secs(5));
    gate.restore(100);
    for (alive, expected) in [(1_000, 100), (250, 25), (0, 25), (260, 25), (500, 50)] {
        gate.alive(alive);
        gate.tick(false);
        assert_eq!(gate.learned(), Some(expected), "{alive}");
    }
    gate.alive(250);
    assert!(gate.limit() <= 25, "at once: {}", gate.limit());
}

#[tokio::test(start_paused = true)]
async fn a_new_process_goes_on_from_the_limit_that_was_found() {
    let before = gate_by(FREE, Duration::from_secs(5));
    assert_eq!(before.learned(), None, "nothing was found yet");
    before.restore(73);
    assert_eq!(before.learned(), Some(73));
    assert_eq!(
        (before.limit(), before.status().holds),
        (73, Holds::Learned(Moved::Restored))
    );
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_short_of_processor_learns_nothing() {
    let gate = gate_by(FREE, Duration::from_secs(5));
    let ticks = Arc::clone(&gate);
    let before = gate.limit();
    let starved = tokio::spawn(async move {
        loop {
            ticks.tick(true);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let after = asked(&gate, 200, 60, Duration::from_millis(50)).await;
    starved.abort();
    assert_eq!(after, before);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_or_timed_out_cuts_the_limit_and_what_says_nothing_does_not() {
    for (outcome, falls) in [(Outcome::Congested, true), (Outcome::Ignored, false)] {
        let gate = gate_by(FREE, Duration::from_secs(5));
        gate.restore(100);
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let permits: Vec<_> = (0..5).filter_map(|_| gate.try_acquire()).collect();
            permits.iter().for_each(|permit| permit.failed(outcome));
            gate.tick(false);
        }
        assert_eq!(gate.limit() < 100, falls, "{outcome:?}: {}", gate.limit());
    }
}
