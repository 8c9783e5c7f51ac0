//! Shapes of dates seen in feeds, each with the instant it means.

use super::*;

#[track_caller]
fn check(text: &str, at: &str) {
    check_assumed(text, at, None);
}

#[track_caller]
fn check_assumed(text: &str, at: &str, assumed: Option<DateQuality>) {
    let at: Timestamp = at.parse().unwrap();
    let read = read(text, &Conventions::default());
    assert_eq!(read.map(|read| (read.at, read.assumed)), Some((at, assumed)), "{text}");
}

#[test]
fn the_dates_of_the_standards_are_read() {
    for text in [
        "Tue, 05 Mar 2024 10:15:00 GMT",
        "Tue, 05 Mar 2024 10:15:00 +0000",
        "05 Mar 2024 10:15 UT",
        "Tue, 5 Mar 24 10:15:00 Z",
        "Tue, 05 Mar 2024 12:15:00 +0200 (EET)",
        "2024-03-05T10:15:00Z",
        "2024-03-05T10:15:00.000Z",
        "2024-03-05T13:15:00+03:00",
        "2024-03-05T13:15:00+0300",
        "2024-03-05T10:15Z",
        "20240305T101500Z",
        "1709633700",
        "1709633700000",
    ] {
        check(text, "2024-03-05T10:15:00Z");
    }
}

#[test]
fn dates_off_the_standards_are_read() {
    for text in [
        "Tuesday, 5 March 2024 10:15:00 GMT",
        "Tues, 05 Mar 2024 10:15:00 GMT",
        "Tue 05 Mar 2024 10:15:00 UTC",
        "March 5, 2024 10:15 am GMT",
        "March 5th, 2024, 5:15 AM EST",
        "Mar 05 2024 10:15:00 GMT+0000",
        "Tue Mar 5 10:15:00 GMT 2024",
        "Tue, 05 Mar 2024 13:15:00 MSK",
        "Tue, 05 Mar 2024 12:15:00 EET",
        "Tue, 05 Mar 2024 11:15:00 CET",
        "Tue, 05 Mar 2024 11:15:00 MET",
        "Tue, 05 Mar 2024 12:15:00 CEST",
        "Tue, 05 Mar 2024 13:15:00 EEST",
        "Tue, 05 Mar 2024 15:45:00 IST",
        "Tue, 05 Mar 2024 13:15:00 GMT+3",
        "Tue, 05 Mar 2024 13:15:00 UTC+03:00",
        "Tue, 05 Mar 2024 13:15:00 +0300 MSK",
        "Tue, 05 Mar 2024 05:15:00 -0500 EST",
        "2024-03-05 10:15:00 +0000",
        "2024/03/05 10:15:00 GMT",
        "2024-03-05T10:15:00+00:00Z",
        "05.03.2024 13:15 МСК",
    ] {
        check(text, "2024-03-05T10:15:00Z");
    }
}

#[test]
fn months_and_days_in_other_languages_are_read() {
    for text in [
        "вт, 05 мар 2024 13:15:00 +0300",
        "5 марта 2024 г., 10:15 UTC",
        "Вт, 05 Бер 2024 12:15:00 +0200",
        "5 березня 2024, 10:15 GMT",
        "mardi 5 mars 2024 à 10h15 UTC",
        "Di, 05 Mär 2024 11:15:00 +0100",
        "Dienstag, 5. März 2024 10:15 UTC",
        "martes, 5 de marzo de 2024 10:15 GMT",
        "الثلاثاء، 5 مارس 2024 10:15 GMT",
        "الثلاثاء ٥ آذار ٢٠٢٤ ١٠:١٥ GMT",
        "2024年3月5日 10:15 UTC",
    ] {
        check(text, "2024-03-05T10:15:00Z");
    }
    check("mar., 06 févr. 2024 10:15:00 +0000", "2024-02-06T10:15:00Z");
    check("٥ كانون الثاني ٢٠٢٤ 10:15 GMT", "2024-01-05T10:15:00Z");
    check("5 تشرين الأول 2023 10:15 GMT", "2023-10-05T10:15:00Z");
}

#[test]
fn what_is_not_said_is_assumed_and_told() {
    let zone = Some(DateQuality::ZoneAssumed);
    check_assumed("2024-03-05T10:15:00", "2024-03-05T10:15:00Z", zone);
    check_assumed("2024-03-05 10:15", "2024-03-05T10:15:00Z", zone);
    check_assumed("Tue, 05 Mar 2024 10:15:00", "2024-03-05T10:15:00Z", zone);
    check_assumed("2019/11/15 10:00:00", "2019-11-15T10:00:00Z", zone);
    check_assumed("15.11.2019 22:00", "2019-11-15T22:00:00Z", zone);
    check_assumed("10/30/2023 1:55 PM", "2023-10-30T13:55:00Z", zone);
    let day = Some(DateQuality::DateOnly);
    check_assumed("2024-03-05", "2024-03-05T00:00:00Z", day);
    check_assumed("20240305", "2024-03-05T00:00:00Z", day);
    check_assumed("5 March 2024", "2024-03-05T00:00:00Z", day);
    check_assumed("30/10/2023", "2023-10-30T00:00:00Z", day);
    check_assumed("10/30/23", "2023-10-30T00:00:00Z", day);
}

