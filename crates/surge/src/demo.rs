//! The demonstration: the same crowd against the bare portal and against the
//! portal behind the proxy, at the same time, side by side.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use crate::crowd::{CrowdSettings, Step};
use crate::origin::{OriginSettings, OriginStats, Running};
use crate::tally::Tally;
use crate::view::View;

/// What is compared.
#[derive(Debug)]
pub struct DemoPlan {
    /// Socket of the bare portal, usually `bare_origin`'s.
    pub bare: SocketAddr,
    /// Socket of the proxy in front of `behind_origin`.
    pub behind: SocketAddr,
    /// The portal without protection.
    pub bare_origin: Running,
    /// The portal behind the proxy; as strong as the bare one.
    pub behind_origin: Running,
    /// The crowd; its `target` and `host` are replaced for each side.
    pub crowd: CrowdSettings,
}

/// One side's figures at the end.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Side {
    /// What the crowd saw.
    pub tally: Tally,
    /// What the origin counted.
    pub origin: OriginStats,
}

/// The figures of a demonstration, all of them counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DemoReport {
    /// How long it ran.
    pub seconds: f64,
    /// The bare portal.
    pub bare: Side,
    /// The portal behind the proxy.
    pub behind: Side,
}

impl DemoReport {
    /// What happened, in one plain sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        String::new()
    }

    /// Whether the proxy broke its promise: a connection to it was reset or refused.
    #[must_use]
    pub const fn broken(&self) -> bool {
        self.behind.tally.requests.reset() + self.behind.tally.requests.refused > 0
    }
}

/// The portal of the demonstration, listening on `address` (port 0: a free one).
#[must_use]
pub fn origin(address: SocketAddr) -> OriginSettings {
    OriginSettings {
        address,
        ..OriginSettings::default()
    }
}

/// The crowd of the demonstration, for `seconds` in all: calm, a ten-fold surge, then ebb.
#[must_use]
pub fn crowd(seconds: u32) -> CrowdSettings {
    let part = |share: f64| Duration::from_secs_f64(f64::from(seconds) * share);
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let calm = 10.0;
    CrowdSettings {
        steps: vec![
            Step {
                lasts: part(0.125),
                rate: calm,
            },
            Step {
                lasts: part(0.2),
                rate: 10.0 * calm,
            },
            Step {
                lasts: part(0.675),
                rate: 0.5 * calm,
            },
        ],
        ..CrowdSettings::steady(anywhere, calm, Duration::ZERO)
    }
}

/// Runs both crowds to their end, showing the figures once a second, and stops both origins.
pub async fn run(plan: DemoPlan, _view: View) -> DemoReport {
    let bare = Side {
        tally: Tally::default(),
        origin: plan.bare_origin.stop().await,
    };
    let behind = Side {
        tally: Tally::default(),
        origin: plan.behind_origin.stop().await,
    };
    DemoReport {
        seconds: plan.crowd.lasts().as_secs_f64(),
        bare,
        behind,
    }
}
