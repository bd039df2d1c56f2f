//! The servers' life in virtual time.

use std::num::NonZeroUsize;

use forebay_admission::limit::Bounds;
use forebay_admission::queue::Settings;

use super::*;
use crate::gate::{GateRules, LimitRule};

const PATIENCE: Duration = Duration::from_secs(1);

fn servers(count: u16, probed: bool) -> Arc<Servers> {
    servers_by(count, probed, LimitRule::Fixed(100))
}

fn servers_by(count: u16, probed: bool, limit: LimitRule) -> Arc<Servers> {
    let clock = Clock::new();
    let rules = GateRules {
        limit,
        queue: Settings {
            length: NonZeroUsize::new(16),
            submit: PATIENCE,
            visitor: PATIENCE,
            stranger: Some(PATIENCE),
        },
        abort_grace: Some(PATIENCE),
    };
    let gate = Gate::new(rules, clock);
    let retry = RetryRules {
        attempts: 1,
        per_thousand: 100,
    };
    let rules = ServersRules { retry, probed };
    let servers = Servers::new(Arc::from("portal"), gate, rules, clock, || u32::MAX / 2);
    let all = (0..count).map(|n| {
        let address = SocketAddr::from(([10, 0, 0, 1], 8_000 + n));
        Server::new(address, 10, 1_000, clock.now())
    });
    servers.replace(all.collect());
    servers
}

fn choose(servers: &Servers) -> Result<Arc<Server>, Nobody> {
    servers.choose(&Tried::default(), true, || 7)
}

fn kill(servers: &Servers) {
    for server in &*servers.all() {
        for _ in 0..3 {
            servers.failed(server, Fault::Refused, Duration::ZERO);
        }
    }
}

async fn pass(servers: &Servers, millis: u64) {
    tokio::time::advance(Duration::from_millis(millis)).await;
    servers.tick();
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_a_ceiling_for_ten_seconds() {
    let servers = servers(4, false);
    let all = servers.all();
    servers.hint(&all[0], 10);
    servers.hint(&all[1], 5);
    pass(&servers, 50).await;
    assert_eq!(servers.gate.limit(), 30, "the silent count like the others");
    pass(&servers, 9_000).await;
    assert_eq!(servers.gate.limit(), 30);
    servers.hint(&all[0], 20);
    pass(&servers, 3_000).await;
    assert_eq!(servers.gate.limit(), 80, "only the first has spoken lately");
    pass(&servers, 12_000).await;
    assert_eq!(servers.gate.limit(), 100);
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_is_down_is_asked_by_one_and_comes_back_with_half() {
    for count in [1, 3] {
        let servers = servers(count, false);
        kill(&servers);
        assert!(servers.are_down());
        assert_eq!(choose(&servers).err(), Some(Nobody::Down));
        pass(&servers, 1_000).await;
        let trial = choose(&servers).expect("one may try");
        if count == 1 {
            assert_eq!(choose(&servers).err(), Some(Nobody::Down), "and no other");
        }
        servers.answered(&trial, 200, None);
        assert!(!servers.are_down());
        pass(&servers, 50).await;
        assert_eq!(servers.gate.limit(), 50);
        pass(&servers, 5_000).await;
        assert_eq!(servers.gate.limit(), 75);
        pass(&servers, 6_000).await;
        assert_eq!(servers.gate.limit(), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_the_outage_even_when_it_is_a_503() {
    let servers = servers(2, false);
    kill(&servers);
    pass(&servers, 1_500).await;
    let trial = choose(&servers).expect("one may try");
    servers.answered(&trial, 503, None);
    assert!(!servers.are_down(), "overloaded is not down");
}

#[tokio::test(start_paused = true)]
async fn with_probes_requests_try_only_when_all_are_out() {
    let servers = servers(2, true);
    let all = servers.all();
    servers.failed(&all[0], Fault::Refused, Duration::ZERO);
    pass(&servers, 60_000).await;
    for _ in 0..10 {
        assert_eq!(choose(&servers).unwrap().address, all[1].address);
    }
    servers.probes_passed(&all[0]);
    assert_eq!(all[0].status(servers.clock.now()).state, "slow-start");
    kill(&servers);
    pass(&servers, 2_000).await;
    assert!(choose(&servers).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_also_comes_back_with_half_and_not_with_a_trial_s_share() {
    let servers = servers_by(1, false, LimitRule::Adaptive(Bounds { min: 1, max: 1_000 }));
    servers.gate.restore(200);
    servers.gate.tick(false);
    let before = servers.gate.limit();
    kill(&servers);
    pass(&servers, 1_000).await;
    let trial = choose(&servers).expect("one may try");
    servers.answered(&trial, 200, None);
    pass(&servers, 50).await;
    servers.gate.tick(false);
    let after = servers.gate.limit();
    assert!(
        (before * 2 / 5..=before * 3 / 5).contains(&after),
        "{before} {after}"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_was_tried_is_not_chosen_again() {
    let servers = servers(3, false);
    let mut tried = Tried::default();
    for _ in 0..3 {
        let server = servers.choose(&tried, true, || 7).expect("one is left");
        assert!(tried.add(server.address));
    }
    let nobody = servers.choose(&tried, true, || 7);
    assert_eq!(nobody.err(), Some(Nobody::Left));
}

#[tokio::test(start_paused = true)]
async fn resting_ends_when_everybody_else_is_gone() {
    let servers = servers(2, false);
    let all = servers.all();
    servers.rest(&all[0], Duration::from_secs(20));
    assert_eq!(choose(&servers).unwrap().address, all[1].address);
    servers.rest(&all[1], Duration::from_secs(20));
    assert!(!servers.are_down(), "the last one does not rest");
    for _ in 0..3 {
        servers.failed(&all[1], Fault::Refused, Duration::ZERO);
    }
    assert_eq!(choose(&servers).unwrap().address, all[0].address);
}
