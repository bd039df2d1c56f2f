//! What is plotted: each panel the same for every target, on the same axes.

use super::axis::Axis;
use super::plot::{Layer, Shape};
use super::text::{number, time};
use crate::report::{Moment, Report, goodput};
use crate::tally::Second;

/// One question, and how its answer is drawn.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) caption: &'static str,
    /// What the figures beside the plot count.
    pub(super) unit: &'static str,
    /// What is drawn, bottom up. Columns stand on one another.
    pub(super) series: &'static [Series],
}

/// One thing drawn.
pub(super) struct Series {
    /// The style.
    pub(super) class: &'static str,
    /// In the legend.
    pub(super) says: &'static str,
    of: Of,
}

/// Where its values come from; none where there is nothing to draw.
enum Of {
    /// A line of something that the crowd counts.
    Line(fn(&Second) -> u64),
    /// Columns of something that the crowd counts.
    Columns(fn(&Second) -> u64),
    /// Columns of something that the origin counts.
    Origin(fn(&Moment) -> u64),
    /// A line of what the origin could have done, with all of the report in view.
    Could(fn(&Report) -> Vec<f64>),
    /// A line of times.
    Time(fn(&Second) -> u64),
    /// What lies between two times.
    Times(fn(&Second) -> (u64, u64)),
}

pub(super) const PANELS: [Panel; 6] = [
    Panel {
        title: "What people got",
        caption: "Every answer, and every request that got none, by the second in which it ended.",
        unit: "requests a second",
        series: &[
            columns("page", "a page of the site", |second| second.page),
            columns("held", "the waiting page, or its status", |second| {
                second.waiting_page
            }),
            columns("busy", "“one moment, please”", |second| second.busy),
            columns("limited", "“too many requests”", |second| {
                second.limited
            }),
            columns("error", "an error page", |second| second.error),
            columns("broken", "a connection reset or refused", |second| {
                second.reset + second.refused
            }),
            columns(
                "silent",
                "nothing: too late, cut off, or given up",
                |second| second.unanswered,
            ),
        ],
    },
    Panel {
        title: "Who came, and who got through",
        caption: "Visitors, by the second in which they came, were done, or left.",
        unit: "visitors a second",
        series: &[
            line("came", "came", |second| second.begun),
            line("left", "left with nothing, or lost a form", |second| {
                second.given_up + second.lost
            }),
            line("done", "had all they came for", |second| second.completed),
        ],
    },
    Panel {
        title: "Who was waiting",
        caption: "People who wanted a page and did not have it yet, at the end of each second.",
        unit: "people",
        series: &[
            columns("held", "in line, with a place told", |second| {
                second.waiting
            }),
            columns(
                "trying",
                "without a place: loading, or trying again",
                |second| second.outstanding.saturating_sub(second.waiting),
            ),
        ],
    },
    Panel {
        title: "What the origin made of it",
        caption: "Requests that the site itself finished, against what it could have done: its \
                  true peak, and no more than was wanted.",
        unit: "requests a second",
        series: &[
            Series {
                class: "page",
                says: "done in time, for somebody still there",
                of: Of::Origin(|moment| moment.in_time),
            },
            Series {
                class: "late",
                says: "done too late",
                of: Of::Origin(|moment| moment.useful.saturating_sub(moment.in_time)),
            },
            Series {
                class: "wasted",
                says: "done for nobody: they had left",
                of: Of::Origin(|moment| moment.wasted),
            },
            Series {
                class: "could",
                says: "what could have been done",
                of: Of::Could(|report| {
                    goodput::possible(&report.seconds, &report.tally.seconds, report.at_work)
                }),
            },
            Series {
                class: "peak",
                says: "the origin’s true peak",
                of: Of::Could(|report| report.seconds.iter().map(|moment| moment.peak).collect()),
            },
        ],
    },
    Panel {
        title: "How long a page took",
        caption: "Whole pages of the site, from the moment at which the visitor wanted them. The \
                  scale is by powers of ten.",
        unit: "time",
        series: &[
            Series {
                class: "slowest",
                says: "up to the slowest 1 in 100",
                of: Of::Times(|second| (second.p90_us, second.p99_us)),
            },
            Series {
                class: "slow",
                says: "up to the slowest 1 in 10",
                of: Of::Times(|second| (second.p50_us, second.p90_us)),
            },
            Series {
                class: "done",
                says: "half of them took no longer",
                of: Of::Time(|second| second.p50_us),
            },
        ],
    },
    Panel {
        title: "What went wrong",
        caption: "The same as at the top, without what went well.",
        unit: "requests a second",
        series: &[
            line("failed", "error pages", |second| second.error),
            line(
                "lost",
                "nothing: too late, cut off, or given up",
                |second| second.unanswered,
            ),
            line("left", "connections reset or refused", |second| {
                second.reset + second.refused
            }),
        ],
    },
];

/// A line of something that the crowd counts.
const fn line(class: &'static str, says: &'static str, of: fn(&Second) -> u64) -> Series {
    Series {
        class,
        says,
        of: Of::Line(of),
    }
}

