//! The tagger as a whole: what it must find, what it must leave alone, and how well it does on the
//! labelled sentences in `tests/fixtures/tagging`.

use std::sync::LazyLock;

use cw_model::{Casualties, CasualtyKind, CasualtyScope, ClaimStatus, Evidence, Field};
use serde::Deserialize;

use super::*;

/// The threshold of the default configuration.
const THRESHOLD: f64 = 0.5;

/// The built-in tagger, compiled once for all tests.
fn tagger() -> &'static Tagger {
    static TAGGER: LazyLock<Tagger> = LazyLock::new(|| {
        Tagger::new(&Sources::built_in(), THRESHOLD).unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())
        })
    });
    &TAGGER
}

/// A tagger with this lexicon alone, and no actors.
fn with_lexicon(name: &str, text: &str) -> Result<Tagger, Vec<LexiconProblem>> {
    let lexicon = Source { name: name.to_owned(), text: text.to_owned() };
    let sources = Sources { lexicons: vec![lexicon], actors: Vec::new(), ..Sources::built_in() };
    Tagger::new(&sources, THRESHOLD)
}

/// Whatever it costs.
fn code_with(tagger: &Tagger, texts: Texts<'_>, language: Option<&str>) -> Option<Coding> {
    tagger.code(texts, language, &Steps::new(u64::MAX)).unwrap()
}

fn code(title: &str, body: &str) -> Coding {
    let coding =
        code_with(tagger(), Texts { title, body, ..Texts::default() }, Some("en")).unwrap();
    check_evidence(&coding, title, body);
    coding
}

/// Every span says exactly what stands there.
#[track_caller]
fn check_evidence(coding: &Coding, title: &str, body: &str) {
    let of_tags = coding.tags.iter().map(|tag| &tag.evidence);
    let of_casualties = coding.casualties.iter().flatten().map(|casualties| &casualties.evidence);
    for spans in of_tags.chain(of_casualties) {
        assert!(!spans.is_empty());
        for Evidence { field, start, end, text } in spans {
            let whole = match field {
                Field::Title => title,
                Field::Summary => "",
                Field::Body => body,
            };
            let cut: String = whole.chars().skip(*start).take(end - start).collect();
            assert_eq!(&cut, text);
        }
    }
}

fn casualties(coding: &Coding) -> &[Casualties] {
    coding.casualties.as_deref().unwrap()
}

fn flags(coding: &Coding) -> &[String] {
    coding.flags.as_deref().unwrap()
}

fn ids(coding: &Coding) -> Vec<&str> {
    coding.tags.iter().map(|tag| tag.id.as_str()).collect()
}

