//! Who ends when, in virtual time.

use super::super::settings::Database;
use super::*;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One server that gives each of n requests 1/n of itself, up to `threads` at once.
fn plain(threads: usize, backlog: usize) -> OriginSettings {
    OriginSettings {
        service: seconds(1),
        cores: 1,
        sigma: 1.0,
        kappa: 0.0,
        threads,
        backlog,
        ..OriginSettings::default()
    }
}

/// Work of `own` seconds at the server, and nothing else.
const fn own(own: f64) -> Demand {
    Demand {
        own,
        queries: Queries {
            work: 0.0,
            row: 0.0,
        },
    }
}

/// Work of a second at the server, then at the database.
const fn asking(work: f64, row: f64) -> Demand {
    Demand {
        own: 1.0,
        queries: Queries { work, row },
    }
}

fn jobs(finished: Vec<(Duration, u32)>) -> Vec<u32> {
    finished.into_iter().map(|(_at, job)| job).collect()
}

/// Whole milliseconds at which each job was finished.
fn ends(finished: Vec<(Duration, u32)>) -> Vec<(u128, u32)> {
    let rounded = |at: Duration| (at + Duration::from_micros(1)).as_millis();
    finished
        .into_iter()
        .map(|(at, job)| (rounded(at), job))
        .collect()
}

fn begun(settings: OriginSettings, demands: &[Demand]) -> Work<u32> {
    let mut work = Work::new(settings);
    for (job, demand) in demands.iter().enumerate() {
        work.arrive(0, *demand, job as u32).unwrap();
    }
    work
}

#[test]
fn a_request_alone_takes_its_service_time() {
    let mut work = begun(plain(10, 0), &[own(3.0)]);
    assert_eq!(work.next(), Some(seconds(3) + Duration::from_nanos(1)));
    assert!(work.advance(Duration::from_millis(2_999)).is_empty());
    assert_eq!(ends(work.advance(seconds(3))), [(3_000, 0)]);
}

#[test]
fn two_requests_share_the_server_and_the_shorter_leaves_first() {
    let mut work = begun(plain(10, 0), &[own(3.0), own(1.0)]);
    assert_eq!(
        ends(work.advance(seconds(9))),
        [(2_000, 1), (4_000, 0)],
        "one unit of work at half speed, then two at full speed"
    );
}

#[test]
fn looking_late_changes_nothing_about_what_happened() {
    let database = Some(Database {
        pool: 1,
        ..Database::default()
    });
    let settings = OriginSettings {
        database,
        ..plain(2, 10)
    };
    let demands = [
        asking(3.0, 1.0),
        asking(1.0, 0.0),
        own(2.0),
        asking(0.5, 0.5),
    ];
    let mut often = begun(settings.clone(), &demands);
    let mut once = begun(settings, &demands);
    let stepped: Vec<_> = (0..200)
        .flat_map(|tenth| often.advance(Duration::from_millis(tenth * 100)))
        .collect();
    assert_eq!(
        ends(stepped),
        ends(once.advance(Duration::from_millis(19_900)))
    );
    assert_eq!(once.len(), 0);
}

#[test]
fn who_finds_threads_and_backlog_full_comes_back() {
    let mut work = begun(plain(1, 1), &[own(1.0), own(1.0)]);
    assert_eq!(work.arrive(0, own(1.0), 2), Err(2));
    assert_eq!(
        ends(work.advance(seconds(2))),
        [(1_000, 0), (2_000, 1)],
        "the queued one began when a thread was free"
    );
}

#[test]
fn a_thread_is_held_while_its_request_waits_for_a_connection() {
    let one = Database {
        pool: 1,
        ..Database::default()
    };
    let settings = OriginSettings {
        database: Some(one),
        sigma: 0.0,
        cores: 2,
        ..plain(2, 5)
    };
    // Both threads are with the database, one of them waiting; the third request,
    // which needs no database at all, begins when the first is done.
    let mut work = begun(settings, &[asking(4.0, 0.0), asking(4.0, 0.0), own(1.0)]);
    assert_eq!(
        ends(work.advance(seconds(20))),
        [(5_000, 0), (6_000, 2), (9_000, 1)]
    );
}

#[test]
fn the_row_is_changed_by_one_after_the_other_with_their_connections_kept() {
    let settings = OriginSettings {
        database: Some(Database {
            pool: 2,
            ..Database::default()
        }),
        sigma: 0.0,
        cores: 4,
        ..plain(4, 0)
    };
    // Two hold the connections until both have had the row; only then is there one
    // for the third.
    let demands = [asking(1.0, 3.0), asking(1.0, 3.0), asking(1.0, 0.0)];
    let mut work = begun(settings, &demands);
    assert_eq!(
        ends(work.advance(seconds(20))),
        [(5_000, 0), (6_000, 2), (8_000, 1)]
    );
}