/// Columns of something that the crowd counts.
const fn columns(class: &'static str, says: &'static str, of: fn(&Second) -> u64) -> Series {
    Series {
        class,
        says,
        of: Of::Columns(of),
    }
}

impl Series {
    /// Whether the legend shows a line, and not an area.
    pub(super) const fn is_line(&self) -> bool {
        matches!(self.of, Of::Line(_) | Of::Could(_) | Of::Time(_))
    }
}

impl Panel {
    /// What is drawn of one report, bottom up.
    pub(super) fn layers(&self, report: &Report) -> Vec<Layer> {
        let mut stack = Vec::new();
        let layers = self.series.iter().map(|series| Layer {
            class: series.class,
            shape: shape(&series.of, report, &mut stack),
        });
        layers.collect()
    }

    /// The same in words, for who does not see it: the most and the last of everything.
    pub(super) fn summary(&self, report: &Report) -> String {
        let said = self.series.iter().filter_map(|series| {
            let values = series.of.values(report);
            let (at, most) =
                values
                    .iter()
                    .copied()
                    .enumerate()
                    .fold((0, 0.0), |most, (second, value)| {
                        if value > most.1 {
                            (second, value)
                        } else {
                            most
                        }
                    });
            let last = values.last()?;
            let [most, last] = [most, *last].map(|value| self.written(value));
            Some(format!(
                "{}: at most {most} at second {at}, {last} at the end",
                series.says
            ))
        });
        said.collect::<Vec<_>>().join("; ")
    }

    fn written(&self, value: f64) -> String {
        if self.is_of_times() {
            time(value as u64)
        } else {
            number(value)
        }
    }

    fn is_of_times(&self) -> bool {
        matches!(
            self.series,
            [
                Series {
                    of: Of::Times(_),
                    ..
                },
                ..
            ]
        )
    }

    /// The axis that holds all of these; none where there is nothing to be seen.
    pub(super) fn axis(&self, reports: &[Vec<Layer>]) -> Option<Axis> {
        let (mut lowest, mut highest) = (f64::INFINITY, 0.0_f64);
        for layer in reports.iter().flatten() {
            for value in layer.shape.values() {
                lowest = lowest.min(value);
                highest = highest.max(value);
            }
        }
        match (highest > 0.0, self.is_of_times()) {
            (false, _) => None,
            (true, true) => Some(Axis::times(lowest, highest)),
            (true, false) => Some(Axis::linear(highest)),
        }
    }
}

impl Of {
    /// One figure for each second.
    fn values(&self, report: &Report) -> Vec<f64> {
        let seconds = || report.tally.seconds.iter().take(report.lasts as usize);
        match self {
            Self::Line(of) | Self::Columns(of) | Self::Time(of) => {
                seconds().map(|second| of(second) as f64).collect()
            }
            Self::Origin(of) => report
                .seconds
                .iter()
                .map(|moment| of(moment) as f64)
                .collect(),
            Self::Could(of) => of(report),
            Self::Times(of) => seconds().map(|second| of(second).1 as f64).collect(),
        }
    }
}

/// `stack` is the height that columns have reached so far, for each second.
fn shape(of: &Of, report: &Report, stack: &mut Vec<f64>) -> Shape {
    let lasts = report.lasts as usize;
    let seconds = || report.tally.seconds.iter().take(lasts);
    match of {
        Of::Line(of) => Shape::Line(seconds().map(|second| Some(of(second) as f64)).collect()),
        Of::Columns(of) => Shape::Columns(stacked(stack, seconds().map(of))),
        Of::Origin(of) => Shape::Columns(stacked(stack, report.seconds.iter().map(of))),
        Of::Could(of) => Shape::Steps(of(report)),
        Of::Time(of) => {
            let times = seconds().map(|second| Some(of(second)).filter(|time| *time > 0));
            Shape::Line(times.map(|time| time.map(|time| time as f64)).collect())
        }
        Of::Times(of) => {
            let times = seconds().map(|second| {
                let (low, high) = of(second);
                (low > 0).then_some((low as f64, high as f64))
            });
            Shape::Band(times.collect())
        }
    }
}

fn stacked(stack: &mut Vec<f64>, values: impl Iterator<Item = u64>) -> Vec<(f64, f64)> {
    let mut columns = Vec::new();
    for (second, value) in values.enumerate() {
        if stack.len() <= second {
            stack.push(0.0);
        }
        let low = stack[second];
        stack[second] = low + value as f64;
        columns.push((low, stack[second]));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_on_one_another_and_the_axis_holds_them_all() {
        let mut report = Report {
            lasts: 1,
            ..Report::default()
        };
        report.tally.seconds = vec![Second {
            page: 30,
            error: 20,
            ..Second::default()
        }];
        let panel = &PANELS[0];
        let layers = panel.layers(&report);
        let tops: Vec<_> = layers
            .iter()
            .flat_map(|layer| layer.shape.values())
            .collect();
        assert_eq!(tops, [30.0, 30.0, 30.0, 30.0, 50.0, 50.0, 50.0]);
        assert_eq!(panel.axis(&[layers]), Some(Axis::linear(50.0)));
        assert_eq!(panel.axis(&[panel.layers(&Report::default())]), None);
    }
}