#[test]
fn the_built_in_sources_have_no_problems() {
    let sources = Sources::built_in();
    let (taxonomy, problems) = Taxonomy::read(&sources.taxonomy);
    assert_eq!(problems, []);
    for (language, sources) in sources.by_language() {
        if let Err(problems) = Language::new(&language, &sources, &taxonomy) {
            panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled {
    sentence: Vec<LabelledSentence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelledSentence {
    id: String,
    text: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    may: Vec<String>,
}

/// Right, wrong and missed.
#[derive(Default)]
struct Count {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Count {
    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }
}

/// Run with `--nocapture` to read the table.
#[test]
fn the_labelled_sentences_are_tagged_as_a_reader_would() {
    let text = include_str!("../../tests/fixtures/tagging/en.toml");
    let labelled: Labelled = toml::from_str(text).unwrap();
    let tagger = tagger();
    let (mut tags, mut relevance) = (Count::default(), Count::default());
    println!("{:28} {:44} found", "sentence", "wanted");
    for sentence in &labelled.sentence {
        let texts = Texts { body: &sentence.text, ..Texts::default() };
        let coding = code_with(tagger, texts, Some("en")).unwrap();
        check_evidence(&coding, "", &sentence.text);
        let found = ids(&coding);
        let is_wanted = |id: &&&str| sentence.tags.iter().any(|tag| tag == **id);
        let is_wrong = |id: &&&str| !is_wanted(id) && !sentence.may.iter().any(|tag| tag == **id);
        let count = |count: usize| u32::try_from(count).unwrap();
        let right = count(found.iter().filter(is_wanted).count());
        tags.right += right;
        tags.wrong += count(found.iter().filter(is_wrong).count());
        tags.missed += count(sentence.tags.len()) - right;
        match (sentence.tags.is_empty(), coding.relevant) {
            (false, true) => relevance.right += 1,
            (false, false) => relevance.missed += 1,
            (true, true) => relevance.wrong += 1,
            (true, false) => {}
        }
        let wanted = sentence.tags.join(" ");
        println!("{:28} {wanted:44} {found:?} {:?}", sentence.id, coding.flags);
    }
    for (name, count) in [("tags", &tags), ("relevance", &relevance)] {
        let (precision, recall) = (count.precision(), count.recall());
        println!("{name:10} precision {precision:.3} recall {recall:.3}");
        assert!(precision >= 0.9, "{name}: precision {precision:.3}");
        assert!(recall >= 0.6, "{name}: recall {recall:.3}");
    }
}

const TRUCE_TITLE: &str = "Minister proposes ceasefire from March 1 as strikes hit hospitals";

/// The shape of a real story: who proposes what, talks, strikes, rebels, convoys, and a toll of the
/// whole war as background. The country does not exist.
const TRUCE_BODY: &str = "Veskar's foreign minister has proposed a ceasefire in Tormania to begin on \
    March 1, diplomats said on Thursday, but the Orlan delegation insisted that it should start at \
    once.\n\nNegotiators from both countries were meeting in Geneva on the fringes of peace talks \
    that were suspended last week.\n\nTwo hospitals were hit by air strikes on Wednesday in the north \
    of the country, a medical charity said. Rebels north of the city of Adel said warplanes had \
    carried out dozens of raids on their positions.\n\nAid convoys reached five besieged towns with \
    food and medicine, the United Nations said.\n\nMore than a quarter of a million people have been \
    killed in five years of war.";

#[test]
fn a_story_of_a_truce_gets_its_tags_and_its_toll_is_background() {
    let coding = code(TRUCE_TITLE, TRUCE_BODY);
    let found = ids(&coding);
    for wanted in
        ["peace.ceasefire", "peace.talks", "strike.air", "civilian.health", "humanitarian.aid"]
    {
        assert!(found.contains(&wanted), "{wanted} is not in {found:?}");
    }
    let toll = casualties(&coding).iter().find(|count| count.low == Some(250_000)).unwrap();
    assert_eq!(
        (toll.kind, toll.scope, toll.high),
        (CasualtyKind::Killed, CasualtyScope::Background, None)
    );
    assert!(coding.relevant);
}

#[test]
fn the_same_story_in_other_words_gets_the_same_tags() {
    let body = "Russia proposed on Thursday that a truce in Syria's civil war should begin on March 1, \
        but Washington wants the fighting to stop immediately, Western officials said before a meeting \
        of foreign ministers in Munich. Negotiations in Geneva broke up earlier this month after \
        government troops, backed by air strikes, advanced on rebels north of Aleppo. A monitoring \
        group said two hospitals had been bombed from the air. The plan includes access for \
        humanitarian convoys. Over 250,000 people have died in the five-year conflict.";
    let coding = code("Powers seek halt to fighting", body);
    let found = ids(&coding);
    for wanted in
        ["peace.ceasefire", "peace.talks", "strike.air", "civilian.health", "humanitarian.aid"]
    {
        assert!(found.contains(&wanted), "{wanted} is not in {found:?}");
    }
    let toll = casualties(&coding).iter().find(|count| count.low == Some(250_000)).unwrap();
    assert_eq!(toll.scope, CasualtyScope::Background);
}

#[test]
fn a_football_report_full_of_war_words_gets_nothing() {
    let body = "The champions survived a late siege to keep their title defence alive in a battle of a \
        derby. Their attack was blunted until the striker, back from injury, struck with a ferocious \
        shot just before half time. The visitors bombarded the penalty area after the break, launched \
        one last assault and hit the post, but a heroic defence held out under fire. Two players were \
        injured and the goalkeeper was sent off for an ambush on the winger in the second half. The \
        manager called it a massacre that never was.";
    let coding = code("Rovers win the battle after late siege", body);
    assert_eq!(ids(&coding), Vec::<&str>::new());
    assert!(!coding.relevant);
    assert_eq!(flags(&coding), ["sport"]);
    assert_eq!(coding.casualties, None, "not read");
}

#[test]
fn a_real_attack_on_a_stadium_is_not_vetoed() {
    let body = "A suicide bomber killed at least 14 people outside the national football stadium during \
        a league match. No group has claimed responsibility for the terrorist attack.";
    let coding = code("Suicide bomber strikes at football stadium", body);
    assert!(ids(&coding).contains(&"strike.suicide"), "{:?}", ids(&coding));
}

#[test]
fn what_is_denied_is_a_claim_and_what_is_not_there_has_no_score() {
    let coding = code("", "The army denied carrying out an air strike.");
    assert_eq!(ids(&coding), ["strike.air"]);
    assert_eq!(coding.tags[0].claim.as_ref().unwrap().status, ClaimStatus::Denied);
    assert_eq!(flags(&coding), ["negated"]);
    let coding = code("", "There has been no ceasefire.");
    assert_eq!(flags(&coding), ["negated"]);
}

#[test]
fn who_speaks_stands_in_the_clause_of_what_is_said() {
    let by = |title: &str| {
        let coding = code(title, "");
        coding.tags.first().and_then(|tag| tag.claim.clone()).unwrap().by
    };
    let ukraine = Some("state.ua".to_owned());
    assert_eq!(by("Rebels shelled Adel, killing nine, Ukraine says"), ukraine);
    assert_eq!(by("Ukraine shelled a hospital in Adel, choristers say"), None);
    let medics = Some("organisation.medics".to_owned());
    assert_eq!(by("Ukraine shelled a hospital in Adel, doctors say"), medics);
    // Who says so may stand after the verb, and may be bound to a place by a preposition.
    assert_eq!(by("Rebels shelled Adel, killing nine, says Ukraine"), ukraine);
    let police = Some("service.police".to_owned());
    assert_eq!(by("Rebels shelled Adel, killing nine, police in Ukraine say"), police);
    assert_eq!(by("Nine killed in air strike on Adel: police"), police);
    // Whom an act is blamed on does not say so.
    assert_eq!(by("Nine killed in air strike on Adel blamed on Ukraine"), None);
    // The form of a headline says whose words it is; a state before a colon is where it happened.
    let hamas = Some("group.hamas".to_owned());
    assert_eq!(by("Hamas: nine killed in Israeli air strike"), hamas);
    assert_eq!(by("Nine killed in air strike on Adel: Hamas"), hamas);
    assert_eq!(by("Nine killed in air strike on Adel – Hamas"), hamas);
    assert_eq!(by("Kremlin: nine killed in air strike on Adel"), Some("state.ru".to_owned()));
    assert_eq!(by("Ukraine: nine killed in air strike on Adel"), None);
    assert_eq!(by("Nine killed in air strike near Hamas office"), None);
}

#[test]
fn who_is_named_in_the_name_of_a_place_is_not_meant() {
    let coding = code("North Korea fires two ballistic missiles into the Sea of Japan", "");
    let actors: Vec<&str> = coding.actors.iter().flatten().map(|one| one.id.as_str()).collect();
    assert_eq!(actors, ["state.kp"]);
}

#[test]
fn what_rebels_take_is_no_gain_of_a_state() {
    let taken = code("Boko Haram fighters seize the town of Adel", "");
    let of_territory: Vec<&str> =
        ids(&taken).into_iter().filter(|id| id.starts_with("territory")).collect();
    assert_eq!(of_territory, ["territory.rebel_gain"]);
    assert_eq!(ids(&code("Nigerian troops retake the town of Adel", "")), ["territory.state_gain"]);
    // Nor is what they lose one of theirs.
    let lost = code(
        "Rebels lose ground north of Adel",
        "Insurgents lost control of the road to the airport.",
    );
    let found = ids(&lost);
    assert!(found.contains(&"territory.state_gain"), "{found:?}");
    assert!(!found.contains(&"territory.rebel_gain"), "{found:?}");
}

#[test]
fn the_enemy_at_the_head_of_a_phrase_says_whose_word_it_is() {
    let coding = code(
        "",
        "Enemy losses in the sector came to 310 servicemen, four tanks and two howitzers.",
    );
    let claims = coding.tags.iter().filter_map(|tag| tag.claim.as_ref());
    assert!(claims.map(|claim| claim.status).any(|status| status == ClaimStatus::Claimed));
}

#[test]
fn what_is_done_to_a_march_is_told_before_the_march() {
    let title = "Police open fire on protesters at protest march";
    let coding = code(
        title,
        "Protesters marched in protest. The protest march was the third. Protesters sang.",
    );
    let ids = ids(&coding);
    let place = |id: &str| ids.iter().position(|one| *one == id);
    assert!(place("unrest.crackdown").unwrap() < place("unrest.protest").unwrap(), "{ids:?}");
}

#[test]
fn exercises_and_anniversaries_weigh_less_and_are_flagged() {
    let now = code("", "Air strikes hit the port.");
    let exercise = code("", "Air strikes hit a mock port during the exercise.");
    let past = code("", "Veterans marked the anniversary of the air strikes on the port.");
    assert!(flags(&exercise).contains(&"exercise".to_owned()), "{:?}", exercise.flags);
    assert!(flags(&past).contains(&"anniversary".to_owned()), "{:?}", past.flags);
    let score = |coding: &Coding| coding.tags.first().map_or(0.0, |tag| tag.score);
    assert!(score(&exercise) < score(&now) && score(&past) < score(&now));
}

#[test]
fn case_hyphens_and_accents_make_no_difference() {
    for text in ["AIR STRIKES hit the town", "Air-strikes hit the town", "airstrikes hit the town"]
    {
        assert_eq!(ids(&code("", text)).first(), Some(&"strike.air"), "{text}");
    }
    assert_eq!(ids(&code("", "Officers stage a coup d’état in Niamey")), ["unrest.coup"]);
}

#[test]
fn the_model_sees_that_a_year_is_long_past() {
    let buckets = |title: &str| {
        let texts = Texts { title, ..Texts::default() };
        let learnable = tagger().features(texts, "en", &Steps::new(u64::MAX)).unwrap();
        learnable.unwrap().buckets.len()
    };
    let now = buckets("Ringers met in the tower in May 2026");
    assert_eq!(buckets("Ringers met in the tower in May 1968"), now + 1);
    assert_eq!(buckets("Ringers met in the tower in May 1938"), now + 1);
}

#[test]
fn the_model_knows_something_of_words_that_it_was_not_trained_on() {
    let score = |title: &str| code(title, "").score.unwrap();
    let of_war = score("A cannonade, then fusillades and salvos: troops at the frontier");
    let of_peace = score("A marmalade, then orchids and quilts: troops at the frontier");
    assert!(of_war > 3.0 * of_peace, "{of_war} {of_peace}");
}

#[test]
fn what_only_the_model_finds_is_called_by_its_kind_where_that_is_plain() {
    let title = "Staff burn papers in the courtyard as the consulate is told to close by Friday";
    let coding = code(title, "");
    assert_eq!(ids(&coding), ["pressure.rupture"]);
    check_evidence(&coding, title, "");
}

#[test]
fn a_short_word_is_no_evidence_alone() {
    let document = |title| {
        let texts = Texts { title, ..Texts::default() };
        Document::new(texts, &Default::default(), &Steps::new(u64::MAX)).unwrap()
    };
    let around = |title, words| telling(words, &document(title));
    assert_eq!(around("A shepherd lost a leg in a field of mines", 5..6), 3..8);
    assert_eq!(around("In a field of mines", 0..1), 0..3);
    assert_eq!(around("A shepherd lost a leg. In a field", 5..6), 5..8);
    assert_eq!(around("A shepherd lost a leg", 1..2), 1..2);
}

#[test]
fn more_evidence_never_lowers_a_score() {
    let base = "Air strikes hit the town and killed six people.";
    let more = [" Warplanes bombed the bridge.", " Air strikes went on at night.", " It rained."];
    let score = |text: &str| {
        code("", text).tags.iter().find(|tag| tag.id.as_str() == "strike.air").unwrap().score
    };
    for addition in more {
        assert!(score(&format!("{base}{addition}")) >= score(base), "{addition}");
    }
}

#[test]
fn spans_count_code_points_in_any_script() {
    let coding = code(
        "Zürich – “naïve” 空 Ünïted: AIR‑STRIKES",
        "Ça va? 🕊️ A cease-fire’s near, é\u{301}. Shelling.",
    );
    assert!(ids(&coding).contains(&"strike.air"), "{:?}", ids(&coding));
    assert!(ids(&coding).contains(&"peace.ceasefire"), "{:?}", ids(&coding));
}

#[test]
fn a_language_without_a_lexicon_is_not_coded() {
    let tagger = tagger();
    let texts = Texts { body: "Air strikes hit the town.", ..Texts::default() };
    for language in [None, Some("de"), Some(""), Some("eng")] {
        assert!(code_with(tagger, texts, language).is_none(), "{language:?}");
    }
    for language in ["en", "EN", "en-GB", "en_US"] {
        assert!(code_with(tagger, texts, Some(language)).is_some(), "{language}");
    }
}

#[test]
fn the_lexicon_names_itself_by_content() {
    let mut sources = Sources::built_in();
    let name = |sources: &Sources| {
        let tagger = Tagger::new(sources, THRESHOLD).unwrap();
        code_with(&tagger, Texts::default(), Some("en")).unwrap().lexicon
    };
    let before = name(&sources);
    assert!(
        before.starts_with("en/1 ") && before.len() == "en/1 ".len() + DIGEST_DIGITS,
        "{before}"
    );
    sources.lexicons[0].text.push_str("# a comment\n");
    assert_ne!(before, name(&sources));
}

#[test]
fn every_mistake_in_a_lexicon_is_reported() {
    let text = "format = 1\nlanguage = \"English\"\nversion = 1\n\
        [veto]\nresisting = [\"sport\"]\nbar = 0.9\n\
        [[tag]]\nid = \"strike.airr\"\n\
        [[tag]]\nid = \"strike.air\"\nneeds = [\"@nothing\"]\n\
        terms = [{ weight = 1.5, any = [\"air strike\", \"air-strike\"] }]\n\
        combinations = [{ weight = 0.5, all = [\"one\"], within = 3 }]\n";
    let shown = |text: &str| {
        let problems = with_lexicon("mine.toml", text).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let expected = [
        "mine.toml:1: language: \"English\" is not an ISO 639 code; use one like \"en\"",
        "mine.toml:4: veto.resisting: no tag \"sport\" in the taxonomy",
        "mine.toml:7: tag \"strike.airr\": not in the taxonomy; did you mean \"strike.air\"?",
        "mine.toml:9: tag \"strike.air\": there is no set \"nothing\"",
        "mine.toml:12: tag \"strike.air\": \"air strike\" is given twice (\"air-strike\")",
        "mine.toml:12: tag \"strike.air\": 1.5 is not between 0 and 1",
        "mine.toml:13: tag \"strike.air\": a combination needs at least two parts in \"all\"",
    ];
    assert_eq!(shown(text), expected);
    let with_more = shown(&format!("{text}colour = 1\n"));
    let (colour, others) = with_more.split_last().unwrap();
    assert_eq!(others, expected, "what does not fit hides nothing");
    assert!(
        colour.starts_with("mine.toml:14: \"colour\" is not a known key; known here: id, needs"),
        "{colour}"
    );
}

#[test]
fn what_a_lexicon_cannot_find_is_not_said_to_be_absent() {
    let rules = |language: &str, more: &str| {
        let text = format!(
            "format = 1\nlanguage = \"{language}\"\nversion = 1\n[veto]\nresisting = []\n\
             bar = 0.9\n{more}[[tag]]\nid = \"strike.air\"\nterms = [{{ weight = 0.9, any = [\"bombardeo\"] }}]\n"
        );
        let tagger = with_lexicon("mine.toml", &text).unwrap();
        let texts = Texts { title: "El bombardeo mató a 43 personas", ..Texts::default() };
        code_with(&tagger, texts, Some(language)).unwrap()
    };
    let spanish = rules("es", "");
    assert_eq!((spanish.relevant, spanish.casualties, spanish.flags), (true, None, None));
    let domain = "[[domain]]\nflag = \"sport\"\nthreshold = 0.5\nratio = 1.0\n\
                  terms = [{ weight = 0.9, any = [\"gol\"] }]\n";
    assert_eq!(rules("es", domain).flags, Some(Vec::new()));
    assert_eq!(rules("en", "").casualties, Some(Vec::new()));
}

#[test]
fn what_lies_in_a_country_with_a_war_is_in_the_set_of_zones() {
    let rules = |zones: &str| {
        let text = format!(
            "format = 1\nlanguage = \"en\"\nversion = 1\nzones = [\"{zones}\"]\n[veto]\nresisting = []\n\
             bar = 0.9\n[[tag]]\nid = \"humanitarian.aid\"\n\
             combinations = [{{ weight = 0.9, all = [\"convoy\", \"@zone\"], within = 5 }}]\n"
        );
        with_lexicon("mine.toml", &text)
    };
    let is_relevant = |title: &str| {
        let texts = Texts { title, ..Texts::default() };
        code_with(&rules("UA").unwrap(), texts, Some("en")).unwrap().relevant
    };
    assert!(is_relevant("A convoy leaves Kharkiv"));
    assert!(!is_relevant("A convoy leaves Hamburg"));
    let problems = rules("Ukraine").unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected =
        "mine.toml:4: zones: \"Ukraine\" is no ISO 3166-1 alpha-2 code; write two capitals: \"SD\"";
    assert_eq!(shown, [expected]);
}

#[test]
fn the_parts_of_a_pattern_stand_in_one_sentence_however_far_on() {
    let text = "format = 1\nlanguage = \"en\"\nversion = 1\n[veto]\nresisting = []\nbar = 0.9\n\
        [[tag]]\nid = \"humanitarian.aid\"\ncombinations = [{ weight = 0.9, all = [\"convoy\", \"shelling\"], \
        within = 9, without = [\"drill\"] }]\n";
    let tagger = with_lexicon("mine.toml", text).unwrap();
    let is_relevant = |before: usize, end: &str| {
        let body = format!("{}{end}", "Nothing is new. ".repeat(before));
        let texts = Texts { body: &body, ..Texts::default() };
        code_with(&tagger, texts, Some("en")).unwrap().relevant
    };
    // The sets of sentences are kept by bits, of which the last is that of all sentences from the 64th on.
    for before in [0, 5, 62, 63, 64, 100] {
        assert!(is_relevant(before, "A convoy left under shelling."), "{before}");
        assert!(is_relevant(before, "A convoy left under shelling. It was no drill."), "{before}");
        assert!(!is_relevant(before, "A convoy left. The shelling went on."), "{before}");
        assert!(!is_relevant(before, "A convoy left under shelling in a drill."), "{before}");
    }
}

#[test]
fn roles_that_nobody_looked_for_are_not_none() {
    let text = "format = 1\nlanguage = \"en\"\nversion = 1\n[veto]\nresisting = []\nbar = 0.9\n\
        [[tag]]\nid = \"strike\"\nterms = [{ weight = 0.9, any = [\"attack\"] }]\n\
        [[tag]]\nid = \"strike.air\"\nterms = [{ weight = 0.9, any = [\"jets\"] }]\n";
    let tagger = with_lexicon("mine.toml", text).unwrap();
    let texts = Texts { title: "Jets attack", ..Texts::default() };
    let coding = code_with(&tagger, texts, Some("en")).unwrap();
    assert_eq!((ids(&coding), coding.tags[0].roles.as_ref()), (vec!["strike.air"], None));
}

#[test]
fn hostile_texts_end_soon() {
    let tagger = tagger();
    let many = 12_000;
    for text in [
        "air strike ".repeat(many),
        "killed ".repeat(many),
        "12 ".repeat(many),
        "a ".repeat(many),
        "rebels attacked soldiers, ".repeat(many / 3),
        "((((".repeat(many),
        "é".repeat(many),
        "空".repeat(many),
        "U.N.".repeat(many),
        "\n".repeat(many),
    ] {
        let coding =
            code_with(tagger, Texts { body: &text, ..Texts::default() }, Some("en")).unwrap();
        assert!(coding.tags.iter().all(|tag| tag.evidence.len() <= 20));
    }
}

#[test]
fn empty_texts_say_nothing() {
    let coding = code("", "");
    assert_eq!((coding.relevant, coding.tags.len(), casualties(&coding).len()), (false, 0, 0));
}

/// The roles of all tags, each once: "attacker state.ru".
fn roles(title: &str) -> Vec<String> {
    let coding = code(title, "");
    let roles = coding.tags.iter().flat_map(|tag| tag.roles.iter().flatten());
    let mut roles: Vec<String> =
        roles.map(|one| format!("{} {}", <&str>::from(one.role), one.actor)).collect();
    roles.sort();
    roles.dedup();
    roles
}

#[test]
fn subject_and_object_of_a_clause_are_attacker_and_target() {
    for (title, expected) in [
        (
            "Turkey and Iran shell Kurdish villages",
            "attacker state.ir, attacker state.tr, target people.kurds",
        ),
        ("Kyiv hit by Russian missiles overnight", "attacker state.ru, target state.ua"),
        ("US soldiers killed in Iranian drone attack", "attacker state.ir, target state.us"),
        ("Ukraine says Russian strikes hit its ports", "attacker state.ru"),
        ("Ukraine says it hit a Russian landing ship", "attacker state.ua, target state.ru"),
        ("EU condemns Israeli attack on Lebanon", "attacker state.il, target state.lb"),
    ] {
        assert_eq!(roles(title).join(", "), expected, "{title}");
    }
}

#[test]
fn who_accuses_is_no_attacker_and_who_hosts_no_party() {
    for (title, expected) in [
        ("Armenia accuses Azerbaijan of shelling villages", "accuser state.am, attacker state.az"),
        (
            "Qatar brokers ceasefire between Congo and M23",
            "mediator state.qa, party group.m23, party state.cd",
        ),
        (
            "Truce talks between Israel and Hamas in Cairo stall",
            "party group.hamas, party state.il",
        ),
    ] {
        assert_eq!(roles(title).join(", "), expected, "{title}");
    }
}
