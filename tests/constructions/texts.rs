//! What an entry's text may hold: HTML.

use super::{Construction, many, numbered};

/// Texts that ask much of whoever makes plain text of them, or codes it.
pub(crate) const TEXTS: &[Construction] = &[
    // Ordinary, to compare with.
    ("prose of war", |n| {
        many(
            "<p>An air strike killed at least 12 people, including three children, in a village near \
             the border on Tuesday, officials said, while rescuers searched the ruins.</p> ",
            n,
        )
    }),
    ("prose of peace", |n| {
        many(
            "<p>The city council approved a budget that adds some buses and repairs two bridges before \
             winter, and the orchestra will open its new hall in the spring.</p> ",
            n,
        )
    }),
    // Words, numbers and phrases.
    ("one happening", |n| many("killed ", n)),
    ("happenings and numbers", |n| many("12 killed ", n)),
    ("numbers", |n| many("12 ", n)),
    ("numbers in words", |n| many("one hundred and two thousand ", n)),
    ("ranges", |n| many("between 10 and 12 to 15 ", n)),
    ("persons", |n| many("a soldier and ", n)),
    ("parts of numbers", |n| many("12 people, including a man and a boy, ", n)),
    ("a number far from what happened", |n| many("12 people the the the the the the killed, ", n)),
    ("scopes", |n| many("not killed 2, could kill 3 in 2014, total rose ", n)),
    ("denials", |n| many("no one was reportedly ", n)),
    ("nothing but auxiliaries", |n| many("were ", n)),
    ("one term", |n| many("air strike ", n)),
    ("terms of many sets", |n| many("rebels attacked troops with rockets in the village ", n)),
    ("terms and cues", |n| many("no attack exercise ceasefire anniversary attack denied ", n)),
    ("every domain", |n| many("match striker shot goal strike union film game earthquake ", n)),
    // Words that are none.
    ("one letter a word", |n| many("a ", n)),
    ("one word", |n| many("x", n)),
    ("one word of digits", |n| many("1,", n) + "1"),
    ("dotted letters", |n| many("U.N.", n)),
    ("apostrophes", |n| many("o'", n) + "o"),
    ("accented letters", |n| many("é", n)),
    ("signs without spaces", |n| many("空爆", n)),
    ("different words", |n| numbered(|number| format!("w{number} "), n)),
    // Sentences and clauses.
    ("short sentences", |n| many("a. ", n)),
    ("clauses", |n| many("a, ", n)),
    ("paragraphs", |n| many("a<p>", n)),
    ("brackets", |n| many("((((", n)),
    ("dashes", |n| many("- ", n)),
    // Marks.
    ("combining marks on one letter", |n| format!("a{}", many("\u{301}", n))),
    ("combining marks out of order", |n| format!("a{}", many("\u{301}\u{316}", n))),
    ("letters to compose", |n| many("e\u{302}\u{301}", n)),
    ("Hangul to compose", |n| many("\u{1112}\u{1161}\u{11AB}", n)),
    ("letters that decompose to many", |n| many("\u{FDFA}\u{1F82}", n)),
    ("marks of direction", |n| many("\u{202E}a", n)),
    ("joiners", |n| many("\u{0628}\u{200D}", n)),
    ("nothing visible", |n| many("\u{200B}", n)),
    // Markup.
    ("tags", |n| many("<b>", n)),
    ("unknown tags", |n| many("<abcdefg>", n)),
    ("nested blocks", |n| many("<div>", n / 2) + &many("</div>", n / 2)),
    ("nested lists", |n| many("<ul><li>a", n)),
    ("nested tables", |n| many("<table><tr><td>a", n)),
    ("nested quotations", |n| many("<blockquote>a ", n)),
    ("captions never closed", |n| many("<figcaption>a", n)),
    ("skipped in skipped", |n| many("<svg><svg></svg>a", n)),
    ("scripts never closed", |n| many("<script></scrip", n)),
    ("titles that nearly end", |n| format!("<title>{}", many("</title", n))),
    ("comments never closed", |n| many("<!--", n)),
    ("comments", |n| many("<!-->", n)),
    ("sections never closed", |n| many("<![CDATA[", n)),
    ("less-than signs", |n| many("<", n)),
    ("tags never closed", |n| many("<a ", n)),
    ("attributes", |n| format!("<p {}>", numbered(|number| format!("a{number}='b' "), n))),
    ("quotes never closed", |n| many("<a b=\"", n)),
    ("links", |n| many("<a href=\"https://a.example/\">a</a>", n)),
    ("pictures", |n| many("<img src=\"https://a.example/b.jpg\">", n)),
    ("ampersands", |n| many("&", n)),
    ("references", |n| many("&amp;", n)),
    ("old references", |n| many("&notit", n)),
    ("references to nothing", |n| many("&nosuchreference;", n)),
    ("numbers of characters", |n| many("&#x301;", n)),
];
