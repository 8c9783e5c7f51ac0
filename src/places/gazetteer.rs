//! The places there are, and their names: `config/places/places.bin`, read where it lies.
//!
//! Nothing is unpacked, so opening costs no time and memory holds only the pages that were looked at. Names
//! are not kept as text: a table has the hash of each, 48 bits, sorted by it. Two names of the file that
//! collide would have been one in two hundred million. `config/places/README.md` describes the bytes.

use std::fmt;

/// First bytes of a file that this program can read.
const MAGIC: &[u8; 8] = b"cwplace1";

/// Bits of a hash that choose the bucket.
const BUCKET_BITS: u32 = 16;

/// Bits of a hash that choose a bit of the filter of first words.
const FILTER_BITS: u32 = 21;

/// Bytes of one place.
const PLACE_BYTES: usize = 18;

/// Bits of an entry that say which place; those above are flags.
const INDEX_BITS: u32 = 19;

/// In place of a place: the flags say of what class a word is.
const CLASS: u32 = (1 << INDEX_BITS) - 1;

/// What stands for no region of a place.
const NO_REGION: u16 = u16::MAX;

/// Words of the longest name.
pub(crate) const NAME_WORDS_MAX: usize = 7;

/// Why a file is no gazetteer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GazetteerProblem {
    /// It begins otherwise.
    #[error(
        "this is no gazetteer of conflictwire, or one of another version; make it anew with config/places/make.py"
    )]
    OtherFormat,
    /// It ends before what its head announces, or goes on after it.
    #[error(
        "the gazetteer has {actual} bytes and should have {expected}; make it anew with config/places/make.py"
    )]
    WrongLength {
        /// By its head.
        expected: usize,
        /// Of the file.
        actual: usize,
    },
}

/// What sort of place this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlaceKind {
    /// A country or territory with a code of its own.
    Country,
    /// A first-level division of a country, or a region that people name like one.
    Region,
    /// A city, town or village.
    City,
    /// Anything else: a sea, a crossing, a camp, a base, a county.
    Other,
}

impl PlaceKind {
    /// As published.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::City => "city",
            Self::Other => "other",
        }
    }
}

/// One place of the gazetteer, by its number in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PlaceId(pub(crate) u32);

/// Number of a country in the gazetteer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CountryId(pub(crate) u8);

/// How a name stands for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameOf {
    pub(crate) place: PlaceId,
    flags: u32,
}

impl NameOf {
    /// It is the name that is shown, or a short form of it.
    pub(crate) fn is_main(self) -> bool {
        self.flags & 1 != 0 || self.needs_capitals()
    }

    /// It counts only when it is written in capitals ("US").
    pub(crate) fn needs_capitals(self) -> bool {
        self.flags & 2 != 0
    }

    /// It counts only after a place inside and a comma ("Long Beach, CA").
    pub(crate) fn needs_place_before(self) -> bool {
        self.flags & 4 != 0
    }

    /// The government of its country sits there.
    pub(crate) fn is_capital(self) -> bool {
        self.flags & 8 != 0
    }
}

/// What a word is besides a name of places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WordClass {
    flags: u32,
}

impl WordClass {
    /// It means something else in everyday English.
    pub(crate) fn is_everyday(self) -> bool {
        self.flags & 1 != 0
    }

    /// People have it as a first name.
    pub(crate) fn is_given_name(self) -> bool {
        self.flags & 2 != 0
    }

    /// People have it as a last name.
    pub(crate) fn is_last_name(self) -> bool {
        self.flags & 4 != 0
    }

    /// The same word where an everyday word of any language counts as one.
    pub(crate) fn of_any_language(self) -> Self {
        Self { flags: self.flags | self.flags >> 3 & 1 }
    }
}

/// What is known of one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) geonames_id: Option<u32>,
    pub(crate) kind: PlaceKind,
    pub(crate) country: Option<CountryId>,
    /// The first-level region it lies in.
    pub(crate) region: Option<PlaceId>,
    pub(crate) lat: f64,
    pub(crate) lon: f64,
    /// Decimal logarithm of how many live there: 0 for nobody, 6 for a million.
    pub(crate) size: f64,
}

/// The places of one file.
#[derive(Clone, Copy)]
pub struct Gazetteer {
    counts: [usize; 4],
    codes: &'static [u8],
    neighbours: &'static [u8],
    places: &'static [u8],
    starts: &'static [u8],
    keys: &'static [u8],
    refs: &'static [u8],
    filter: &'static [u8],
    names: &'static [u8],
}

