//! What the interval of a feed is learned from, and when it says that it is not to be asked, for a person.

use std::time::Duration;

use cw_model::Skips;
use cw_model::state::{DAYS, HOURS, Rhythm};

use crate::config::duration_text;

/// When a feed says that it is not to be asked.
pub(super) fn skips_text(skips: Skips) -> Option<String> {
    const WEEKDAYS: [&str; DAYS] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let hours =
        (0..HOURS).filter(|hour| skips.hours >> hour & 1 > 0).map(|hour| format!("{hour}h"));
    let days = WEEKDAYS.iter().enumerate().filter(|(day, _)| skips.days >> day & 1 > 0);
    let all: Vec<String> = hours.chain(days.map(|(_, name)| (*name).to_owned())).collect();
    let all = all.join(" ");
    (!skips.is_empty()).then(|| format!("  {:<12}{all} (UTC): the feed's own word", "skips"))
}

/// What its interval is learned from.
pub(super) fn rhythm_text(rhythm: &Rhythm) -> String {
    let hours: Vec<f64> = (0..HOURS).map(|hour| rhythm.rate(hour)).collect();
    let days: Vec<f64> = (0..DAYS).map(|day| rhythm.day(day)).collect();
    let burst = match rhythm.turnover {
        0 => String::new(),
        turnover => {
            let turnover = duration_text(Duration::from_secs(turnover.into()));
            format!("; lately all that it lists was new within some {turnover}")
        }
    };
    format!(
        "  {:<12}some {:.1} entries a day; by hour from 0 (UTC) {}, by day from Monday {}{burst}",
        "rhythm",
        rhythm.rate_of_a_day(),
        bars(&hours),
        bars(&days)
    )
}

/// Numbers as bars, the largest as the highest.
fn bars(numbers: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = numbers.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let bar = |number: &f64| {
        let above = BARS.iter().skip(1).zip(1_u32..);
        let reached =
            above.take_while(|(_, step)| number / largest * 7.0 + 0.5 >= f64::from(*step));
        reached.last().map_or(BARS[0], |(bar, _)| *bar)
    };
    numbers.iter().map(bar).collect()
}
