//! How a feed was asked lately, as its plan keeps it: the last ten requests with what decided each, and counts of all.
//!
//! A plan says when the next request comes and why, and is gone with it. What a publisher asks about is in the past.
//!
//! Held are some 15 bytes a request: as structs ten of them took 340 bytes of every feed, asked or not, a third of its
//! state. Nobody looks at them but for a page, a report and the next request.

use super::Reason;
use super::bytes::{Bytes, Packer};
use crate::{FailureClass, Timestamp};

/// How many requests are kept.
pub const REQUESTS_KEPT: usize = 10;

/// What a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A document.
    Document,
    /// 304.
    NotModified,
    /// Anything else.
    Failed(FailureClass),
}

impl Answered {
    const DOCUMENT: &'static str = "document";
    const NOT_MODIFIED: &'static str = "not_modified";

    /// Its name in states and reports; of a failure that of its class.
    pub fn name(self) -> &'static str {
        match self {
            Self::Document => Self::DOCUMENT,
            Self::NotModified => Self::NOT_MODIFIED,
            Self::Failed(class) => class.name(),
        }
    }

    /// What has this name; one of a later version reads as a defect.
    fn of_name(name: &str) -> Self {
        match name {
            Self::DOCUMENT => Self::Document,
            Self::NOT_MODIFIED => Self::NotModified,
            class => Self::Failed(FailureClass::of_name(class).unwrap_or(FailureClass::Panic)),
        }
    }
}

/// Which validators a request carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// `If-None-Match`.
    pub etag: bool,
    /// `If-Modified-Since`.
    pub date: bool,
}

impl Carried {
    /// Whether it carried none.
    pub fn is_nothing(self) -> bool {
        !self.etag && !self.date
    }

    /// For a person.
    pub fn text(self) -> &'static str {
        match (self.etag, self.date) {
            (true, true) => "If-None-Match and If-Modified-Since",
            (true, false) => "If-None-Match",
            (false, true) => "If-Modified-Since",
            (false, false) => "no validator",
        }
    }
}

/// What had a say in when a request was made: a wait, seconds, and whose it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub of: Reason,
    /// For how long from the request before.
    pub wait: u32,
}

/// A request, and what was true then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// When, in seconds since 1970.
    pub at: u32,
    /// What decided that it was made then.
    pub won: Claim,
    /// The longest of the others that had a say.
    pub lost: Option<Claim>,
    /// What it carried.
    pub carried: Carried,
    /// What it was answered.
    pub answered: Answered,
    /// For how long from then on the publisher asked not to be asked again, as far as it was believed, seconds: the
    /// longest of freshness, `ttl` and `Retry-After`.
    pub quiet: u32,
}

/// Bits of the byte that begins a packed request.
mod holds {
    pub(super) const ETAG: u8 = 1;
    pub(super) const DATE: u8 = 1 << 1;
    /// A claim that lost follows.
    pub(super) const LOST: u8 = 1 << 2;
    pub(super) const NOT_MODIFIED: u8 = 1 << 3;
    /// The class of a failure follows. Neither of the two is a document.
    pub(super) const FAILED: u8 = 1 << 4;
}

/// The last requests, the newest first, and counts of all since the feed has its URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Packed. Equal requests are equal bytes.
    last: Box<[u8]>,
    /// How many there were.
    pub made: u32,
    /// How many of them carried no validator.
    pub unconditional: u32,
    /// How many came while the publisher had asked not to be asked.
    pub early: u32,
    /// The shortest time between two, seconds.
    pub closest: Option<u32>,
}

impl Requests {
    /// One more.
    pub fn push(&mut self, request: Request) {
        if let Some(before) = self.newest()
            && let Some(apart) = request.at.checked_sub(before.at)
        {
            // A clock that was put back says nothing of how far apart they are; and a publisher whose hub says that there
            // is news wants to be asked.
            let is_early = apart < before.quiet && request.won.of != Reason::Push;
            self.early = self.early.saturating_add(u32::from(is_early));
            self.closest = Some(self.closest.map_or(apart, |closest| closest.min(apart)));
        }
        self.made = self.made.saturating_add(1);
        let is_plain = u32::from(request.carried.is_nothing());
        self.unconditional = self.unconditional.saturating_add(is_plain);
        self.last = pack(std::iter::once(request).chain(self.last()));
    }

    /// The last one.
    pub fn newest(&self) -> Option<Request> {
        self.last().next()
    }