#[test]
fn what_is_wrong_changes_the_speed_of_what_is_under_way() {
    let database = Some(Database::default());
    for (condition, end) in [
        (
            Condition::but(|wrong| wrong.slow = 3.0),
            1_000 + 3_000 + 6_000,
        ),
        (
            Condition::but(|wrong| wrong.database = 3.0),
            1_000 + 1_000 + 6_000,
        ),
        (
            Condition::but(|wrong| wrong.dead = 0.5),
            1_000 + 2_000 + 2_000,
        ),
    ] {
        let settings = OriginSettings {
            database: database.clone(),
            ..plain(9, 0)
        };
        let mut work = Work::new(settings);
        let demand = Demand {
            own: 2.0,
            ..asking(2.0, 0.0)
        };
        work.arrive(0, demand, 0).unwrap();
        work.advance(seconds(1));
        // Seeds under which the one request is not the half that is lost.
        let lost = work.set(condition.clone(), &mut Dice::new(2));
        assert_eq!(lost, [] as [u32; 0], "{condition:?}");
        assert_eq!(ends(work.advance(seconds(60))), [(end, 0)], "{condition:?}");
    }
}

#[test]
fn at_a_standstill_nothing_ends_and_nothing_is_lost() {
    let healthy = Condition::default();
    let hang = Condition::but(|wrong| wrong.hang = true);
    let silent = Condition::but(|wrong| wrong.silent = true);
    for condition in [hang, silent] {
        let mut work = begun(plain(9, 0), &[own(2.0)]);
        work.advance(seconds(1));
        assert!(work.set(condition, &mut Dice::new(1)).is_empty());
        assert_eq!(work.next(), None);
        assert!(work.advance(seconds(100)).is_empty());
        work.set(healthy.clone(), &mut Dice::new(1));
        assert_eq!(ends(work.advance(seconds(200))), [(101_000, 0)]);
    }
}

#[test]
fn a_server_that_dies_loses_what_it_had_wherever_that_was() {
    let settings = OriginSettings {
        servers: 2,
        database: Some(Database {
            pool: 1,
            ..Database::default()
        }),
        ..plain(3, 9)
    };
    let mut work = Work::new(settings);
    for job in 0..10 {
        work.arrive(job as usize % 2, asking(5.0, 1.0), job)
            .unwrap();
    }
    work.advance(seconds(4));
    let dead = Condition::but(|wrong| wrong.dead = 0.5);
    let mut lost = work.set(dead, &mut Dice::new(1));
    lost.sort_unstable();
    assert_eq!(lost, [0, 2, 4, 6, 8], "the first server's");
    assert_eq!(work.len(), 5);
    assert_eq!(
        work.arrive(0, own(1.0), 77),
        Err(77),
        "a dead server takes nothing"
    );
    let mut kept = jobs(work.advance(seconds(500)));
    kept.sort_unstable();
    assert_eq!(kept, [1, 3, 5, 7, 9]);
}

#[test]
fn half_of_one_server_loses_about_half_of_what_it_had() {
    let mut work = begun(plain(500, 500), &[own(9.0); 1_000]);
    let dead = Condition::but(|wrong| wrong.dead = 0.5);
    let lost = work.set(dead, &mut Dice::new(1)).len();
    assert!((450..=550).contains(&lost), "{lost}");
    assert_eq!(work.len(), 1_000 - lost);
}

#[test]
fn after_a_restart_work_is_more_until_the_caches_are_warm() {
    let settings = OriginSettings {
        cold: 3.0,
        warm: 10,
        ..plain(1, 0)
    };
    let mut work = begun(settings, &[own(1.0)]);
    let down = Condition::but(|wrong| wrong.down = true);
    assert_eq!(
        work.set(down, &mut Dice::new(1)),
        [0],
        "what was there is lost"
    );
    work.set(Condition::default(), &mut Dice::new(1));
    let mut before = Duration::ZERO;
    let mut took = Vec::new();
    for job in 0..50 {
        work.arrive(0, own(1.0), job).unwrap();
        let now = work.next().unwrap();
        work.advance(now);
        took.push((now - before).as_secs_f64());
        before = now;
    }
    assert!((took[0] - 3.0).abs() < 1e-3, "{}", took[0]);
    assert!(
        (took[10] - 1.0 - 2.0 / 1.0_f64.exp()).abs() < 1e-3,
        "{}",
        took[10]
    );
    assert!((took[49] - 1.0).abs() < 0.02, "{}", took[49]);
}
