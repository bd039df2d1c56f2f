//! Kinds of request, and how much work each means.

use super::settings::OriginSettings;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// An ordinary page.
    Page,
    /// `/slow`: a page of [many times](OriginSettings::heavy) the usual work.
    Heavy,
    /// A page of the form, posted. The last one also changes the hot row.
    Post {
        /// Whether it is the form's last page.
        last: bool,
    },
    /// A style sheet, or a page that is not there: it never asks the database.
    Asset,
}

impl Class {
    /// Names of the kinds that are counted apart.
    pub(crate) const NAMES: [&str; 4] = ["page", "heavy", "post", "asset"];

    /// Place in [`NAMES`](Self::NAMES).
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Page => 0,
            Self::Heavy => 1,
            Self::Post { .. } => 2,
            Self::Asset => 3,
        }
    }

    /// Mean work, as a multiple of a page's; `heavy` is that of a heavy page.
    pub(crate) const fn weight(self, heavy: f64) -> f64 {
        match self {
            Self::Page | Self::Post { .. } => 1.0,
            Self::Heavy => heavy,
            Self::Asset => 0.1,
        }
    }

    /// Mean work for the database, as a multiple of a page's.
    pub(crate) const fn database_weight(self, heavy: f64) -> f64 {
        match self {
            Self::Asset => 0.0,
            Self::Page | Self::Post { .. } | Self::Heavy => self.weight(heavy),
        }
    }
}

/// How often each kind of request comes: what the computed peak is a peak of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mix {
    shares: [(Class, f64); 5],
    heavy: f64,
}

impl Mix {
    /// Visits that each open the welcome page, every page of the form twice (once to
    /// read, once to post), and the thank-you; among them the settings' shares of heavy
    /// pages and assets.
    pub(crate) fn of(settings: &OriginSettings) -> Self {
        let OriginSettings {
            heavy,
            heavy_share,
            asset_share,
            ..
        } = *settings;
        let pages = f64::from(settings.pages);
        let request = (1.0 - heavy_share - asset_share) / (2.0 * pages + 2.0);
        Self {
            heavy,
            shares: [
                (Class::Page, request * (pages + 2.0)),
                (Class::Post { last: false }, request * (pages - 1.0)),
                (Class::Post { last: true }, request),
                (Class::Heavy, heavy_share),
                (Class::Asset, asset_share),
            ],
        }
    }

    /// Mean work of a request, as a multiple of a page's.
    pub(crate) fn weight(&self) -> f64 {
        self.mean(|class| class.weight(self.heavy))
    }

    /// Mean work for the database of a request that asks it.
    pub(crate) fn database_weight(&self) -> f64 {
        let asks = self.asks_database();
        if asks > 0.0 {
            self.mean(|class| class.database_weight(self.heavy)) / asks
        } else {
            0.0
        }
    }

    /// Share of requests that ask the database.
    pub(crate) fn asks_database(&self) -> f64 {
        self.mean(|class| {
            if class.database_weight(self.heavy) > 0.0 {
                1.0
            } else {
                0.0
            }
        })
    }

    /// Share, among those that ask the database, of requests that change the hot row.
    pub(crate) fn takes_row(&self) -> f64 {
        let asks = self.asks_database();
        let takes = self.mean(|class| {
            if class == (Class::Post { last: true }) {
                1.0
            } else {
                0.0
            }
        });
        if asks > 0.0 { takes / asks } else { 0.0 }
    }

    /// The kind of request at `place`, in `[0, 1)`, when all are put in a row by their shares.
    pub(crate) fn at(&self, place: f64) -> Class {
        let mut sum = 0.0;
        let found = self.shares.iter().find(|(_class, share)| {
            sum += share;
            place < sum
        });
        found.map_or(Class::Page, |(class, _share)| *class)
    }

    fn mean(&self, of: impl Fn(Class) -> f64) -> f64 {
        self.shares
            .iter()
            .map(|(class, share)| share * of(*class))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_of_a_visit_is_its_pages_and_its_last_post_takes_the_row() {
        let mix = Mix::of(&OriginSettings::default());
        assert!((mix.weight() - 1.0).abs() < 1e-9, "{}", mix.weight());
        assert!((mix.asks_database() - 1.0).abs() < 1e-9);
        assert!(
            (mix.takes_row() - 1.0 / 8.0).abs() < 1e-9,
            "three pages of form"
        );
        assert_eq!(
            (mix.at(0.0), mix.at(0.999)),
            (Class::Page, Class::Post { last: true })
        );
    }

    #[test]
    fn heavy_pages_and_assets_change_the_mean_work() {
        let mix = Mix::of(&OriginSettings {
            heavy_share: 0.01,
            asset_share: 0.5,
            ..OriginSettings::default()
        });
        assert!((mix.weight() - (0.49 + 0.2 + 0.05)).abs() < 1e-9);
        assert!((mix.asks_database() - 0.5).abs() < 1e-9);
        assert!((mix.database_weight() - 2.0 * (0.49 + 0.2)).abs() < 1e-9);
        assert!((mix.takes_row() - 2.0 * 0.49 / 8.0).abs() < 1e-9);
    }
}
