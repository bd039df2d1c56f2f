//! How soon a run was well again after something had happened.

use super::kept::Kept;

/// Completions over which a mean says something.
const ENOUGH: f64 = 60.0;

/// Seconds from `event` until the origin did `share` of its peak in time, as a mean of the
/// seconds that bring enough completions; none if not before `until`.
pub(super) fn after(run: &Kept, event: u32, until: u32, share: f64) -> Option<u32> {
    let seconds = run.seconds.get(event as usize..until as usize)?;
    let peak = seconds.last()?.peak;
    let width = ((ENOUGH / peak).ceil() as usize).max(2);
    let well = seconds.windows(width).position(|some| {
        let done: u64 = some.iter().map(|second| second.in_time).sum();
        done as f64 / width as f64 >= share * peak
    });
    well.and_then(|second| u32::try_from(second).ok())
}

/// Of what ended later than five seconds after attempts had fallen below 0.9 of the peak,
/// retries included: the share that was served. `calm`: when fewer come.
pub(super) fn served_again(run: &Kept, calm: u32) -> Option<(u32, f64)> {
    let seconds = run.tally.seconds.get(calm as usize..)?;
    let peak = run.seconds.last()?.peak;
    let fell = seconds
        .windows(2)
        .position(|two| two.iter().map(|one| one.ended()).sum::<u64>() as f64 / 2.0 < 0.9 * peak)?;
    let later = seconds.get(fell + 5..)?;
    let ended: u64 = later.iter().map(super::kept::Second::ended).sum();
    let page: u64 = later.iter().map(|second| second.page).sum();
    let share = super::kept::share(page, ended)?;
    Some((calm + u32::try_from(fell).ok()?, share))
}

#[cfg(test)]
mod tests {
    use super::super::kept::tests::kept;
    use super::*;

    #[test]
    fn it_is_well_when_the_mean_reaches_the_share_of_the_new_peak() {
        let second = |done| (done, 100.0, 200, 0);
        let run = kept(&[100, 100, 0, 20, 70, 90, 95, 95].map(second));
        assert_eq!(after(&run, 2, 8, 0.8), Some(2));
        assert_eq!(after(&run, 2, 4, 0.8), None);
        assert_eq!(after(&run, 2, 80, 0.8), None);
    }

    #[test]
    fn whoever_is_served_again_counts_from_five_seconds_after_the_crowd_has_gone() {
        let busy = (100, 100.0, 900, 800);
        let calm = (70, 100.0, 70, 0);
        let mut seconds = vec![busy; 4];
        seconds.extend([calm; 5]);
        seconds.extend([(69, 100.0, 70, 1); 2]);
        assert_eq!(served_again(&kept(&seconds), 2), Some((4, 138.0 / 140.0)));
        assert_eq!(served_again(&kept(&[busy; 4]), 2), None);
    }
}
