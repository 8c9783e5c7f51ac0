//! Entries that are as they were are not read again, and nothing but time shows it.

use std::sync::LazyLock;

use super::*;

/// One that is shown: its number, and how often it was edited.
type Shown = (u32, u32);

fn text(number: u32, edits: u32) -> String {
    let sentence =
        format!("<p>Shells fell on district {number} &amp; {edits} were hurt, it said.</p> ");
    sentence.repeat(9)
}

/// How the entries of a document are written.
#[derive(Clone, Copy, Debug)]
enum Form {
    Cdata,
    Escaped,
    Description,
    Atom,
    Json,
}

const FORMS: [Form; 5] = [Form::Cdata, Form::Escaped, Form::Description, Form::Atom, Form::Json];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn entry(form: Form, (number, edits): Shown) -> String {
    let (body, title) = (text(number, edits), format!("Report {number}"));
    let link = format!("https://wire.example/{number}");
    let rss = |body: &str| {
        format!(
            "<item><title>{title}</title><link>{link}</link><guid>{link}</guid>\
             <pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate><description>Teaser {number}</description>\
             {body}</item>"
        )
    };
    match form {
        Form::Cdata => rss(&format!("<content:encoded> <![CDATA[{body}]]>\n</content:encoded>")),
        Form::Escaped => rss(&format!("<content:encoded>{}</content:encoded>", escaped(&body))),
        Form::Description => rss("").replace(&format!("Teaser {number}"), &escaped(&body)),
        Form::Atom => format!(
            "<entry><id>{link}</id><title>{title}</title><link href=\"{link}\"/>\
             <updated>2026-03-01T10:0{edits}:00Z</updated><content type=\"html\">{}</content></entry>",
            escaped(&body)
        ),
        Form::Json => serde_json::json!({
            "id": link, "url": link, "title": title, "content_html": body,
        })
        .to_string(),
    }
}

fn document(form: Form, shown: &[Shown], more: &str) -> Answer {
    let entries: Vec<String> = shown.iter().map(|shown| entry(form, *shown)).collect();
    let text = match form {
        Form::Cdata | Form::Escaped | Form::Description => format!(
            "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel>\
             <title>Wire</title>{more}{}</channel></rss>",
            entries.concat()
        ),
        Form::Atom => format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:at=\"http://purl.org/atompub/tombstones/1.0\">\
             <title>Wire</title>{more}{}</feed>",
            entries.concat()
        ),
        Form::Json => format!(
            "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"Wire\",\"items\":[{}]}}",
            entries.join(",")
        ),
    };
    body_with(&text, None)
}

fn without_sources(state: &FeedState) -> UnpackedState {
    let mut state = state.unpack();
    state.memory.seen.forget_sources();
    state
}

/// What somebody sees of an outcome.
fn said(outcome: &Outcome) -> String {
    let Outcome { records, rejects, result, urgency, .. } = outcome;
    let UnpackedState { plan, memory } = without_sources(&outcome.state);
    format!("{records:#?} {rejects:#?} {result:#?} {urgency:?} {plan:#?} {memory:#?}")
}

/// Polls once for each answer, with everything that is remembered and without the sources; both must say the same. The steps
/// that the last poll took either way.
#[track_caller]
fn check(what: &str, answers: &[(Feed, Answer)]) -> [u64; 2] {
    static TAGGER: LazyLock<Tagger> = LazyLock::new(tagger);
    let [mut with, mut without] = [Arc::new(FeedState::default()), Arc::new(FeedState::default())];
    let mut spent = [0, 0];
    for (place, (feed, answer)) in answers.iter().enumerate() {
        let steps = [Steps::new(u64::MAX), Steps::new(u64::MAX)];
        let read = process_within(feed, answer, &with, &TAGGER, now(), &steps[0]);
        let all = process_within(feed, answer, &without, &TAGGER, now(), &steps[1]);
        // Also where an entry that seemed to be known is another, and all is read again.
        let [taken, whole] = [&steps[0], &steps[1]].map(Steps::spent);
        assert!(taken <= whole + whole / 2, "{what}, poll {place}: {taken} steps, {whole} for all");
        let (said_read, said_all) = (said(&read), said(&all));
        let mut lines = said_read.lines().zip(said_all.lines());
        let differs = lines.find(|(one, other)| one != other);
        assert!(said_read == said_all, "{what}, poll {place}: {differs:?}");
        with = read.state.clone();
        without = without_sources(&all.state).pack().into();
        spent = steps.map(|steps| steps.spent());
    }
    spent
}

fn each(answers: impl IntoIterator<Item = Answer>) -> Vec<(Feed, Answer)> {
    answers.into_iter().map(|answer| (feed(), answer)).collect()
}

#[test]
fn an_entry_that_is_as_it_was_is_not_read_and_says_the_same() {
    let known: Vec<Shown> = (0..30).map(|number| (number, 0)).collect();
    let next: Vec<Shown> = (30..32).map(|number| (number, 0)).chain(known.clone()).collect();
    for form in FORMS {
        let answers = each([document(form, &known, ""), document(form, &next, "")]);
        let [read, all] = check(&format!("{form:?}"), &answers);
        // A description is parsed like a teaser, and only what follows is spared.
        let percent = if matches!(form, Form::Description | Form::Json) { 90 } else { 80 };
        assert!(read * 100 < all * percent, "{form:?}: {read} steps instead of {all}");
    }
}

