//! What one decision at an origin's gate costs, and one tick of the law that moves its limit.
//!
//! Bar: at most a microsecond as a median, five as the 99th percentile.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench takes real time, and says percentiles that criterion does not"
)]

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use forebay_admission::limit::{Bounds, Outcome};
use forebay_admission::priority::Priority;
use forebay_admission::queue::Settings;
use forebay_admission::time::Timestamp;
use forebay_layers::clock::Clock;
use forebay_layers::gate::{Gate, GateRules, LimitRule, Permit};

/// What an exchange with the origin took.
const TOOK: Duration = Duration::from_millis(50);

/// Decisions of which the 99th percentile is taken.
const DECISIONS: usize = 200_000;

fn gate(limit: LimitRule) -> Arc<Gate> {
    let patience = Duration::from_secs(3_600);
    let rules = GateRules {
        limit,
        queue: Settings {
            length: None,
            submit: patience,
            visitor: patience,
            stranger: Some(patience),
        },
        abort_grace: None,
    };
    Gate::new(rules, Clock::new())
}

fn adaptive() -> LimitRule {
    LimitRule::Adaptive(Bounds { min: 4, max: 1_000 })
}

/// A permit, taken and given back when the origin is done.
fn decide(gate: &Arc<Gate>) {
    let permit = gate.try_acquire().map(|mut permit| {
        permit.begin();
        permit
    });
    if let Some(permit) = black_box(permit) {
        permit.finish(Outcome::Success, TOOK);
    }
}

/// All permits of the gate.
fn all(gate: &Arc<Gate>) -> Vec<Permit> {
    std::iter::from_fn(|| gate.try_acquire()).collect()
}

fn unsaturated(c: &mut Criterion) {
    for (name, limit) in [
        ("gate/free, fixed", LimitRule::Fixed(64)),
        ("gate/free, adaptive", adaptive()),
    ] {
        let gate = gate(limit);
        c.bench_function(name, |b| b.iter(|| decide(&gate)));
        percentile(name, || decide(&gate));
    }
}

/// The last free permit comes and goes: each time begins and ends pressure.
fn at_the_limit(c: &mut Criterion) {
    let gate = gate(adaptive());
    let mut others = all(&gate);
    drop(others.pop());
    let name = "gate/the last permit, adaptive";
    c.bench_function(name, |b| b.iter(|| decide(&gate)));
    percentile(name, || decide(&gate));
    c.bench_function("gate/refused, adaptive", |b| {
        let _last = gate.try_acquire();
        b.iter(|| black_box(gate.try_acquire().is_none()));
    });
}

/// A permit goes from one exchange to one that waits, with hundreds behind it.
fn handed_on(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of one thread");
    let _inside = runtime.enter();
    let gate = gate(adaptive());
    let mut held = all(&gate);
    let mut came = 0;
    let mut come = || {
        came += 1;
        let first_try = Timestamp::from_nanos(came);
        let mut next = Box::pin(gate.acquire(Priority::Navigation, first_try));
        assert!(polled(&mut next).is_none(), "it stands in the queue");
        next
    };
    let mut waiting: VecDeque<_> = std::iter::repeat_with(&mut come).take(500).collect();
    let mut turn = || {
        let permit = held.pop().expect("as many are handed on as are given back");
        permit.finish(Outcome::Success, TOOK);
        let mut first = waiting.pop_front().expect("as many come as go");
        let permit = polled(&mut first).expect("first come, first served");
        held.push(permit.expect("patience is longer than the bench"));
        waiting.push_back(come());
    };
    let name = "gate/handed on, 500 wait";
    c.bench_function(name, |b| b.iter(&mut turn));
    percentile(name, turn);
}

/// What a future gives when it is polled once.
fn polled<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

fn tick(c: &mut Criterion) {
    let gate = gate(adaptive());
    let _held = all(&gate);
    c.bench_function("gate/a tick of the law", |b| b.iter(|| gate.tick(false)));
    percentile("gate/a tick of the law", || gate.tick(false));
}

/// Says the percentiles of `decide`, the clock's own cost with it.
fn percentile(name: &str, mut decide: impl FnMut()) {
    let mut took: Vec<_> = std::iter::repeat_with(|| {
        let began = Instant::now();
        decide();
        began.elapsed()
    })
    .take(DECISIONS)
    .collect();
    took.sort_unstable();
    let at = |permille: usize| took[took.len() * permille / 1_000].as_nanos();
    println!(
        "{name}: median {} ns, p99 {} ns, p99.9 {} ns",
        at(500),
        at(990),
        at(999)
    );
}

criterion_group!(gates, unsaturated, at_the_limit, handed_on, tick);
criterion_main!(gates);
