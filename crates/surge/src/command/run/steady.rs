//! A crowd at a steady rate, without a scenario.

use std::time::Duration;

use clap::Args;
use surge::crowd::{Behaviour, Crowd, CrowdSettings, Curve, Group, Site, Sources, Visit};
use surge::span;
use surge::tally::Tally;
use surge::view::{View, watch};

use crate::command::{rate, share};

/// Flags of a crowd without a scenario.
#[derive(Debug, Args)]
pub(super) struct Steady {
    /// Visitors who come per second
    #[arg(long, conflicts_with = "scenario", default_value = "10", value_parser = rate)]
    rate: f64,
    /// How long they come, in seconds
    #[arg(long, conflicts_with = "scenario", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Pages of the form to fill in; 0: only the first page is asked for
    #[arg(long, conflicts_with = "scenario", default_value_t = 3)]
    pages: u32,
    /// Mean time between a page and the next request
    #[arg(long, conflicts_with = "scenario", default_value = "1500ms", value_parser = span::parse)]
    think: Duration,
    /// Mean time that a visitor puts up with getting no page
    #[arg(long, conflicts_with = "scenario", default_value = "30s", value_parser = span::parse)]
    patience: Duration,
    /// The same in line, with a place told
    #[arg(long, conflicts_with = "scenario", default_value = "5m", value_parser = span::parse)]
    patience_in_line: Duration,
    /// Share of visitors who reload what takes longer than four seconds
    #[arg(long, conflicts_with = "scenario", default_value = "0.7", value_parser = share)]
    reload: f64,
    /// Share of clients without cookies
    #[arg(long, conflicts_with = "scenario", default_value = "0", value_parser = share)]
    bots: f64,
    /// All visitors from one address
    #[arg(long, conflicts_with = "scenario")]
    one_address: bool,
    /// Visitors alive at once, at most
    #[arg(long, conflicts_with = "scenario", default_value_t = 20_000)]
    visitors_max: usize,
    /// Connections open at once, at most
    #[arg(long, conflicts_with = "scenario", default_value_t = 10_000)]
    connections_max: usize,
    /// Replays a run
    #[arg(long, conflicts_with = "scenario", default_value_t = 1)]
    seed: u64,
}

impl Steady {
    /// Lets the crowd come and shows what it sees, up to its end or to `stop`.
    pub(super) async fn tally(
        &self,
        site: Site,
        view: View,
        stop: impl Future<Output = ()>,
    ) -> Tally {
        watch(Crowd::start(self.settings(site)), view, stop).await
    }

    /// The crowd on its way to `site`.
    fn settings(&self, site: Site) -> CrowdSettings {
        let lasts = Duration::from_secs(self.seconds.into());
        let steady = CrowdSettings::steady(site, self.rate, lasts);
        let sources = match steady.groups.first() {
            Some(people) if !self.one_address => people.sources,
            _ => Sources::Same,
        };
        let group = |name: &str, share: f64, cookies: bool| Group {
            name: name.to_owned(),
            arrivals: Curve::steady(self.rate * share, lasts),
            sources,
            behaviour: Behaviour::Visit(self.visit(cookies)),
        };
        let groups = [
            ("people", 1.0 - self.bots, true),
            ("programs", self.bots, false),
        ];
        let come = groups.into_iter().filter(|(_, share, _)| *share > 0.0);
        CrowdSettings {
            groups: come
                .map(|(name, share, cookies)| group(name, share, cookies))
                .collect(),
            visitors_max: self.visitors_max,
            connections_max: self.connections_max,
            seed: self.seed,
            ..steady
        }
    }

    fn visit(&self, cookies: bool) -> Visit {
        Visit {
            pages: self.pages,
            think: self.think,
            patience: self.patience,
            patience_in_line: self.patience_in_line,
            reload_probability: self.reload,
            cookies,
            ..Visit::default()
        }
    }
}

/// The run in a few plain lines.
pub(super) fn summary(tally: &Tally) -> String {
    let (visits, requests, pages) = (&tally.visits, &tally.requests, &tally.pages);
    let mut text = format!(
        "visits: {} came, {} completed, {} gave up, {} lost a form, {} still in line\n\
         requests: {} begun, {} pages, {} waiting, {} busy, {} limited, {} errors\n\
         unanswered: {} reset, {} refused, {} truncated, {} closed, {} timed out, {} reloaded\n\
         pages took: {} ms median, {} ms p90, {} ms p99",
        visits.begun,
        visits.completed,
        visits.given_up,
        visits.lost_mid_form,
        visits.waiting,
        requests.begun,
        requests.page,
        requests.waiting,
        requests.busy,
        requests.limited,
        requests.client_error + requests.server_error,
        requests.reset() + requests.reset_at_end,
        requests.refused,
        requests.truncated,
        requests.closed,
        requests.timed_out + requests.connect_timed_out,
        requests.abandoned,
        pages.p50_us / 1_000,
        pages.p90_us / 1_000,
        pages.p99_us / 1_000,
    );
    if tally.crowd_was_the_limit() {
        let generator = &tally.generator;
        text.push_str(&format!(
            "\nnote: the crowd itself was at its bound in {} of {} seconds; the figures say less \
             than they seem",
            generator.seconds_limited, generator.seconds
        ));
    }
    text
}
