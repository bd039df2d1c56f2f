//! The scenarios that are shipped can be played, and say where they are from.

use std::fs;
use std::path::PathBuf;

use surge::crowd::Behaviour;
use surge::scenario::Scenario;

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/load/scenarios");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    files
}

fn all() -> Vec<Scenario> {
    let load = |path: PathBuf| Scenario::load(&path).unwrap_or_else(|wrong| panic!("{wrong}"));
    shipped().into_iter().map(load).collect()
}

#[test]
fn every_shipped_scenario_is_read() {
    let names: Vec<_> = all().into_iter().map(|scenario| scenario.name).collect();
    let expected = [
        "calm",
        "census",
        "collapse",
        "deadline",
        "december-2013",
        "election-night-2016",
        "eligibility-opens",
        "half-dead",
        "retry-storm",
        "slow-database",
    ];
    assert_eq!(names, expected);
}

#[test]
fn one_small_machine_carries_every_shipped_scenario() {
    for scenario in all() {
        let name = &scenario.name;
        let peak = scenario.origin.peak();
        assert!(
            (150.0..450.0).contains(&peak),
            "{name}: {peak} requests a second"
        );
        let lasts = scenario.lasts.as_secs();
        assert!(lasts <= 150, "{name}: {lasts} s");
        let totals = scenario
            .crowd
            .iter()
            .map(|group| group.arrivals.total(scenario.lasts));
        let come: f64 = totals.sum();
        assert!(come < 30_000.0, "{name}: {come} come");
    }
}

#[test]
fn what_comes_in_calm_is_half_to_four_fifths_of_what_can_be_served() {
    let calm = all()
        .into_iter()
        .find(|scenario| scenario.name == "calm")
        .unwrap();
    let [people] = calm.crowd.as_slice() else {
        panic!()
    };
    let Behaviour::Visit(visit) = &people.behaviour else {
        panic!()
    };
    // The welcome, each page asked for and posted, and the thanks.
    let requests = f64::from(2 * visit.pages + 2);
    let shares = people.arrivals.points().iter();
    let shares = shares.map(|point| point.rate * requests / calm.origin.peak());
    let (least, most) = shares.fold((1.0_f64, 0.0_f64), |(least, most), share| {
        (least.min(share), most.max(share))
    });
    assert!(
        (0.49..0.52).contains(&least) && (0.78..0.81).contains(&most),
        "{least} {most}"
    );
}

#[test]
fn a_file_that_is_not_there_is_one_mistake_with_its_name() {
    let wrong = Scenario::load("no/such/night.toml".as_ref()).unwrap_err();
    assert!(
        wrong
            .to_string()
            .starts_with("no/such/night.toml:1:1: cannot be read: "),
        "{wrong}"
    );
}