    /// Those that are kept, the newest first.
    pub fn last(&self) -> impl Iterator<Item = Request> {
        let mut bytes = Bytes::new(&self.last);
        let mut later = 0;
        std::iter::from_fn(move || {
            (!bytes.is_at_end()).then(|| {
                let request = unpack(&mut bytes, later);
                later = request.at;
                request
            })
        })
    }

    /// How many are made in a day at the pace of those that are kept; `None` of fewer than two.
    pub fn a_day(&self) -> Option<f64> {
        let (newest, oldest) = (self.newest()?, self.last().last()?);
        let between = f64::from(newest.at.checked_sub(oldest.at).filter(|between| *between > 0)?);
        let count = u32::try_from(self.last().count()).ok()?;
        Some(f64::from(count.saturating_sub(1)) * 86_400.0 / between)
    }

    /// From what a state says.
    pub(super) fn restored(
        last: impl IntoIterator<Item = Request>,
        [made, unconditional, early]: [u32; 3],
        closest: Option<u32>,
    ) -> Self {
        Self { last: pack(last), made, unconditional, early, closest }
    }
}

/// The first of these requests, as many as are kept.
fn pack(requests: impl IntoIterator<Item = Request>) -> Box<[u8]> {
    let mut packer = Packer::default();
    let mut later = 0_u32;
    for request in requests.into_iter().take(REQUESTS_KEPT) {
        let Request { at, won, lost, carried, answered, quiet } = request;
        let bit = |is_so: bool, bit: u8| if is_so { bit } else { 0 };
        let answer = match answered {
            Answered::Document => 0,
            Answered::NotModified => holds::NOT_MODIFIED,
            Answered::Failed(_) => holds::FAILED,
        };
        packer.byte(
            bit(carried.etag, holds::ETAG)
                | bit(carried.date, holds::DATE)
                | bit(lost.is_some(), holds::LOST)
                | answer,
        );
        if let Answered::Failed(class) = answered {
            packer.byte(class as u8);
        }
        // The newest by its time, the others by how much earlier they were. Around the end of the numbers, because a clock
        // that was put back makes an older request the later one.
        packer.number(later.wrapping_sub(at).into());
        pack_claim(&mut packer, won);
        lost.into_iter().for_each(|lost| pack_claim(&mut packer, lost));
        packer.number(quiet.into());
        later = at;
    }
    packer.finish_boxed()
}

fn unpack(bytes: &mut Bytes<'_>, later: u32) -> Request {
    let bits = bytes.byte();
    let is = |bit: u8| bits & bit > 0;
    let answered = if is(holds::FAILED) {
        Answered::Failed(FailureClass::from_repr(bytes.byte()).unwrap_or(FailureClass::Panic))
    } else if is(holds::NOT_MODIFIED) {
        Answered::NotModified
    } else {
        Answered::Document
    };
    let at = later.wrapping_sub(seconds(bytes));
    let won = unpack_claim(bytes);
    let lost = is(holds::LOST).then(|| unpack_claim(bytes));
    let carried = Carried { etag: is(holds::ETAG), date: is(holds::DATE) };
    Request { at, won, lost, carried, answered, quiet: seconds(bytes) }
}

fn pack_claim(packer: &mut Packer, Claim { of, wait }: Claim) {
    packer.byte(of as u8);
    packer.number(wait.into());
}

fn unpack_claim(bytes: &mut Bytes<'_>) -> Claim {
    let of = Reason::from_repr(bytes.byte()).unwrap_or_default();
    Claim { of, wait: seconds(bytes) }
}

fn seconds(bytes: &mut Bytes<'_>) -> u32 {
    u32::try_from(bytes.number()).unwrap_or(u32::MAX)
}

impl Request {
    /// Seconds since 1970 as a request has them.
    pub fn second(at: Timestamp) -> u32 {
        u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX)
    }

    /// As a state has it: a line of words.
    pub(super) fn written(&self) -> String {
        let lost = self.lost.map_or_else(|| "-".to_owned(), Claim::written);
        let carried = match (self.carried.etag, self.carried.date) {
            (true, true) => "ed",
            (true, false) => "e",
            (false, true) => "d",
            (false, false) => "-",
        };
        let (won, answered) = (self.won.written(), self.answered.name());
        format!("{} {won} {lost} {carried} {answered} {}", self.at, self.quiet)
    }

    /// What was written so; `None` if it was not.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let at = words.next()?.parse().ok()?;
        let won = Claim::read(words.next()?)?;
        let lost = words.next().map(Claim::read)?;
        let carried = words.next()?;
        let carried = Carried { etag: carried.contains('e'), date: carried.contains('d') };
        let answered = Answered::of_name(words.next()?);
        let quiet = words.next()?.parse().ok()?;
        Some(Self { at, won, lost, carried, answered, quiet })
    }
}

