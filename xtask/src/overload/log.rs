//! What Forebay itself wrote of a run: its access log, and its limit twice a second.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// One line of the access log.
#[derive(Debug, Deserialize)]
struct Line {
    time: String,
    status: u16,
    duration_ms: f64,
    #[serde(default)]
    queue_ms: f64,
    origin_ms: Option<f64>,
    #[serde(default)]
    class: Option<String>,
}

/// Times of a run's requests, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// From the permit to the last byte, of whole pages; sorted.
    pub(super) service: Vec<f64>,
    /// At the queue by class, of those who were let through; sorted.
    pub(super) queued: BTreeMap<String, Vec<f64>>,
}

impl Times {
    /// Of the requests that began `warm` seconds after the first one, or later.
    pub(super) fn of(folder: &Path, warm: u32) -> Option<Self> {
        let file = BufReader::new(File::open(folder.join("access.log")).ok()?);
        let (mut times, mut first) = (Self::default(), None);
        for line in file.lines().map_while(Result::ok) {
            // The last line may be half a one.
            let Ok(line) = serde_json::from_str::<Line>(&line) else {
                continue;
            };
            let Some(began) = second_of_day(&line.time) else {
                continue;
            };
            let since = (began - *first.get_or_insert(began)).rem_euclid(86_400.0);
            if since >= f64::from(warm) && line.status < 400 && line.origin_ms.is_some() {
                times.service.push(line.duration_ms - line.queue_ms);
                let class = line.class.unwrap_or_else(|| "none".into());
                times.queued.entry(class).or_default().push(line.queue_ms);
            }
        }
        times.service.sort_by(f64::total_cmp);
        times
            .queued
            .values_mut()
            .for_each(|queued| queued.sort_by(f64::total_cmp));
        Some(times)
    }
}

/// The 99th percentile of what is sorted.
pub(super) fn p99(sorted: &[f64]) -> Option<f64> {
    let index = (sorted.len() as f64 * 0.99).ceil() as usize;
    sorted.get(index.max(1) - 1).copied()
}

/// Seconds since midnight of `2026-11-22T10:28:55.123Z`.
fn second_of_day(time: &str) -> Option<f64> {
    let (_date, clock) = time.trim_end_matches('Z').split_once('T')?;
    let mut parts = clock.splitn(3, ':').map(str::parse::<f64>);
    let mut next = || parts.next()?.ok();
    Some((next()? * 60.0 + next()?) * 60.0 + next()?)
}

/// What the limit was, over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    pub(super) mean: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Limit {
    /// After `warm` seconds.
    pub(super) fn of(folder: &Path, warm: u32) -> Option<Self> {
        let file = BufReader::new(File::open(folder.join("watched.jsonl")).ok()?);
        let lines = file.lines().map_while(Result::ok);
        let said = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let late = said.filter(|said| said["second"].as_f64() >= Some(warm.into()));
        let limits: Vec<f64> = late.filter_map(|said| limit(&said["status"])).collect();
        let (count, sum) = (limits.len() as f64, limits.iter().sum::<f64>());
        (count > 0.0).then(|| Self {
            mean: sum / count,
            least: limits.iter().copied().fold(f64::INFINITY, f64::min),
            most: limits.iter().copied().fold(0.0, f64::max),
        })
    }
}

/// The first origin's limit in `/api/status`.
fn limit(status: &Value) -> Option<f64> {
    let limit = &status["origins"][0]["limit"];
    limit.as_f64().or_else(|| limit["current"].as_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_line_is_read() {
        assert_eq!(second_of_day("2026-11-22T10:00:05.250Z"), Some(36_005.25));
        assert_eq!(second_of_day("yesterday"), None);
    }

    #[test]
    fn one_in_a_hundred_is_above_the_99th_percentile() {
        let sorted: Vec<_> = (1..=200).map(f64::from).collect();
        assert_eq!(p99(&sorted), Some(198.0));
        assert_eq!(p99(&[7.0]), Some(7.0));
        assert_eq!(p99(&[]), None);
    }
}
