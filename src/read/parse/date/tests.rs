//! Shapes of dates seen in feeds, each with the instant it means.

use super::*;

#[track_caller]
fn check(text: &str, at: &str) {
    check_assumed(text, at, None);
}

#[track_caller]
fn check_assumed(text: &str, at: &str, assumed: Option<DateQuality>) {
    let at: Timestamp = at.parse().unwrap();
    assert_eq!(read(text), Some(ReadDate { at, assumed }), "{text}");
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
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read(&"1".repeat(100_000)), None);
    assert_eq!(read(&"(".repeat(99)), None);
}