impl Claim {
    fn written(self) -> String {
        format!("{}:{}", self.of.name(), self.wait)
    }

    fn read(text: &str) -> Option<Self> {
        let (name, wait) = text.split_once(':')?;
        // One that a later version gave is a wait of some kind.
        let of = Reason::of_name(name).unwrap_or(Reason::Interval);
        Some(Self { of, wait: wait.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    fn request(at: u32, quiet: u32) -> Request {
        Request {
            at,
            won: Claim { of: Reason::Interval, wait: 900 },
            lost: Some(Claim { of: Reason::Freshness, wait: 60 }),
            carried: Carried { etag: true, date: at.is_multiple_of(2) },
            answered: Answered::Failed(FailureClass::Busy),
            quiet,
        }
    }

    #[test]
    fn the_last_ten_are_kept_and_all_are_counted() {
        let mut requests = Requests::default();
        assert_eq!((requests.a_day(), requests.newest()), (None, None));
        (1..=25).for_each(|number| requests.push(request(number * 864, 0)));
        let kept: Vec<u32> = requests.last().map(|request| request.at / 864).collect();
        assert_eq!(kept, (16..=25).rev().collect::<Vec<_>>());
        assert_eq!((requests.made, requests.unconditional, requests.early), (25, 0, 0));
        assert_eq!((requests.closest, requests.a_day()), (Some(864), Some(100.0)));
        assert!(size_of::<Requests>() <= 40, "{}", size_of::<Requests>());
        // Of each: bits, class, 2 of time, 3 and 2 of claims, 1 of quiet; the newest has its whole time, 5 bytes.
        assert_eq!(requests.last.len(), 10 * 10 + 3);
    }

    #[test]
    fn one_that_comes_before_the_publisher_said_is_counted_and_a_clock_put_back_is_not() {
        let mut requests = Requests::default();
        for (at, quiet) in [(1000, 60), (1060, 60), (1119, 0), (500, 60), (560, 0)] {
            requests.push(request(at, quiet));
        }
        assert_eq!((requests.early, requests.closest), (1, Some(59)));
        let plain = Carried::default();
        requests.push(Request { carried: plain, ..request(5000, 60) });
        assert_eq!(requests.unconditional, 1);
        // Its publisher's hub says that there is news.
        let told = Claim { of: Reason::Push, wait: 5 };
        requests.push(Request { won: told, ..request(5005, 0) });
        assert_eq!((requests.early, requests.closest), (1, Some(5)));
    }

    #[test]
    fn whatever_was_asked_is_unpacked_as_it_was() {
        let mut asked = Vec::new();
        let mut requests = Requests::default();
        for (number, of) in (0..).zip(Reason::iter()) {
            let extreme = if number % 2 == 0 { u32::MAX } else { 0 };
            let one = Request {
                at: extreme.wrapping_add(number * 40_000),
                won: Claim { of, wait: extreme },
                lost: (number % 3 > 0).then_some(Claim { of, wait: number }),
                carried: Carried { etag: number % 4 > 1, date: number % 2 > 0 },
                answered: match number % 3 {
                    0 => Answered::Document,
                    1 => Answered::NotModified,
                    _ => Answered::Failed(FailureClass::Cut),
                },
                quiet: extreme,
            };
            requests.push(one);
            asked.insert(0, one);
        }
        asked.truncate(REQUESTS_KEPT);
        assert_eq!(requests.last().collect::<Vec<_>>(), asked);
        for class in FailureClass::iter() {
            let failed = Request { answered: Answered::Failed(class), ..asked[0] };
            requests.push(failed);
            assert_eq!(requests.newest(), Some(failed));
        }
    }

    #[test]
    fn a_request_reads_back_as_written() {
        for one in [request(1_772_366_400, 600), Request { lost: None, ..request(7, 0) }] {
            assert_eq!(Request::read(&one.written()), Some(one), "{}", one.written());
        }
        let text = "7 moon:5 - e teapot 0";
        assert_eq!(Request::read(text).unwrap().won.of, Reason::Interval);
        for text in ["", "7", "x interval:1 - e document 0", "7 interval:1 - e document"] {
            assert_eq!(Request::read(text), None, "{text}");
        }
    }
}
