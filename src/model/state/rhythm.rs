//! How much a feed publishes at which time of the week, as its plan keeps it: 72 bytes.
//!
//! Learning it, and making a wait of it, is `schedule::rhythm`'s.

/// Hours of a day.
pub const HOURS: usize = 24;

/// Days of a week.
pub const DAYS: usize = 7;

/// What one entry an hour is in an hour's place: its square root times this.
const RATE_UNIT: f64 = 4096.0;

/// What a day as busy as the mean of all is in a day's place.
const DAY_UNIT: f64 = 8192.0;

/// How much a feed publishes at which time of the week (UTC).
///
/// An hour's place has the square root of a rate: rates of a hundred entries an hour and of one in a month both fit
/// into two bytes then, each to some percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    hours: [u16; HOURS],
    days: [u16; DAYS],
    /// The day it was begun, since 1970.
    pub since: i32,
    /// The shortest time in which as many entries came lately as the feed lists, seconds; 0 where nothing says.
    pub turnover: u32,
}

impl Rhythm {
    /// As many entries in every hour.
    pub fn steady(rate: f64, since: i32) -> Self {
        let mut steady =
            Self { hours: [0; HOURS], days: [place(1.0, DAY_UNIT); DAYS], since, turnover: 0 };
        (0..HOURS).for_each(|hour| steady.set_rate(hour, rate));
        steady
    }

    /// Entries in this hour of an average day.
    pub fn rate(&self, hour: usize) -> f64 {
        let root = f64::from(self.hours.get(hour).copied().unwrap_or_default()) / RATE_UNIT;
        root * root
    }

    /// See [`Self::rate`].
    pub fn set_rate(&mut self, hour: usize, rate: f64) {
        if let Some(slot) = self.hours.get_mut(hour) {
            *slot = place(rate.max(0.0).sqrt(), RATE_UNIT);
        }
    }

    /// How many times as much comes on this weekday, 0 being Monday, as on an average day.
    pub fn day(&self, weekday: usize) -> f64 {
        f64::from(self.days.get(weekday).copied().unwrap_or_default()) / DAY_UNIT
    }

    /// See [`Self::day`].
    pub fn set_day(&mut self, weekday: usize, times: f64) {
        if let Some(slot) = self.days.get_mut(weekday) {
            *slot = place(times, DAY_UNIT);
        }
    }

    /// Entries on an average day.
    pub fn rate_of_a_day(&self) -> f64 {
        (0..HOURS).map(|hour| self.rate(hour)).sum()
    }

    /// Hours and days as a state is written: four hexadecimal digits each.
    pub(super) fn written(&self) -> String {
        self.hours.iter().chain(&self.days).map(|slot| format!("{slot:04x}")).collect()
    }

    /// What was written so; `None` if it was not.
    pub(super) fn read(text: &str, since: i32, turnover: u32) -> Option<Self> {
        let slot = |digits: &[u8]| {
            std::str::from_utf8(digits).ok().and_then(|digits| u16::from_str_radix(digits, 16).ok())
        };
        let slots: Option<Vec<u16>> = text.as_bytes().chunks(4).map(slot).collect();
        let slots = slots.filter(|slots| slots.len() == HOURS + DAYS)?;
        let (hours, days) = slots.split_at(HOURS);
        let (hours, days) = (hours.try_into().ok()?, days.try_into().ok()?);
        Some(Self { hours, days, since, turnover })
    }
}

/// A number in units, as far as two bytes reach.
fn place(number: f64, unit: f64) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the bounds"
    )]
    let place = (number * unit).round().clamp(0.0, f64::from(u16::MAX)) as u16;
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_from_one_a_month_to_two_hundred_an_hour_keep_their_size() {
        for rate in [1.0 / 720.0, 0.04, 1.0, 7.5, 200.0] {
            let kept = Rhythm::steady(rate, 0).rate(3);
            assert!((kept / rate - 1.0).abs() < 0.05, "{rate}: {kept}");
        }
        assert!(size_of::<Rhythm>() <= 72);
    }

    #[test]
    fn a_rhythm_reads_back_as_written_and_nothing_else_reads() {
        let mut rhythm = Rhythm::steady(0.5, 20_000);
        rhythm.set_rate(7, 12.25);
        rhythm.set_day(6, 0.25);
        rhythm.turnover = 900;
        let text = rhythm.written();
        assert_eq!(Rhythm::read(&text, 20_000, 900), Some(rhythm));
        for text in ["", "0", "zzzz", text.get(4..).unwrap(), &text.replace('0', "ö")] {
            assert_eq!(Rhythm::read(text, 0, 0), None, "{text}");
        }
    }
}
