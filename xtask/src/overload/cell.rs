//! The cells as data: which origin, under which load, and what happens to it.

use crate::command::Failure;

/// A model origin: processor sharing, slower by Gunther's law the more are at work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Origin {
    pub(super) name: &'static str,
    /// Requests a second at best.
    pub(super) peak: f64,
    pub(super) cores: u32,
    pub(super) sigma: f64,
    pub(super) kappa: f64,
    /// Seconds that a request takes with as many at work as give the peak.
    pub(super) response: f64,
}

/// The three of the laws' simulation: ten-fold apart in service time and in concurrency.
const ORIGINS: [Origin; 3] = [
    Origin {
        name: "fast",
        peak: 592.0,
        cores: 4,
        sigma: 0.05,
        kappa: 0.002,
        response: 0.147,
    },
    Origin {
        name: "slow",
        peak: 49.3,
        cores: 4,
        sigma: 0.05,
        kappa: 0.002,
        response: 1.76,
    },
    Origin {
        name: "tiny",
        peak: 17.9,
        cores: 1,
        sigma: 0.1,
        kappa: 0.01,
        response: 0.5,
    },
];

/// For visitors: as fast as can be had with ten times as many of them on two cores.
const PORTAL: Origin = Origin {
    name: "portal",
    peak: 120.0,
    response: 0.72,
    ..ORIGINS[0]
};

/// What comes, and what happens meanwhile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// Strangers, so many times the peak, from the begin to the end.
    Steady(f64),
    /// Strangers at twice the peak; three quarters of one server's cores die and come back.
    Dead,
    /// The same with four servers, of which three die and come back.
    Servers,
    /// Strangers at twice the peak; everything takes three times as long, and then no more.
    Database,
    /// Strangers who try again: ten times the peak for 30 s, then 0.7 of it.
    After,
    /// Visitors, ten times as many as can be served.
    Visitors,
    /// Visitors, twice as many as can be served, and who is with them.
    Beside(Beside),
}

/// Who is among the visitors: one in a hundred, but for the last two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    Nobody,
    /// Their forms come a byte a second.
    SlowBodies,
    /// Each asks for one page a hundred times as heavy.
    Heavy,
    /// They ask and are gone.
    Leavers,
    /// One client uses ten thousand passes in turn.
    Passes,
    /// One server of four answers 500 in a millisecond; fewer come than three can serve.
    Failing,
    /// The same visitors without it.
    Four,
}

/// One row of what is run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) origin: Origin,
    pub(super) kind: Kind,
    /// Whom it is about, as the line-up calls them.
    pub(super) rivals: &'static str,
    /// Seconds that it lasts.
    pub(super) lasts: u32,
    /// Seconds at its begin that do not count.
    pub(super) warm: u32,
}

const FOREBAY: &str = "Forebay adaptive,Forebay fixed";
const EVERYBODY: &str =
    "Forebay adaptive,Forebay fixed,Envoy adaptive,Envoy floor,HAProxy maxconn,nginx";

impl Cell {
    /// Such as `slow-10x`.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.origin.name, self.kind.word())
    }

    /// Seconds at which whatever happens begins and ends.
    pub(super) fn event(&self) -> (u32, u32) {
        (self.lasts * 3 / 10, self.lasts * 6 / 10)
    }
}

impl Kind {
    pub(super) fn word(self) -> String {
        match self {
            Self::Steady(load) => format!("{load}x"),
            Self::Dead => "dead".into(),
            Self::Servers => "servers".into(),
            Self::Database => "database".into(),
            Self::After => "after".into(),
            Self::Visitors => "visitors".into(),
            Self::Beside(beside) => beside.word().into(),
        }
    }
}

impl Beside {
    pub(super) const ALL: [Self; 7] = [
        Self::Nobody,
        Self::SlowBodies,
        Self::Heavy,
        Self::Leavers,
        Self::Passes,
        Self::Four,
        Self::Failing,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::SlowBodies => "bodies",
            Self::Heavy => "heavy",
            Self::Leavers => "leavers",
            Self::Passes => "passes",
            Self::Failing => "failing",
            Self::Four => "four",
        }
    }
}

