//! Simulated publishers that edit their articles and change what they are known by: nothing is told twice, and
//! nothing is merged.

use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// What a publisher does between two polls.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Writes an article.
    Add,
    /// Gives one of its articles another text, and the headline another word.
    Edit(usize),
    /// Moves between `http` and `https`.
    Scheme,
    /// Moves between its name and `www.` before it.
    Alias,
    /// Counts readers by other parameters.
    Tracking,
    /// Gives its articles identifiers of another kind.
    Guids,
    /// Moves to other software, which gives all its articles other identifiers and other pages, and perhaps
    /// writes another article meanwhile.
    Software { writes: bool },
    /// Lists the same in another order.
    Reverse,
    /// Serves what it served before.
    Nothing,
}

/// One article as it is served now.
#[derive(Clone, Debug)]
struct Listed {
    number: usize,
    edits: u32,
    /// What no other text of this publisher says.
    text: u32,
}

#[derive(Debug, Default)]
struct Publisher {
    articles: Vec<Listed>,
    texts: u32,
    /// How often it changed each of these.
    schemes: u32,
    aliases: u32,
    orders: u32,
    tracking: u32,
    guids: u32,
    software: u32,
    /// How many articles beside each other bear one identifier, where identifiers identify nothing.
    shared: usize,
}

impl Publisher {
    /// Does it; what the next poll must publish of it: headline and revision.
    fn act(&mut self, act: Act) -> Option<(String, u32)> {
        match act {
            Act::Add => {
                self.texts += 1;
                let number = self.articles.len();
                self.articles.push(Listed { number, edits: 0, text: self.texts });
                self.articles.last().map(|article| (title(article), 1))
            }
            Act::Edit(which) => {
                self.texts += 1;
                let count = self.articles.len();
                let article = self.articles.get_mut(which % count.max(1))?;
                (article.edits, article.text) = (article.edits + 1, self.texts);
                Some((title(article), article.edits + 1))
            }
            Act::Scheme => changed(&mut self.schemes),
            Act::Alias => changed(&mut self.aliases),
            Act::Reverse => changed(&mut self.orders),
            Act::Tracking => changed(&mut self.tracking),
            Act::Guids => changed(&mut self.guids),
            Act::Software { writes } => {
                self.software += 1;
                writes.then(|| self.act(Act::Add)).flatten()
            }
            Act::Nothing => None,
        }
    }

    fn document(&self) -> Answer {
        let scheme = if self.schemes.is_multiple_of(2) { "http" } else { "https" };
        let host = if self.aliases.is_multiple_of(2) { "wire.example" } else { "www.wire.example" };
        let mut items: Vec<String> = Vec::new();
        for article in self.articles.iter().rev() {
            let Listed { number, text, .. } = article;
            let page = match self.software {
                0 => format!("{scheme}://{host}/news/{number}"),
                times => format!("{scheme}://{host}/article/{times}00{number}-5f0c-8e7a"),
            };
            let guid = match (self.shared > 0, self.guids % 4) {
                (true, _) => format!("group-{}-{}", self.software, number / self.shared),
                (false, 0) => format!("{scheme}://{host}/?p={number}{}", self.software),
                (false, 1) => format!("tag:wire.example,2026:{number}-{}", self.software),
                (false, 2) => page.clone(),
                (false, _) => format!("urn:item:{number}-{}", self.software),
            };
            let mut item = format!(
                "<item><title>{}</title><link>{page}?utm_source=rss{}</link><guid isPermaLink=\"false\">{guid}</guid>",
                title(article),
                self.tracking
            );
            let words = (0..12).map(|word| format!("word{text}of{word}")).collect::<Vec<_>>();
            write!(item, "<description>{}</description>", words.join(" ")).unwrap();
            if number % 2 == 1 {
                let day = number % 28 + 1;
                write!(item, "<pubDate>{day:02} Jan 2026 10:00:00 GMT</pubDate>").unwrap();
            }
            item.push_str("</item>");
            items.push(item);
        }
        if self.orders % 2 == 1 {
            items.reverse();
        }
        let items = items.concat();
        body_with(
            &format!("<rss version=\"2.0\"><channel><title>W</title>{items}</channel></rss>"),
            None,
        )
    }
}

/// Changes something that no poll publishes.
fn changed(times: &mut u32) -> Option<(String, u32)> {
    *times += 1;
    None
}

fn title(article: &Listed) -> String {
    format!("Report {} of {}", article.number, article.text)
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Add),
        3 => (0..8_usize).prop_map(Act::Edit),
        1 => Just(Act::Scheme),
        1 => Just(Act::Alias),
        1 => Just(Act::Tracking),
        1 => Just(Act::Guids),
        1 => any::<bool>().prop_map(|writes| Act::Software { writes }),
        1 => Just(Act::Reverse),
        1 => Just(Act::Nothing),
    ]
}

/// What each poll after the first published and must publish, sorted.
fn history(mut publisher: Publisher, acts: &[Act]) -> Vec<[Vec<(String, u32)>; 2]> {
    // Making one takes longer than all polls of a history.
    static TAGGER: LazyLock<Tagger> = LazyLock::new(tagger);
    let (feed, tagger) = (feed(), &*TAGGER);
    (0..4).for_each(|_| drop(publisher.act(Act::Add)));
    let first = process(&feed, &publisher.document(), &FeedState::default(), tagger, now());
    let mut state = first.state;
    let mut history = Vec::new();
    for act in acts {
        let expected = publisher.act(*act);
        let outcome = process(&feed, &publisher.document(), &state, tagger, now());
        let mut published = titles(&outcome);
        published.sort();
        // A restart reads what the ledger holds.
        let written = outcome.state.written().unwrap();
        state = Arc::new(FeedState::parse(written.as_bytes()).unwrap());
        history.push([published, expected.into_iter().collect()]);
    }
    history
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn a_publisher_that_changes_its_marks_tells_nothing_twice(
        acts in prop::collection::vec(act(), 1..12),
    ) {
        for [published, expected] in history(Publisher::default(), &acts) {
            prop_assert_eq!(published, expected, "{:?}", acts);
        }
    }

    #[test]
    fn articles_that_share_an_identifier_are_not_merged(
        acts in prop::collection::vec(act(), 1..12),
        shared in 2..4_usize,
    ) {
        let publisher = Publisher { shared, ..Publisher::default() };
        for [published, expected] in history(publisher, &acts) {
            prop_assert_eq!(published, expected, "{:?}", acts);
        }
    }
}
