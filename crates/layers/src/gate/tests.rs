//! The gate's promises, in virtual time.

use super::*;

fn gate(limit: u32, patience: Duration) -> Arc<Gate> {
    let rules = GateRules {
        limit,
        length: NonZeroUsize::new(4_096).unwrap(),
        submit: patience,
        visitor: patience,
        stranger: patience,
        abort_grace: Some(Duration::from_secs(1)),
    };
    Gate::new(rules, Clock::new())
}

#[tokio::test(start_paused = true)]
async fn a_queue_of_the_late_alone_gives_its_permit_back() {
    let gate = gate(1, Duration::from_secs(1));
    let permit = gate.try_acquire().unwrap();
    let first_try = gate.clock.now();
    let late = gate
        .enqueue(Priority::Stranger, first_try, first_try)
        .unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    drop(permit);
    assert_eq!(gate.status().in_flight, 0);
    assert_eq!(gate.status().queued, 0);
    drop(late);
    assert!(gate.try_acquire().is_some());
}

#[tokio::test(start_paused = true)]
async fn thousands_who_left_the_queue_are_passed_over() {
    let gate = gate(1, Duration::from_secs(60));
    let permit = gate.try_acquire().unwrap();
    let now = gate.clock.now();
    for _ in 0..4_000 {
        // The receiving end is dropped at once, and the entry stays.
        gate.enqueue(Priority::Stranger, now, now.plus(Duration::from_secs(60)))
            .unwrap();
    }
    let (mut receiver, _) = gate
        .enqueue(Priority::Stranger, now, now.plus(Duration::from_secs(60)))
        .unwrap();
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
    let now = gate.clock.now();
    let until = now.plus(Duration::from_secs(60));
    let (mut stranger, _) = gate.enqueue(Priority::Stranger, now, until).unwrap();
    let (mut inside, _) = gate.enqueue(Priority::Navigation, now, until).unwrap();
    drop(permit);
    assert!(inside.try_recv().is_ok());
    assert!(stranger.try_recv().is_ok(), "freed again by the one before");
}