/// Everything that can be run. A steady load lasts `seconds` after the origin has had thirty
/// response times, so that the limit is found; where little is done, twice as long.
pub(super) fn all(seconds: u32) -> Vec<Cell> {
    let mut cells = Vec::new();
    for origin in ORIGINS {
        let warm = (30.0 * origin.response).ceil().max(15.0) as u32;
        let measured = if origin.peak < 100.0 {
            2 * seconds
        } else {
            seconds
        };
        let cell = |kind, rivals, lasts, warm| Cell {
            origin,
            kind,
            rivals,
            lasts,
            warm,
        };
        for load in [0.5, 0.8, 1.0, 2.0, 5.0, 10.0] {
            let rivals = if load == 0.8 || load == 2.0 || load == 10.0 {
                EVERYBODY
            } else {
                FOREBAY
            };
            cells.push(cell(Kind::Steady(load), rivals, warm + measured, warm));
        }
        let happens = if origin.response > 1.0 { 200 } else { 80 };
        // A quarter of a single core is at its best with two requests, below any sensible bound.
        let dies = (origin.cores > 1).then_some(Kind::Dead);
        for kind in dies.into_iter().chain([Kind::Servers, Kind::Database]) {
            cells.push(cell(kind, FOREBAY, happens, 0));
        }
        cells.push(cell(Kind::After, FOREBAY, 130, 0));
    }
    let portal = |kind, lasts, warm| Cell {
        origin: PORTAL,
        kind,
        rivals: "Forebay room",
        lasts,
        warm,
    };
    cells.push(portal(Kind::Visitors, 90, 30));
    let beside = |beside| portal(Kind::Beside(beside), 75, 25);
    cells.extend(Beside::ALL.map(beside));
    cells
}

/// Those that `words` choose: an origin's name or a cell's word; of each sort that is named
/// one must fit, and a whole name such as `slow-10x` chooses itself.
pub(super) fn chosen<'a>(cells: &'a [Cell], words: &[String]) -> Result<Vec<&'a Cell>, Failure> {
    let is_origin = |word: &str| cells.iter().any(|cell| cell.origin.name == word);
    let is_kind = |word: &str| cells.iter().any(|cell| cell.kind.word() == word);
    let is_name = |word: &str| cells.iter().any(|cell| cell.name() == word);
    for word in words {
        if !(is_origin(word) || is_kind(word) || is_name(word)) {
            let names: Vec<_> = cells.iter().map(Cell::name).collect();
            return Err(Failure::Guard(format!(
                "no cell is called {word}; there are {}",
                names.join(", ")
            )));
        }
    }
    let fits = |cell: &&Cell| {
        let (origin, kind, name) = (cell.origin.name, cell.kind.word(), cell.name());
        let mut origins = words.iter().filter(|word| is_origin(word)).peekable();
        let mut kinds = words.iter().filter(|word| is_kind(word)).peekable();
        let sorted = origins.peek().is_some() || kinds.peek().is_some();
        let by_origin = origins.peek().is_none() || origins.any(|word| *word == origin);
        let by_kind = kinds.peek().is_none() || kinds.any(|word| *word == kind);
        words.is_empty() || words.contains(&name) || (sorted && by_origin && by_kind)
    };
    Ok(cells.iter().filter(fits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_choose_by_origin_and_by_what_happens() {
        let cells = all(30);
        let chosen = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
            let found = chosen(&cells, &words).unwrap();
            found.iter().map(|cell| cell.name()).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&["fast", "1x"]), ["fast-1x"]);
        assert_eq!(
            chosen(&["fast", "slow", "0.5x"]),
            ["fast-0.5x", "slow-0.5x"]
        );
        assert_eq!(chosen(&["after"]).len(), 3);
        assert_eq!(
            chosen(&["tiny-servers", "portal-heavy"]),
            ["tiny-servers", "portal-heavy"]
        );
        assert_eq!(chosen(&[]).len(), cells.len());
    }

    #[test]
    fn a_word_that_chooses_nothing_is_a_mistake() {
        let said = chosen(&all(30), &["fats".to_owned()]).unwrap_err();
        assert!(said.to_string().contains("fast-1x"), "{said}");
    }
}
