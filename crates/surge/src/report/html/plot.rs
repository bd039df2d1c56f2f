//! One plot as inline SVG: readable without script, on paper, and in either colour scheme.

use super::axis::{Axis, seconds_step};
use super::text::escaped;
use crate::report::Mark;

/// The drawing's own units; the page scales it.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 216.0;

/// The frame inside of it, with room for what is written at its left and under it.
const LEFT: f64 = 54.0;
const RIGHT: f64 = 472.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 192.0;

/// Something drawn, in the style that its class names.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) class: &'static str,
    pub(super) shape: Shape,
}

/// One value for each second.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A line; broken where there is nothing.
    Line(Vec<Option<f64>>),
    /// A line that is level for each second.
    Steps(Vec<f64>),
    /// What lies between two lines.
    Band(Vec<Option<(f64, f64)>>),
    /// Columns from one value to another.
    Columns(Vec<(f64, f64)>),
}

impl Layer {
    /// Whether there is anything to be seen of it.
    pub(super) fn is_seen(&self) -> bool {
        match &self.shape {
            Shape::Line(values) => values.iter().flatten().any(|value| *value > 0.0),
            Shape::Steps(values) => values.iter().any(|value| *value > 0.0),
            Shape::Band(values) => values.iter().any(Option::is_some),
            Shape::Columns(values) => values.iter().any(|(low, high)| high > low),
        }
    }
}

impl Shape {
    /// The values that an axis has to hold.
    pub(super) fn values(&self) -> Vec<f64> {
        match self {
            Self::Line(values) => values.iter().flatten().copied().collect(),
            Self::Steps(values) => values.clone(),
            Self::Band(values) => {
                let ends = values.iter().flatten();
                ends.flat_map(|(low, high)| [*low, *high]).collect()
            }
            Self::Columns(values) => values.iter().map(|(_low, high)| *high).collect(),
        }
    }
}

/// One plot.
#[derive(Debug)]
pub(super) struct Plot<'a> {
    /// Said to who does not see it.
    pub(super) label: String,
    pub(super) axis: Axis,
    pub(super) lasts: u64,
    pub(super) marks: &'a [Mark],
    pub(super) layers: Vec<Layer>,
}

