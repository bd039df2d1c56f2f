//! What a quota check costs: clients that come again, that are new, and that are refused.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use forebay_admission::quota::{Allowance, ClientKey, Quota, SharedTable};
use forebay_admission::rate::Rate;
use forebay_admission::time::Timestamp;

/// Clients who come again, in a table that holds them all.
const CLIENTS: u64 = 100_000;

fn quota(entries: usize, rate: u32, burst: u32) -> Quota {
    let allowance = Allowance {
        rate: Rate::new(rate, Duration::from_secs(1)).expect("a rate above zero"),
        burst: NonZeroU32::new(burst).expect("a burst above zero"),
    };
    Quota::new(allowance, SharedTable::new(entries))
}

/// Spreads small numbers as the shell's keyed hash does.
const fn key(client: u64) -> ClientKey {
    ClientKey::new(client.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32))
}

/// Each check comes from another client, a microsecond later.
fn check(c: &mut Criterion, name: &str, quota: &Quota, clients: u64) {
    let mut turn = 0u64;
    c.bench_function(name, |b| {
        b.iter(|| {
            turn += 1;
            black_box(quota.check(key(turn % clients), Timestamp::from_nanos(turn * 1_000)))
        });
    });
}

fn benches(c: &mut Criterion) {
    check(c, "quota/one client", &quota(8, 1_000_000, 1_000), 1);
    check(
        c,
        "quota/100,000 clients",
        &quota(1_000_000, 100, 500),
        CLIENTS,
    );
    check(
        c,
        "quota/always a new client in a full table",
        &quota(65_536, 100, 500),
        u64::MAX,
    );
    check(c, "quota/refused", &quota(8, 1, 1), 1);
}

criterion_group!(quotas, benches);
criterion_main!(quotas);