impl fmt::Debug for Gazetteer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gazetteer").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// Cuts a file into its parts.
struct Parts {
    left: &'static [u8],
    missing: bool,
}

impl Parts {
    fn take(&mut self, bytes: usize) -> &'static [u8] {
        let Some((part, left)) = self.left.split_at_checked(bytes) else {
            self.missing = true;
            return &[];
        };
        self.left = left;
        part
    }

    fn number(&mut self) -> usize {
        usize::try_from(little_endian(self.take(4))).unwrap_or(usize::MAX)
    }
}

/// The number that at most four bytes are, the lowest first.
fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The `index`-th of numbers of `WIDTH` bytes.
fn number_at<const WIDTH: usize>(bytes: &[u8], index: usize) -> u32 {
    let start = index.saturating_mul(WIDTH);
    bytes.get(start..start + WIDTH).map_or(0, little_endian)
}

impl Gazetteer {
    /// The gazetteer that is built in.
    ///
    /// # Panics
    /// Never: a test opens it.
    pub fn built_in() -> Self {
        static BYTES: &[u8] = include_bytes!("../../config/places/places.bin");
        #[expect(clippy::expect_used, reason = "what is built in is opened by a test")]
        Self::open(BYTES).expect("the built-in gazetteer is whole")
    }

    /// Opens what `config/places/make.py` wrote.
    ///
    /// # Errors
    /// [`GazetteerProblem`] if it is something else, or not whole.
    pub fn open(bytes: &'static [u8]) -> Result<Self, GazetteerProblem> {
        let left = bytes.strip_prefix(MAGIC).ok_or(GazetteerProblem::OtherFormat)?;
        let mut parts = Parts { left, missing: false };
        let counts = [parts.number(), parts.number(), parts.number(), parts.number()];
        let (entries, name_bytes) = (parts.number(), parts.number());
        let countries = counts.first().copied().unwrap_or_default();
        let places = counts.iter().fold(0_usize, |sum, count| sum.saturating_add(*count));
        let expected = [
            MAGIC.len() + 24,
            countries.saturating_mul(2),
            countries.saturating_mul(countries).div_ceil(8),
            places.saturating_mul(PLACE_BYTES),
            ((1 << BUCKET_BITS) + 1) * 4,
            entries.saturating_mul(4 + 3),
            1 << (FILTER_BITS - 3),
            name_bytes,
        ];
        let expected = expected.into_iter().fold(0, usize::saturating_add);
        let wrong = GazetteerProblem::WrongLength { expected, actual: bytes.len() };
        if expected != bytes.len() {
            return Err(wrong);
        }
        let gazetteer = Self {
            counts,
            codes: parts.take(countries * 2),
            neighbours: parts.take((countries * countries).div_ceil(8)),
            places: parts.take(places * PLACE_BYTES),
            starts: parts.take(((1 << BUCKET_BITS) + 1) * 4),
            keys: parts.take(entries * 4),
            refs: parts.take(entries * 3),
            filter: parts.take(1 << (FILTER_BITS - 3)),
            names: parts.take(name_bytes),
        };
        if parts.missing { Err(wrong) } else { Ok(gazetteer) }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of what class a word is.
    pub(crate) fn class(&self, word: NameHash) -> WordClass {
        self.look_up_each(word, |_| {})
    }

    /// The places that have a name, the largest first, and of what class it is as a word.
    pub(crate) fn look_up(&self, name: NameHash, found: &mut Vec<NameOf>) -> WordClass {
        self.look_up_each(name, |name| found.push(name))
    }

    fn look_up_each(&self, name: NameHash, mut found: impl FnMut(NameOf)) -> WordClass {
        let hash = name.mixed();
        let bucket = usize::try_from(hash >> (64 - BUCKET_BITS)).unwrap_or_default();
        let key = u32::try_from(hash >> (64 - BUCKET_BITS - 32) & 0xFFFF_FFFF).unwrap_or_default();
        let at = |bucket| usize::try_from(number_at::<4>(self.starts, bucket)).unwrap_or_default();
        let mut class = WordClass::default();
        let (from, to) = (at(bucket), at(bucket + 1));
        let keys = self.keys.get(from * 4..to * 4).unwrap_or_default().as_chunks::<4>().0;
        let first = keys.partition_point(|bytes| u32::from_le_bytes(*bytes) < key);
        let equal = keys.get(first..).unwrap_or_default();
        let equal = equal.iter().take_while(|bytes| u32::from_le_bytes(**bytes) == key);
        for entry in (from + first..).zip(equal).map(|(entry, _)| entry) {
            let bits = number_at::<3>(self.refs, entry);
            let (place, flags) = (bits & CLASS, bits >> INDEX_BITS);
            if place == CLASS {
                class = WordClass { flags };
            } else {
                found(NameOf { place: PlaceId(place), flags });
            }
        }
        class
    }

    /// Whether a name of several words may begin with this one. If not, none does.
    pub(crate) fn begins_a_name(&self, word: NameHash) -> bool {
        let bit = word.mixed() >> (64 - FILTER_BITS);
        let byte = usize::try_from(bit >> 3).unwrap_or_default();
        self.filter.get(byte).is_some_and(|byte| byte >> (bit & 7) & 1 == 1)
    }

    /// A place; `None` if there is none of this number.
    pub(crate) fn row(&self, id: PlaceId) -> Option<Row> {
        let index = usize::try_from(id.0).ok()?;
        let start = index.checked_mul(PLACE_BYTES)?;
        let row = self.places.get(start..start + PLACE_BYTES)?;
        let number = |from: usize, to: usize| row.get(from..to).map_or(0, little_endian);
        let region = u16::try_from(number(10, 12)).unwrap_or(NO_REGION);
        let country = u8::try_from(number(12, 13)).unwrap_or(u8::MAX);
        let [countries, regions, others, _] = self.counts;
        let first_region = u32::try_from(countries).unwrap_or_default();
        let kind = match index {
            _ if index < countries => PlaceKind::Country,
            _ if index < countries + regions => PlaceKind::Region,
            _ if index < countries + regions + others => PlaceKind::Other,
            _ => PlaceKind::City,
        };
        Some(Row {
            geonames_id: Some(number(0, 4)).filter(|id| *id > 0),
            kind,
            country: Some(CountryId(country)).filter(|_| usize::from(country) < countries),
            region: (region != NO_REGION).then(|| PlaceId(first_region + u32::from(region))),
            lat: degrees(number(4, 7), 180.0),
            lon: degrees(number(7, 10), 360.0),
            // Stored as eight times the binary logarithm.
            size: f64::from(number(13, 14)) / 8.0 * std::f64::consts::LOG10_2,
        })
    }

    /// What a place is called.
    pub(crate) fn name(&self, id: PlaceId) -> &'static str {
        let name = || {
            let start = usize::try_from(id.0).ok()?.checked_mul(PLACE_BYTES)?;
            let row = self.places.get(start..start + PLACE_BYTES)?;
            let from = usize::try_from(little_endian(row.get(14..17)?)).ok()?;
            let bytes = usize::from(*row.get(17)?);
            std::str::from_utf8(self.names.get(from..from + bytes)?).ok()
        };
        name().unwrap_or_default()
    }