#[test]
fn whatever_changes_is_read() {
    let (one, two) = ((1, 0), (2, 0));
    for form in FORMS {
        let of = |shown: &[Shown]| document(form, shown, "");
        let histories: [(&str, Vec<Answer>); 7] = [
            ("edited", vec![of(&[one, two]), of(&[(1, 1), two]), of(&[(1, 2), two])]),
            ("edited and back", vec![of(&[one]), of(&[(1, 1), two]), of(&[one]), of(&[one, two])]),
            ("twice at once", vec![of(&[one, two]), of(&[(1, 1), two, one]), of(&[(1, 1), one])]),
            (
                "twice, and the old one stays",
                vec![of(&[one]), of(&[one, (1, 1)]), of(&[two, one, (1, 1)])],
            ),
            ("the same twice", vec![of(&[one, one]), of(&[one, one, two]), of(&[two, one, one])]),
            ("gone and back", vec![of(&[one, two]), of(&[two]), of(&[(3, 0)]), of(&[one, (3, 0)])]),
            ("in another order", vec![of(&[one, two]), of(&[two, one]), of(&[one, two, (3, 0)])]),
        ];
        for (what, answers) in histories {
            check(&format!("{form:?}, {what}"), &each(answers));
        }
    }
}

#[test]
fn an_entry_is_read_again_where_something_else_is_another() {
    let shown: [Shown; 3] = [(1, 0), (2, 0), (3, 0)];
    let shorter = Feed { text_chars_max: 100, ..feed() };
    let elsewhere = Feed { url: "https://other.example/rss.xml".parse().unwrap(), ..feed() };
    for form in FORMS {
        let (first, next) = (document(form, &shown[..2], ""), document(form, &shown, ""));
        check("settings", &[(feed(), first.clone()), (shorter.clone(), next.clone())]);
        let mut moved = next.clone();
        if let Answer::Body(body) = &mut moved {
            body.final_url = elsewhere.url.clone();
        }
        check("address", &[(feed(), first.clone()), (elsewhere.clone(), moved)]);
        let mut delta = document(form, &shown[1..], "");
        if let Answer::Body(body) = &mut delta {
            body.instance = Instance::Delta;
        }
        check("delta", &each([first, delta, next]));
    }
}

#[test]
fn marks_that_identify_nothing_any_more_let_entries_be_read() {
    let item = |guid: &str, number: u32| {
        let link = format!("https://wire.example/{number}");
        let own = entry(Form::Cdata, (number, 0));
        own.replace(
            &format!("<guid>{link}</guid>"),
            &format!("<guid isPermaLink=\"false\">{guid}</guid>"),
        )
    };
    let of = |items: &[String]| document(Form::Cdata, &[], &items.concat());
    check(
        "guid",
        &each([
            of(&[item("a", 1), item("b", 2)]),
            of(&[item("a", 3), item("a", 1), item("b", 2)]),
            of(&[item("a", 4), item("a", 3), item("a", 1)]),
        ]),
    );
    let live = |number: u32| {
        let own = entry(Form::Escaped, (number, 0));
        let link = format!("https://wire.example/{number}");
        own.replace(&format!("<guid>{link}</guid>"), "")
            .replace(&link, &format!("https://wire.example/live#{number}"))
    };
    check(
        "link",
        &each([of(&[live(1)]), of(&[live(2), live(1)]), of(&[live(3), live(2), live(1)])]),
    );
}

#[test]
fn what_was_taken_back_is_read_when_it_is_shown_again() {
    let gone = "<at:deleted-entry ref=\"https://wire.example/1\" when=\"2026-03-01T11:00:00Z\"/>";
    let shown = |more: &str, shown: &[Shown]| document(Form::Atom, shown, more);
    let answers = [
        shown("", &[(1, 0), (2, 0)]),
        shown(gone, &[(2, 0)]),
        shown("", &[(1, 0), (2, 0)]),
        shown("", &[(3, 0), (1, 0), (2, 0)]),
    ];
    check("deleted", &each(answers));
}

#[test]
fn what_stands_before_the_entries_is_part_of_what_they_say() {
    let shown: [Shown; 2] = [(1, 0), (2, 0)];
    let first = document(Form::Cdata, &shown, "");
    let changed = |from: &str, to: &str| {
        let Answer::Body(body) = &first else { panic!("a document") };
        let text = String::from_utf8(body.bytes.clone()).unwrap();
        assert!(text.contains(from));
        body_with(&text.replace(from, to), None)
    };
    for again in [
        changed("http://purl.org/rss/1.0/modules/content/", "urn:other"),
        changed("<rss ", "<rss xml:base=\"https://wire.example/a/\" "),
        changed("<channel>", "<channel xml:base=\"https://wire.example/b/\">"),
    ] {
        check("head", &each([first.clone(), again]));
    }
}