#[test]
fn the_edges_of_a_day_are_read() {
    check("Tue, 05 Mar 2024 24:00:00 GMT", "2024-03-06T00:00:00Z");
    check("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59Z");
    check("5 Mar 2024 12:05 AM GMT", "2024-03-05T00:05:00Z");
    check("5 Mar 2024 12:05 PM GMT", "2024-03-05T12:05:00Z");
    check("1:55 PM EST, 5 Mar 2024", "2024-03-05T18:55:00Z");
}

#[test]
fn what_reads_two_ways_or_none_is_not_read() {
    for text in [
        "",
        "yesterday",
        "03/04/2024",
        "3-4-2024",
        "15/11/19",
        "2024-13-05",
        "2024-02-30",
        "31 Feb 2024",
        "2024-03",
        "0000-00-00 00:00:00",
        "Tue, 05 Foo 2024 10:00:00 GMT",
        "10:15",
        "99999999999999",
        "5 Mar 2024 25:00 GMT",
        "5 Mar 2024 10:61 GMT",
        "1 2 3 4 5",
        "-1",
        "NaN",
    ] {
        assert_eq!(read(text, &Conventions::default()), None, "{text}");
    }
    assert_eq!(read(&"1".repeat(100_000), &Conventions::default()), None);
    assert_eq!(read(&"(".repeat(99), &Conventions::default()), None);
}

#[test]
fn halves_of_the_day_are_read_wherever_they_stand() {
    for text in [
        "5 Mar 2024 3:05 p. m. GMT",
        "5 marzo 2024, 3:05 p. m. GMT",
        "2024년 3월 5일 오후 3시 5분 GMT",
        "2024-03-05 下午 3:05 GMT",
        "2024年3月5日 午後3時5分 GMT",
        "5 Μαρτίου 2024 3:05 μ.μ. GMT",
        "5 مارس 2024 ساعت 3:05 بعد از ظهر GMT",
        "5 مارس 2024 3:05 ب.ظ GMT",
        "5 مارس 2024 3:05 مساءً GMT",
        "5 Mart 2024 ÖS 3:05 GMT",
        "5 Mart 2024 3:05 ÖS GMT",
        "5 марта 2024 3:05 дня GMT",
        "5 मार्च 2024 अपराह्न 3:05 GMT",
        "2024. március 5. du. 3:05 GMT",
    ] {
        check(text, "2024-03-05T15:05:00Z");
    }
    for text in
        ["2024-03-05 上午 3:05 GMT", "5 марта 2024 3:05 утра GMT", "5 Mar 2024 3:05 a. m. GMT"]
    {
        check(text, "2024-03-05T03:05:00Z");
    }
}

#[test]
fn names_of_months_of_many_languages_are_read() {
    for month in [
        "Novembre",
        "noiembrie",
        "marraskuuta",
        "novembra",
        "studenoga",
        "новембра",
        "лістапада",
        "листопада",
        "қараша",
        "noyabr",
        "Kasım",
        "նոյեմբերի",
        "ნოემბერი",
        "נובמבר",
        "نوفمبر",
        "تشرين الثاني",
        "نونبر",
        "نوامبر",
        "نومبر",
        "नवंबर",
        "নভেম্বর",
        "ਨਵੰਬਰ",
        "નવેમ્બર",
        "நவம்பர்",
        "నవంబర్",
        "นปฏิทิน",
        "พฤศจิกายน",
        "พ.ย.",
        "နိုဝင်ဘာ",
        "ኖቬምበር",
        "Noofeembar",
        "Nofembar",
        "Novemba",
        "Nuwamba",
        "Nobyembre",
        "Νοεμβρίου",
        "lapkričio",
        "novembris",
        "nëntor",
        "mijdar",
        "Tháng 11",
        "thg 11",
    ] {
        let read = read(&format!("27 {month} 2025 15:02 GMT"), &Conventions::default());
        let at: Timestamp = "2025-11-27T15:02:00Z".parse().unwrap();
        match month {
            // No month anywhere.
            "นปฏิทิน" => assert_eq!(read, None),
            _ => assert_eq!(read.map(|read| (read.at, read.assumed)), Some((at, None)), "{month}"),
        }
    }
    // Two languages, two months.
    let croatian = Conventions { language: Some("hr".to_owned()), ..Conventions::default() };
    let at = read("5. listopada 2025.", &croatian).unwrap().at;
    assert_eq!(at, "2025-10-05T00:00:00Z".parse().unwrap());
}