    /// The two letters of a country.
    pub(crate) fn code(&self, country: CountryId) -> &'static str {
        let start = usize::from(country.0) * 2;
        let letters = self.codes.get(start..start + 2);
        letters.and_then(|letters| std::str::from_utf8(letters).ok()).unwrap_or_default()
    }

    /// The country with these two letters.
    pub(crate) fn country(&self, code: &str) -> Option<CountryId> {
        let (codes, _) = self.codes.as_chunks::<2>();
        let found = codes.binary_search_by(|letters| letters.as_slice().cmp(code.as_bytes()));
        found.ok().and_then(|index| u8::try_from(index).ok()).map(CountryId)
    }

    /// Whether two countries share a border.
    pub(crate) fn are_neighbours(&self, one: CountryId, other: CountryId) -> bool {
        let bit = usize::from(one.0) * self.codes.len() / 2 + usize::from(other.0);
        self.neighbours.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }
}

/// Degrees from the middle, of 24 bits over the whole range; rounded to five places (a metre).
fn degrees(bits: u32, range: f64) -> f64 {
    let exact = f64::from(bits) / f64::from(0x00FF_FFFF_u32) * range - range / 2.0;
    (exact * 1e5).round() / 1e5
}

/// The hash of a name, made word by word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameHash(u64);

