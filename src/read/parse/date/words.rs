//! The words in dates: months, halves of the day, zones.

/// Half of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// Before noon.
    Morning,
    /// After noon.
    Afternoon,
}

/// Months as publishers name them: English, French, German, Spanish, Portuguese, Italian, Polish,
/// Turkish, Russian, Ukrainian, Arabic (Egypt; Maghreb; one-word Levantine names).
const MONTHS: [&str; 12] = [
    "jan january janv janvier januar jänner ene enero janeiro gen gennaio stycznia sty ocak янв \
     январь января січ січень січня يناير جانفي",
    "feb february fév févr février fevr fevrier februar febrero fev fevereiro febbraio lutego \
     lut şubat фев февр февраль февраля лют лютий лютого فبراير فيفري شباط",
    "mar march mars märz maerz mär mrz marzo março marco marca mart мар март марта бер березень \
     березня مارس اذار",
    "apr april avr avril abr abril aprile kwietnia kwi nisan апр апрель апреля кві квіт квітень \
     квітня ابريل افريل نيسان",
    "may mai mayo maio mag maggio maja maj mayıs май мая тра трав травень травня مايو ماي ايار",
    "jun june juin juni junio junho giu giugno czerwca cze haziran июн июнь июня чер черв \
     червень червня يونيو جوان حزيران",
    "jul july juil juillet juli julio julho lug luglio lipca lip temmuz июл июль июля лип липень \
     липня يوليو جويلية تموز",
    "aug august août aout ago agosto sierpnia sie ağustos авг август августа сер серп серпень \
     серпня اغسطس اوت اب",
    "sep sept september septembre septiembre setiembre set setembro settembre września wrz eylül \
     сен сент сентябрь сентября вер верес вересень вересня سبتمبر ايلول",
    "oct october octobre okt oktober octubre out outubro ott ottobre października paź ekim окт \
     октябрь октября жов жовт жовтень жовтня اكتوبر",
    "nov november novembre noviembre novembro listopada lis kasım ноя нояб ноябрь ноября лис \
     лист листопад листопада نوفمبر",
    "dec december déc décembre decembre dez dezember dic diciembre dezembro dicembre grudnia gru \
     aralık дек декабрь декабря гру груд грудень грудня ديسمبر",
];

/// Zones by name, in minutes east of Greenwich. Where one name serves several (IST, CST, BST), the
/// one most feeds mean.
const ZONES: [(i32, &str); 26] = [
    (-480, "pst"),
    (-420, "mst pdt"),
    (-360, "cst mdt"),
    (-300, "est cdt"),
    (-240, "edt"),
    (-180, "brt art"),
    (0, "z ut utc gmt wet"),
    (60, "west bst cet mez met wat"),
    (120, "cest mesz mest cat sast eet"),
    (180, "eest idt msk мск trt eat ast"),
    (210, "irst"),
    (240, "msd gst azt amt get"),
    (270, "irdt aft"),
    (300, "pkt uzt"),
    (330, "ist"),
    (345, "npt"),
    (360, "bdt"),
    (390, "mmt"),
    (420, "ict wib"),
    (480, "hkt sgt pht awst"),
    (540, "jst kst"),
    (570, "acst"),
    (600, "aest"),
    (660, "aedt"),
    (720, "nzst"),
    (780, "nzdt"),
];

/// Lower case, digits of one kind, one spelling of what has several, CJK marks as plain ones.
pub(super) fn plain(text: &str) -> String {
    let lower = text.to_lowercase().replace("a.m.", "am").replace("p.m.", "pm");
    lower
        .chars()
        .filter_map(|c| {
            Some(match c {
                '٠'..='٩' => digit(c, '٠'),
                '۰'..='۹' => digit(c, '۰'),
                'أ' | 'إ' | 'آ' => 'ا',
                '年' | '月' | '년' | '월' => '-',
                '日' | '일' | '،' => ' ',
                '時' | '时' | '点' | '시' => ':',
                '\u{200E}' | '\u{200F}' | '\u{307}' => return None,
                other => other,
            })
        })
        .collect()
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(u32::from(c).saturating_sub(u32::from(zero)), 10).unwrap_or(c)
}

/// The month of a name; `next` is the word after it, for the two-word names of the Levant.
pub(super) fn month(word: &str, next: Option<&str>) -> Option<i8> {
    match (word, next) {
        ("كانون", Some("الثاني")) => return Some(1),
        ("كانون", Some("الاول")) => return Some(12),
        ("تشرين", Some("الاول")) => return Some(10),
        ("تشرين", Some("الثاني")) => return Some(11),
        _ => {}
    }
    let place = MONTHS.iter().position(|names| names.split(' ').any(|name| name == word))?;
    i8::try_from(place + 1).ok()
}

/// The half of the day that a word stands for.
pub(super) fn half(word: &str) -> Option<Half> {
    match word {
        "am" | "ص" | "صباحا" => Some(Half::Morning),
        "pm" | "م" | "مساء" => Some(Half::Afternoon),
        _ => None,
    }
}

/// The zone of a name, in seconds east of Greenwich.
pub(super) fn zone_seconds(word: &str) -> Option<i32> {
    let (minutes, _) = ZONES.iter().find(|(_, names)| names.split(' ').any(|name| name == word))?;
    Some(minutes * 60)
}
