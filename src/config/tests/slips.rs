//! Mistakes in a file: each is one problem, at its place, with what to write instead.

use super::*;

#[test]
fn a_dozen_mistakes_of_a_dozen_kinds_are_a_dozen_problems() {
    let text = r#"
feeds_from = ["missing.toml"]
[schedule]
interval_min = "5 parsecs"
backlog = "48"
[fetch]
timeout = 30
body_limit = "2GiB"
concurency = 4
[ledger]
kind = "kafca"
[tag
[colour]
[[feed]]
url = "htp://example.org/rss"
country = "UK"
"#;
    let written = written(&[("a.toml", text)]);
    let variables = [("CONFLICTWIRE__FETCH__TIMOUT", "20s")];
    let ConfigError(found) = written.load(&variables).unwrap_err();
    let directory = format!("{}/", written.directory.path().display());
    let lines: Vec<String> = found
        .iter()
        .map(|problem| {
            let place = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}{place} {}: {}", problem.file, problem.key, problem.text)
                .replace(&directory, "")
        })
        .collect();
    let expected = [
        "a.toml:2 feeds_from[0]: \"missing.toml\" cannot be read: No such file or directory (os error 2)",
        "a.toml:4 schedule.interval_min: \"5 parsecs\" is not a duration; use for example \"20s\", \"5m\", \"1h 30m\" or \"2d\"",
        "a.toml:5 schedule.backlog: \"48\" is no backlog; use \"all\", \"none\" or an age such as \"48h\"",
        "a.toml:7 fetch.timeout: 30 is a number; use text in quotes, for example \"30s\"",
        "a.toml:8 fetch.body_limit: 2GiB is too large; use 1KiB to 1GiB",
        "a.toml:9 fetch.concurency: is not a known key; did you mean \"concurrency\"?",
        "a.toml:11 ledger.kind: \"kafca\" is not known; use \"sqlite\", \"kafka\" or \"json_lines\"",
        "a.toml:12 : column 5 is not TOML: unclosed table, expected `]`",
        "a.toml:13 colour: is not a known key; known here: admin, feed, feeds_from, fetch, kafka, ledger, log, normalise, parse, run, schedule, sqlite, tag, telemetry, websub",
        "a.toml:15 feed[0].url: \"htp://example.org/rss\" has scheme \"htp\"; use http or https",
        "a.toml:16 feed[0].country: \"UK\" is not a country code; the United Kingdom is \"GB\"",
        "environment CONFLICTWIRE__FETCH__TIMOUT: is not a known key; did you mean CONFLICTWIRE__FETCH__TIMEOUT?",
    ];
    assert_eq!(lines, expected, "{lines:#?}");
}

#[test]
fn one_mistake_is_one_problem() {
    check_problem(
        "[schedule]\ninterval_min = 7200\ninterval_max = \"1m\"",
        "schedule.interval_min: 7200 is a number; use text in quotes, for example \"5m\"",
    );
    check_problem(
        "[schedule]\ninterval_max = \"soon\"",
        "schedule.interval_max: \"soon\" is not a duration; use for example \"20s\", \"5m\", \
         \"1h 30m\" or \"2d\"",
    );
    check_problem("[[feed]]\nurl = 7", "feed[0].url: 7 is a number; use text in quotes");
    check_problem("feed = [5]", "feed[0]: 5 is a number; use a table in braces");
    check_problem(
        "[fetch]\nconcurrency = 99999999999999999999",
        "fetch.concurrency: 99999999999999999999 is beyond any number here; use less",
    );
    check_problem("[tag]\nthreshold = nan", "tag.threshold: NaN is out of range; use 0 to 1");
}

#[test]
fn every_slip_of_syntax_is_reported_at_its_place() {
    let text = "[fetch]\ntimeout = 30s\n[tag]\nthreshold = 0.5\nthreshold = 0.6\n";
    let ConfigError(found) = load_text(text, &[]).unwrap_err();
    let lines: Vec<_> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(2), Some(5)], "{found:#?}");
    assert!(found[1].text.contains("duplicate key"), "{}", found[1].text);
}

#[test]
fn what_follows_from_a_slip_is_not_reported() {
    let text = "feeds_from = [\"a.toml\"\n[fetch]\ntimeout = \"1x\"\n";
    let ConfigError(found) = load_text(text, &[]).unwrap_err();
    assert_eq!((found.len(), found[0].line), (1, Some(2)), "{found:#?}");
    let ConfigError(found) = load_text(&format!("a = {}", "[".repeat(10_000)), &[]).unwrap_err();
    assert!(found.len() <= 3, "{found:#?}");
}

#[test]
fn one_table_and_many_are_told_apart() {
    check_problem(
        "[feed]\nurl = \"https://a.b/\"",
        "feed: [feed] is a table; use [[feed]] for each",
    );
    check_problem("[[fetch]]", "fetch: [[fetch]] is a list; use one table, [fetch]");
}

#[test]
fn a_file_may_be_so_large_and_no_larger() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(FILE_BYTES_MAX).unwrap();
    assert!(read_file(file.path(), &FilesRead::default()).is_ok());
    file.as_file().set_len(FILE_BYTES_MAX + 1).unwrap();
    assert_eq!(
        read_file(file.path(), &FilesRead::default()).unwrap_err().to_string(),
        "is larger than 64MiB; split it"
    );
}

#[test]
fn a_file_that_is_no_text_is_one_problem() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.toml");
    std::fs::write(&path, b"[fetch]\n\xff\xfe").unwrap();
    let home = [HOME].into_iter().collect();
    let ConfigError(found) =
        load_with(Some(&path), &home, built_in(), &FilesRead::default(), None).unwrap_err();
    assert_eq!((found.len(), found[0].line), (1, Some(2)), "{found:#?}");
    let missing = directory.path().join("b.toml");
    let ConfigError(found) =
        load_with(Some(&missing), &home, built_in(), &FilesRead::default(), None).unwrap_err();
    assert!(found.len() == 1 && found[0].text.starts_with("cannot be read"), "{found:#?}");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read_over() {
    let config = fine("\u{feff}[fetch]\r\ntimeout = \"5s\"\r\n");
    assert_eq!(config.fetch.timeout, Duration::from_secs(5));
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    for (text, hint) in [
        ("[fetch]\ntimout = \"1s\"", "fetch.timout: is not a known key; did you mean \"timeout\"?"),
        ("timeout = \"1s\"", "timeout: is not a known key; did you mean \"fetch.timeout\"?"),
        ("[shedule]", "shedule: is not a known key; did you mean \"schedule\"?"),
        ("[log]\ncolour = 1", "log.colour: is not a known key; known here: format, level"),
        (
            "[[feed]]\nurl = \"https://a.b/\"\nlang = \"en\"",
            "feed[0].lang: is not a known key; known here: allow_private_networks, articles_per_day, backlog, bytes_per_day, country, enabled, fulltext, headers, headers_file, http, id, interval, labels, language, proxy, publisher, query, redirects, roots_file, url, user_agent",
        ),
    ] {
        check_problem(text, hint);
    }
}