#[test]
fn zones_of_places_keep_their_summer_time() {
    check("Tue, 05 Mar 2024 12:15:00 Europe/Kyiv", "2024-03-05T10:15:00Z");
    check("2024-07-05T12:15:00[Europe/Kyiv]", "2024-07-05T09:15:00Z");
    check("Tue, 05 Mar 2024 13:15:00 Arab Standard Time", "2024-03-05T10:15:00Z");
    check("Fri, 05 Jul 2024 12:15:00 FLE Standard Time", "2024-07-05T09:15:00Z");
    check("5 Mar 2024 5:15 AM ET", "2024-03-05T10:15:00Z");
    check("5 Jul 2024 5:15 AM ET", "2024-07-05T09:15:00Z");
    let chinese = Conventions { language: Some("zh".to_owned()), ..Conventions::default() };
    let at = read("2024-03-05 18:15 CST", &chinese).unwrap().at;
    assert_eq!(at, "2024-03-05T10:15:00Z".parse().unwrap());
}

#[test]
fn other_calendars_and_forms_of_the_standard_are_read() {
    for text in [
        "۱۴۰۲-۱۲-۱۵T۱۰:۱۵:۰۰Z",
        "1402/12/15 10:15 GMT",
        "15 اسفند 1402 10:15 GMT",
        "۱۵ حوت ۱۴۰۲ 10:15 GMT",
        "24 شعبان 1445 10:15 GMT",
        "5 มีนาคม 2567 10:15 GMT",
        "2024-W10-2T10:15:00Z",
        "2024-065T10:15:00Z",
        "2024-03-05 13:15:00.123456 +0300 MSK m=+0.000012345",
        "2024-03-05 13:15:00 + 03:00",
    ] {
        check(text, "2024-03-05T10:15:00Z");
    }
    let zone = Some(DateQuality::ZoneAssumed);
    check_assumed("5. maaliskuuta 2024 klo 10.15", "2024-03-05T10:15:00Z", zone);
    check_assumed("05.03.2024 10.15", "2024-03-05T10:15:00Z", zone);
}

#[test]
fn an_hour_of_which_the_half_is_unknown_is_left_out() {
    let day = Some(DateQuality::DateOnly);
    let zone = Some(DateQuality::ZoneAssumed);
    check_assumed("5 Mar 2024 3:05 ဇဇ", "2024-03-05T00:00:00Z", day);
    check_assumed("5 Mar 2024 3:05 xq", "2024-03-05T00:00:00Z", day);
    // No half of a day has so many hours, and long Latin words are places.
    check_assumed("5 Mar 2024 15:05 ဇဇ", "2024-03-05T15:05:00Z", zone);
    check_assumed("5 Mar 2024 3:05 Somewhere", "2024-03-05T03:05:00Z", zone);
    check_assumed("5 Mar 2024 10:15 hs", "2024-03-05T10:15:00Z", zone);
    let neighbours = ["4 Mar 2024 17:05 xq", "5 Mar 2024 3:05 xq"];
    let conventions = Conventions::learn(None, neighbours.into_iter());
    assert!(conventions.has_24_hours);
    let at = read("5 Mar 2024 3:05 xq", &conventions).unwrap().at;
    assert_eq!(at, "2024-03-05T03:05:00Z".parse().unwrap());
    for text in ["Tue, 05 Mar 2024 09:15:30 +1300", "2024-03-05 05:13:00", "1:23:45"] {
        assert!(!Conventions::learn(None, [text].into_iter()).has_24_hours, "{text}");
    }
}

#[test]
fn a_language_tells_whether_a_short_year_comes_first() {
    let at = |text: &str, language: &str| {
        let conventions = Conventions::learn(Some(language), [text].into_iter());
        read(text, &conventions).map(|read| read.at.to_string())
    };
    assert_eq!(at("15/2/25 10:00", "es").as_deref(), Some("2025-02-15T10:00:00Z"));
    assert_eq!(at("25/2/15 10:00", "zh-CN").as_deref(), Some("2025-02-15T10:00:00Z"));
    assert_eq!(at("25. 2. 15. 10:00", "ko").as_deref(), Some("2025-02-15T10:00:00Z"));
    assert_eq!(at("03/02/25 10:00", "es"), None);
    let zone = Some(DateQuality::ZoneAssumed);
    check_assumed("20.01.26 | 15:05", "2026-01-20T15:05:00Z", zone);
    check_assumed("Guraandhala 15, 2025, 3:05 WB Sa’aatii", "2025-02-15T15:05:00Z", zone);
}

#[test]
fn a_feed_tells_which_number_is_the_day() {
    let at = |text: &str, others: &[&str]| {
        let conventions = Conventions::learn(None, others.iter().copied());
        read(text, &conventions).map(|read| read.at.to_string())
    };
    let day_first = Some("2026-02-03T10:00:00Z".to_owned());
    assert_eq!(at("03/02/2026 10:00", &["25/02/2026 10:00", "03/02/2026 10:00"]), day_first);
    assert_eq!(at("02/03/2026 10:00", &["02/25/2026 10:00"]), day_first);
    assert_eq!(at("03/02/2026 10:00", &["04/02/2026 10:00"]), None);
    assert_eq!(at("03/02/2026 10:00", &["25/02/2026", "02/25/2026"]), None);
}