impl NameHash {
    /// Of a name that begins with a word in plain form.
    pub(crate) fn of(word: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).and_bytes(word)
    }

    /// Of the name with one word more.
    pub(crate) fn and(self, word: &str) -> Self {
        self.and_bytes(" ").and_bytes(word)
    }

    /// FNV-1a, as `make.py` does it.
    fn and_bytes(self, text: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Self(text.bytes().fold(self.0, step))
    }

    /// So that the upper bits depend on every byte.
    fn mixed(self) -> u64 {
        let hash = (self.0 ^ self.0 >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^ hash >> 33
    }
}

#[cfg(test)]
mod tests {
    use cw_text::words::Words;

    use super::*;

    fn found(name: &str) -> Vec<NameOf> {
        let mut words = Words::new(name);
        let mut found = Vec::new();
        let Some(first) = words.next() else { return found };
        let hash = words.fold(NameHash::of(&first.plain), |hash, word| hash.and(&word.plain));
        Gazetteer::built_in().look_up(hash, &mut found);
        found
    }

    #[track_caller]
    fn check(name: &str, shown: &str, country: &str) {
        let gazetteer = Gazetteer::built_in();
        let is_it = |of: &NameOf| {
            let code = gazetteer.row(of.place).and_then(|row| row.country);
            gazetteer.name(of.place) == shown
                && code.map(|code| gazetteer.code(code)) == Some(country)
        };
        assert!(found(name).iter().any(is_it), "{name} is not {shown} in {country}");
    }

    #[test]
    fn a_place_is_found_by_its_names_in_any_script() {
        for name in ["Aleppo", "Alep", "Ḩalab", "حلب", "Алеппо", "阿勒颇", "アレッポ", "חאלב"]
        {
            check(name, "Aleppo", "SY");
        }
        check("Ukraine", "Ukraine", "UA");
        check("Украина", "Ukraine", "UA");
        check("أوكرانيا", "Ukraine", "UA");
        check("የመን", "Yemen", "YE");
        check("New York City", "New York City", "US");
    }

    /// What `make.py` makes of a name is what `cw_text::words` makes of it; else it would never be found.
    #[test]
    fn every_city_is_found_by_its_own_name() {
        let gazetteer = Gazetteer::built_in();
        let mut lost = Vec::new();
        for number in 0..u32::try_from(gazetteer.len()).unwrap() {
            let id = PlaceId(number);
            let name = gazetteer.name(id);
            let words = Words::new(name).count();
            let row = gazetteer.row(id).unwrap();
            let is_left_out = row.size < 20_000_f64.log10() || row.geonames_id.is_none();
            if words > NAME_WORDS_MAX || (words == 1 && is_left_out && is_everyday(name)) {
                continue;
            }
            if !found(name).iter().any(|of| of.place == id && of.is_main()) {
                lost.push(name);
            }
        }
        assert!(lost.is_empty(), "{} names: {:?}", lost.len(), &lost[..lost.len().min(40)]);
    }

    fn is_everyday(name: &str) -> bool {
        let word = Words::new(name).next().unwrap();
        let hash = NameHash::of(&word.plain);
        Gazetteer::built_in().class(hash).of_any_language().is_everyday()
    }

    #[test]
    fn coordinates_are_where_the_sources_have_them() {
        let rows =
            found("Aleppo").into_iter().map(|of| Gazetteer::built_in().row(of.place).unwrap());
        let row = rows.into_iter().find(|row| row.kind == PlaceKind::City).unwrap();
        assert_eq!((row.kind, row.geonames_id), (PlaceKind::City, Some(170_063)));
        assert!((row.lat - 36.20124).abs() < 1e-4 && (row.lon - 37.16117).abs() < 1e-4);
        assert!((row.size - 6.32).abs() < 0.05);
    }

    #[test]
    fn neighbours_share_a_border() {
        let gazetteer = Gazetteer::built_in();
        let code = |code| gazetteer.country(code).unwrap();
        assert!(gazetteer.are_neighbours(code("SY"), code("TR")));
        assert!(!gazetteer.are_neighbours(code("SY"), code("US")));
        assert_eq!(gazetteer.code(code("PS")), "PS");
        assert_eq!(gazetteer.country("UK"), None);
    }

    #[test]
    fn what_is_no_gazetteer_is_refused() {
        assert_eq!(Gazetteer::open(b"cwplace0").unwrap_err(), GazetteerProblem::OtherFormat);
        let cut = Gazetteer::open(b"cwplace1\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert!(matches!(cut, Err(GazetteerProblem::WrongLength { .. })));
        let huge = Gazetteer::open(b"cwplace1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
        assert!(matches!(huge, Err(GazetteerProblem::WrongLength { .. })));
    }
}
