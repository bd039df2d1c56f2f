//! The origin's settings as they are written in TOML, before they are checked.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use super::settings::{Database, OriginSettings};
use super::spread::Spread;

/// What may be written; [`OriginSettings`] says what each key means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    address: SocketAddr,
    servers: u32,
    /// Requests a second at best, instead of `service`.
    capacity: Option<f64>,
    #[serde(with = "crate::span")]
    service: Duration,
    cores: u32,
    sigma: f64,
    kappa: f64,
    threads: usize,
    backlog: usize,
    connections_max: usize,
    spread: Spread,
    heavy: f64,
    heavy_share: f64,
    asset_share: f64,
    database: Option<Database>,
    #[serde(with = "crate::span")]
    deadline: Duration,
    cold: f64,
    warm: u32,
    pages: u32,
    seed: u64,
}

impl Default for Written {
    fn default() -> Self {
        let settings = OriginSettings::default();
        Self {
            address: settings.address,
            servers: settings.servers,
            capacity: None,
            service: settings.service,
            cores: settings.cores,
            sigma: settings.sigma,
            kappa: settings.kappa,
            threads: settings.threads,
            backlog: settings.backlog,
            connections_max: settings.connections_max,
            spread: settings.spread,
            heavy: settings.heavy,
            heavy_share: settings.heavy_share,
            asset_share: settings.asset_share,
            database: settings.database,
            deadline: settings.deadline,
            cold: settings.cold,
            warm: settings.warm,
            pages: settings.pages,
            seed: settings.seed,
        }
    }
}

impl TryFrom<Written> for OriginSettings {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let capacity = written.capacity;
        let settings = Self {
            address: written.address,
            servers: written.servers,
            service: written.service,
            cores: written.cores,
            sigma: written.sigma,
            kappa: written.kappa,
            threads: written.threads,
            backlog: written.backlog,
            connections_max: written.connections_max,
            spread: written.spread,
            heavy: written.heavy,
            heavy_share: written.heavy_share,
            asset_share: written.asset_share,
            database: written.database,
            deadline: written.deadline,
            cold: written.cold,
            warm: written.warm,
            pages: written.pages,
            seed: written.seed,
        };
        if let Some(problem) = settings.problem() {
            return Err(problem);
        }
        match capacity {
            None => Ok(settings),
            Some(rate) if rate > 0.0 && rate <= 1e6 => Ok(settings.with_peak(rate)),
            Some(_no_rate) => Err("capacity is requests a second: more than 0, at most a million"),
        }
    }
}