impl Plot<'_> {
    pub(super) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escaped(&self.label)
        );
        self.marks(&mut svg);
        self.grid(&mut svg);
        for layer in self.layers.iter().filter(|layer| layer.is_seen()) {
            let path = self.path(&layer.shape);
            svg.push_str(&format!("<path class=\"{}\" d=\"{path}\"/>", layer.class));
        }
        svg.push_str("</svg>");
        svg
    }

    /// Events as shaded stretches under a letter.
    fn marks(&self, svg: &mut String) {
        for (letter, mark) in ('A'..='Z').zip(self.marks) {
            let (from, to) = (self.x(mark.at), self.x(mark.at + mark.lasts));
            let width = (to - from).max(1.0);
            let height = BOTTOM - TOP;
            svg.push_str(&format!(
                "<rect class=\"event\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" \
                 height=\"{height}\"/><text class=\"letter\" x=\"{:.1}\" y=\"12\">{letter}</text>",
                from + 1.0
            ));
        }
    }

    fn grid(&self, svg: &mut String) {
        for (value, text) in self.axis.ticks() {
            let y = self.y(value);
            svg.push_str(&format!(
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text class=\"left\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                LEFT - 6.0,
                y + 4.0
            ));
        }
        let step = seconds_step(self.lasts);
        for second in (0..=self.lasts).step_by(step as usize) {
            let x = self.x(second as f64);
            svg.push_str(&format!(
                "<path class=\"grid\" d=\"M{x:.1} {BOTTOM}v4\"/>\
                 <text class=\"under\" x=\"{x:.1}\" y=\"{:.1}\">{second}</text>",
                BOTTOM + 17.0
            ));
        }
    }

    fn path(&self, shape: &Shape) -> String {
        match shape {
            Shape::Line(values) => self.line(values),
            Shape::Steps(values) => self.steps(values),
            Shape::Band(values) => {
                let mut path = String::new();
                for (from, stretch) in stretches(values) {
                    path.push_str(&self.band(from, &stretch));
                }
                path
            }
            Shape::Columns(values) => self.columns(values),
        }
    }

    fn line(&self, values: &[Option<f64>]) -> String {
        let mut path = String::new();
        for (from, stretch) in stretches(values) {
            let mut pen = 'M';
            for (second, value) in (from..).zip(&stretch) {
                let (x, y) = (self.middle(second), self.y(*value));
                path.push_str(&format!("{pen}{x:.1} {y:.1}"));
                pen = 'L';
            }
            if stretch.len() == 1 {
                // A dot, where a line of one point would not be seen.
                path.push_str("h.1");
            }
        }
        path
    }

    fn steps(&self, values: &[f64]) -> String {
        let mut path = String::new();
        for (second, value) in values.iter().enumerate() {
            let (y, to) = (self.y(*value), self.x(second as f64 + 1.0));
            let up = if second == 0 {
                format!("M{LEFT} {y:.1}")
            } else {
                format!("V{y:.1}")
            };
            path.push_str(&format!("{up}H{to:.1}"));
        }
        path
    }

    fn band(&self, from: usize, stretch: &[(f64, f64)]) -> String {
        let mut path = String::new();
        let mut pen = 'M';
        let above = (from..)
            .zip(stretch)
            .map(|(second, (_low, high))| (second, *high));
        let below = (from..)
            .zip(stretch)
            .map(|(second, (low, _high))| (second, *low));
        let below: Vec<_> = below.collect();
        for (second, value) in above.chain(below.into_iter().rev()) {
            let (x, y) = (self.middle(second), self.y(value));
            path.push_str(&format!("{pen}{x:.1} {y:.1}"));
            pen = 'L';
        }
        path + "Z"
    }

    fn columns(&self, values: &[(f64, f64)]) -> String {
        let mut path = String::new();
        let width = (self.x(1.0) - self.x(0.0)) * 0.84;
        for (second, (low, high)) in values.iter().enumerate() {
            if high <= low {
                continue;
            }
            let (x, y) = (self.middle(second) - width / 2.0, self.y(*high));
            let height = self.y(*low) - y;
            path.push_str(&format!(
                "M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z"
            ));
        }
        path
    }

    fn x(&self, seconds: f64) -> f64 {
        let share = (seconds / self.lasts.max(1) as f64).clamp(0.0, 1.0);
        LEFT + share * (RIGHT - LEFT)
    }

    fn middle(&self, second: usize) -> f64 {
        self.x(second as f64 + 0.5)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - self.axis.height(value) * (BOTTOM - TOP)
    }
}

/// The stretches without a gap, and where each begins.
fn stretches<T: Copy>(values: &[Option<T>]) -> Vec<(usize, Vec<T>)> {
    let mut found: Vec<(usize, Vec<T>)> = Vec::new();
    let mut open = false;
    for (second, value) in values.iter().enumerate() {
        match (value, found.last_mut()) {
            (Some(value), Some((_from, stretch))) if open => stretch.push(*value),
            (Some(value), _) => found.push((second, vec![*value])),
            (None, _) => {}
        }
        open = value.is_some();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(shape: Shape) -> String {
        let layers = vec![Layer {
            class: "page",
            shape,
        }];
        let plot = Plot {
            label: "Pages".to_owned(),
            axis: Axis::Linear {
                top: 10.0,
                step: 5.0,
            },
            lasts: 2,
            marks: &[],
            layers,
        };
        let svg = plot.svg();
        let path = svg.split("class=\"page\" d=\"").nth(1).unwrap_or_default();
        path.split('"').next().unwrap().to_owned()
    }

    #[test]
    fn values_stand_where_the_axes_say() {
        let line = plot(Shape::Line(vec![Some(0.0), Some(10.0)]));
        assert_eq!(line, "M158.5 192.0L367.5 18.0");
        let steps = plot(Shape::Steps(vec![0.0, 10.0]));
        assert_eq!(steps, "M54 192.0H263.0V18.0H472.0");
        let columns = plot(Shape::Columns(vec![(0.0, 5.0), (5.0, 5.0)]));
        assert_eq!(columns, "M70.7 105.0h175.6v87.0h-175.6z");
    }

    #[test]
    fn a_gap_breaks_a_line_and_a_band() {
        let values = [Some(1), Some(2), None, None, Some(3)];
        assert_eq!(stretches(&values), [(0, vec![1, 2]), (4, vec![3])]);
        let band = plot(Shape::Band(vec![None, Some((0.0, 10.0))]));
        assert_eq!(band, "M367.5 18.0L367.5 192.0Z");
        assert_eq!(plot(Shape::Line(vec![None, None])), "");
    }
}
