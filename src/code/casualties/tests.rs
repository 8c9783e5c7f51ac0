//! Counts and scopes, from sentences of our own.

use std::collections::HashSet;
use std::sync::LazyLock;

use cw_model::CasualtySide;

use super::*;
use crate::Texts;
use crate::source::{Source, casualties as built_in};

/// A headline and a lead.
#[track_caller]
fn check_article(title: &str, body: &str, expected: &[&str]) {
    check_texts(&grammar("en"), Texts { title, body, ..Texts::default() }, expected);
}

/// Writes counts as "killed 43..43 event", with the place of the one they are a part of.
#[track_caller]
fn check_texts(grammar: &Grammar, texts: Texts<'_>, expected: &[&str]) {
    let steps = Steps::new(u64::MAX);
    let document = Document::new(texts, &HashSet::new(), &steps).unwrap();
    let found: Vec<String> = read(grammar, &document, &steps)
        .unwrap()
        .iter()
        .map(|count| {
            let bound = |bound: Option<u64>| bound.map_or(String::new(), |bound| bound.to_string());
            let (low, high) = (bound(count.low), bound(count.high));
            let place = |word: &str, index: Option<usize>| {
                index.map_or(String::new(), |index| format!(" {word} {}", index + 1))
            };
            let (part, older) = (place("of", count.part_of), place("instead of", count.supersedes));
            let count = format!("{:?} {low}..{high} {:?}{part}{older}", count.kind, count.scope);
            count.to_lowercase()
        })
        .collect();
    assert_eq!(found, expected, "in {texts:?}");
}

#[track_caller]
fn check_with(grammar: &Grammar, body: &str, expected: &[&str]) {
    check_texts(grammar, Texts { body, ..Texts::default() }, expected);
}

fn grammar(language: &str) -> Grammar {
    Grammar::read(&built_in(language).unwrap()).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())
    })
}

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    static ENGLISH: LazyLock<Grammar> = LazyLock::new(|| grammar("en"));
    check_with(&ENGLISH, body, expected);
}

#[track_caller]
fn check_russian(body: &str, expected: &[&str]) {
    static RUSSIAN: LazyLock<Grammar> = LazyLock::new(|| grammar("ru"));
    check_with(&RUSSIAN, body, expected);
}

#[test]
fn a_number_stands_before_or_after_what_happened() {
    check("At least 43 people were killed.", &["killed 43.. event"]);
    check("43 dead in market blast", &["killed 43..43 event"]);
    check("A mortar round landed on a queue, killing six shoppers.", &["killed 6..6 event"]);
    check("The bomb killed 12 and wounded 20.", &["killed 12..12 event", "wounded 20..20 event"]);
    check(
        "Nine soldiers were killed and dozens wounded.",
        &["killed 9..9 event", "wounded 24.. event"],
    );
    check("Two villagers lost their lives.", &["killed 2..2 event"]);
    check("The raid claimed 15 lives.", &["killed 15..15 event"]);
    check("Five porters suffered injuries.", &["wounded 5..5 event"]);
    check("Between 10 and 15 fighters died.", &["killed 10..15 event"]);
    check("Up to 30 people are missing.", &["missing ..30 event"]);
    check("More than 250,000 people have fled their homes.", &["displaced 250000.. event"]);
    check("Police arrested 14 suspects.", &["detained 14..14 event"]);
}

#[test]
fn several_is_no_number() {
    check("The raid killed several patients.", &["killed .. event"]);
    check("Many people were wounded.", &["wounded .. event"]);
    check("A blast killed several soldiers and two policemen.", &["killed 2.. event"]);
    check(
        "The strike killed several people, including three children.",
        &["killed .. event", "killed 3..3 event of 1"],
    );
    check(
        "Strikes killed 14 people in the town. Several people were killed at the bakery.",
        &["killed 14..14 event", "killed .. event of 1"],
    );
    check_russian("Погибли несколько человек.", &["killed .. event"]);
}

#[test]
fn one_person_counts() {
    check(
        "A soldier was killed and three others were wounded.",
        &["killed 1..1 event", "wounded 3..3 event"],
    );
    check("The shell hit a car, killing a nurse.", &["killed 1..1 event"]);
}

#[test]
fn one_person_counts_by_name_role_or_noun() {
    check("A drone strike killed senior commander Ali Torn in Adel.", &["killed 1..1 event"]);
    check("Abel Torn (25) was shot dead.", &["killed 1..1 event"]);
    check("Abel Torn, 25, was shot dead.", &["killed 1..1 event"]);
    check("The 25-year-old was killed on 3 May, 20 km north of the town.", &["killed 1..1 event"]);
    check("Man killed in shelling of Adel", &["killed 1..1 event"]);
    check("A Tormanian was wounded by shrapnel.", &["wounded 1..1 event"]);
    check("The head of the provincial council was gunned down.", &["killed 1..1 event"]);
    check("Police detained Maria Torres, a union leader.", &["detained 1..1 event"]);
    check("A guard was killed and another wounded.", &["killed 1..1 event", "wounded 1..1 event"]);
    check(
        "The man who killed two officers was himself shot dead.",
        &["killed 2..2 event", "killed 1..1 event"],
    );
}

#[test]
fn those_joined_are_added() {
    check("Gunmen killed a guard and two drivers.", &["killed 3..3 event"]);
    check("Three soldiers and a civilian were killed.", &["killed 4..4 event"]);
    check("Two teachers and a pupil were killed.", &["killed 3..3 event"]);
    check("A doctor, two nurses and a patient were killed.", &["killed 4..4 event"]);
    check("The blast left a father and his two sons dead.", &["killed 3..3 event"]);
    check("The warlord was killed together with eight bodyguards.", &["killed 9..9 event"]);
    check("The mayor of a border town and two guards were killed.", &["killed 3..3 event"]);
    check("Gunmen shot the owner, his two sons and a worker dead.", &["killed 4..4 event"]);
    check("Five Orlan and two Veskan soldiers were killed.", &["killed 7..7 event"]);
    check("Four people died in Adel and three in Tirgan.", &["killed 7..7 event"]);
    check("Two teachers and a beekeeper were killed.", &["killed 3..3 event"]);
    check("Two teachers and another beekeeper were wounded.", &["wounded 3..3 event"]);
    check("Two teachers were killed and a barn burned down.", &["killed 2..2 event"]);
    check("Six people – three men, two women and a child – were killed.", &["killed 6..6 event"]);
    check(
        "The bomb killed two men and a woman was hurt.",
        &["killed 2..2 event", "wounded 1..1 event"],
    );
}

#[test]
fn a_joint_number_is_the_most_of_each_kind() {
    let joint = ["killed 0..12 event", "wounded 0..12 event"];
    check("The attack left 12 dead or wounded.", &joint);
    check("Shells killed and wounded 12 villagers.", &joint);
    check("Casualties stood at 12, killed and wounded together.", &joint);
    check("At least 12 were killed or injured.", &["killed 0.. event", "wounded 0.. event"]);
}

#[test]
fn a_part_says_of_what() {
    check(
        "Eleven people, including three children, were killed.",
        &["killed 11..11 event", "killed 3..3 event of 1"],
    );
    check(
        "The attack left seven people dead, including two nurses and a cook.",
        &["killed 7..7 event", "killed 2..2 event of 1", "killed 1..1 event of 1"],
    );
    check(
        "A couple and their child were among nine killed.",
        &["killed 9..9 event", "killed 2..2 event of 1", "killed 1..1 event of 1"],
    );
    check(
        "A strike killed 14 people in Adel. Two policemen died at the gate.",
        &["killed 14..14 event", "killed 2..2 event of 1"],
    );
    check(
        "A strike killed 14 people in Adel. Another killed two in Tirgan.",
        &["killed 14..14 event", "killed 2..2 event"],
    );
    check(
        "Rebels killed nine soldiers. The army killed two rebels.",
        &["killed 9..9 event", "killed 2..2 event"],
    );
}

#[test]
fn an_article_has_one_total() {
    check_article(
        "Two dead in Adel gunfight",
        "Two rebels and a soldier were killed in a gunfight in Adel.",
        &["killed 2..2 event of 2", "killed 3..3 event"],
    );
    check_article(
        "Strikes kill 30 in Tormania",
        "Strikes killed at least 30 people. One killed six villagers.\n\nAnother killed a family of five.\n\n\
         The war has killed more than 50,000 people.",
        &[
            "killed 30..30 event",
            "killed 6..6 event of 1",
            "killed 5..5 event of 1",
            "killed 50000.. background",
        ],
    );
    check_article(
        "Gunmen kill 12",
        "Gunmen killed 12 people in two villages. A policeman was also killed.",
        &["killed 12..12 event", "killed 1..1 event"],
    );
}

#[test]
fn other_numbers_are_not_people() {
    check("12 per cent of the herd died.", &[]);
    check("Troops captured 12 villages.", &[]);
    check("Marines captured 14 tanks and a fuel depot.", &[]);
    check("A strike killed 200 sheep.", &[]);
    check("Troops killed a private contractor’s dog.", &[]);
    check("The general strike killed trade in a town of 30,000.", &[]);
    check("The team lost four of their last five matches.", &[]);
    check("They lost about $20,000 to looters.", &[]);
    check("The ministry pays 5,000 dollars to the family of each soldier killed.", &[]);
    check("Police shot down 12 drones at 09:30.", &[]);
    check("Three brothers aged 8, 11 and 15 died.", &["killed 3..3 event"]);
    check("A man, 34, was shot dead.", &["killed 1..1 event"]);
}

#[test]
fn a_side_is_said_where_all_have_one() {
    let side = |body| {
        let steps = Steps::new(u64::MAX);
        let texts = Texts { body, ..Texts::default() };
        let document = Document::new(texts, &HashSet::new(), &steps).unwrap();
        read(&grammar("en"), &document, &steps).unwrap().first().unwrap().side
    };
    assert_eq!(side("Four soldiers and a policeman died."), Some(CasualtySide::StateForce));
    assert_eq!(side("Troops killed 12 suspected rebels."), Some(CasualtySide::ArmedGroup));
    assert_eq!(side("A nurse was killed."), Some(CasualtySide::Civilian));
    assert_eq!(side("A nurse and two soldiers were killed."), None);
    assert_eq!(side("Nine people were killed."), None);
}

#[test]
fn a_new_total_is_an_update() {
    check("The death toll rose to 43 from 38.", &["killed 43..43 update"]);
    check("The death toll rose from 38 to 43.", &["killed 43..43 update"]);
    check("The number of dead was lowered from 17 to 11.", &["killed 11..11 update"]);
    check(
        "Officials had put the toll at 38. It is the worst attack in years.",
        &["killed 38..38 event"],
    );
    check(
        "The death toll stood at 38. On Friday the death toll rose to 43.",
        &["killed 38..38 event of 2", "killed 43..43 update instead of 1"],
    );
    check(
        "Four more died in hospital, taking to 19 the number killed.",
        &["killed 4..4 update of 2", "killed 19..19 update instead of 1"],
    );
}

#[test]
fn a_toll_of_the_whole_conflict_is_background() {
    check(
        "More than a quarter of a million people have died in five years of war.",
        &["killed 250000.. background"],
    );
    check(
        "The conflict has killed at least 9,000 people since 2014.",
        &["killed 9000.. background"],
    );
    check(
        "Some 400 people have been killed since the uprising began.",
        &["killed 400..400 background"],
    );
    check(
        "The fighting has displaced 12 million people.",
        &["displaced 12000000..12000000 background"],
    );
    check("Six months of clashes have left 150 dead.", &["killed 150..150 background"]);
    check("The campaign has killed more than 52,300 people.", &["killed 52300.. background"]);
    check(
        "The raids have wounded 240 villagers over the past year.",
        &["wounded 240..240 background"],
    );
}

#[test]
fn an_age_a_war_and_a_comparison_are_no_background() {
    let event = ["killed 3..3 event"];
    check("A 13-year-old boy and two soldiers were killed.", &event);
    check("Three died on Sunday, the third such attack in the four-year war.", &event);
    check("Three died, the highest toll since the conflict began.", &event);
    check("Three men were killed overnight as the war entered its second year.", &event);
    check("Three men were killed in Adel, where war has raged since 2014.", &event);
    check("The earthquake killed 2,300 people.", &["killed 2300..2300 event"]);
}

#[test]
fn the_past_is_historical() {
    check("The bombing of 1996 killed 21 people.", &["killed 21..21 historical"]);
    check("Two years ago a bomb killed 30 people there.", &["killed 30..30 historical"]);
    check("Two years after the blast that killed 30, a court met.", &["killed 30..30 historical"]);
    check("Two years after the war ended, a mine killed three men.", &["killed 3..3 event"]);
    check("A mine killed three men, two years after the war ended.", &["killed 3..3 event"]);
    check("The court heard how the bomb killed 202 people.", &["killed 202..202 historical"]);
    check("A plaque was unveiled for the 22 men killed there.", &["killed 22..22 historical"]);
}

#[test]
fn what_may_happen_is_hypothetical() {
    check("An assault could kill thousands of people.", &["killed 2000.. hypothetical"]);
    check("They planned to kill 50 people.", &["killed 50..50 hypothetical"]);
    check(
        "A man who threatened to kill 30 pupils was arrested.",
        &["killed 30..30 hypothetical", "detained 1..1 event"],
    );
}

#[test]
fn what_did_not_happen_is_denied() {
    check("No one was hurt.", &["wounded 0..0 denied"]);
    check("There were no casualties.", &["killed 0..0 denied", "wounded 0..0 denied"]);
    check("The army denied that its shells had killed 12 people.", &["killed 12..12 denied"]);
    check("Reports that a general had been killed were false.", &["killed 1..1 denied"]);
    check(
        "The army denied the strike, after the governor said six people were hurt.",
        &["wounded 6..6 event"],
    );
    check("Gunmen tried to kidnap the bishop.", &["detained 1..1 denied"]);
    check("The army chief denied that civilians had been killed.", &[]);
    check("None of the 30 passengers was hurt.", &["wounded 0..0 denied"]);
}

#[test]
fn the_same_count_is_given_once() {
    check("Six people were killed. The six killed were cooks.", &["killed 6..6 event"]);
}

#[test]
fn russian_is_data_alone() {
    check_russian("Погибли 12 человек.", &["killed 12..12 event"]);
    check_russian(
        "12 человек погибли, ещё 20 ранены.",
        &["killed 12..12 event", "wounded 20..20 event"],
    );
    check_russian(
        "Погибли два человека, пятеро получили ранения.",
        &["killed 2..2 event", "wounded 5..5 event"],
    );
    check_russian("В результате обстрела убиты трое мирных жителей.", &["killed 3..3 event"]);
    check_russian("Боевики убили двух солдат и полицейского.", &["killed 3..3 event"]);
    check_russian("Ранен 13-летний мальчик.", &["wounded 1..1 event"]);
    check_russian("Не менее 12 000 человек пропали без вести.", &["missing 12000.. background"]);
    check_russian("Число погибших выросло до 43.", &["killed 43..43 update"]);
    check_russian(
        "Погибли 12 человек, в том числе трое детей.",
        &["killed 12..12 event", "killed 3..3 event of 1"],
    );
    check_russian(
        "Жертвами обстрела стали девять человек, ещё трое ранены.",
        &["killed 9..9 event", "wounded 3..3 event"],
    );
    check_russian(
        "Убиты 12 солдат и три офицера ранены.",
        &["killed 12..12 event", "wounded 3..3 event"],
    );
    check_russian("Два года назад здесь погибли 30 человек.", &["killed 30..30 historical"]);
    check_russian("Никто не пострадал.", &["wounded 0..0 denied"]);
    check_russian("Погибли 15 коров.", &[]);
}

/// The smallest grammar there is, of a language that writes the verb first and joins words.
const ARABIC: &str = r#"
    format = 1
    [spelling]
    names_are_capitalised = false
    thousands = [",", "٬"]
    decimal = "."
    [numbers]
    at_least = ["أكثر من"]
    units = { "ثلاثة|ثلاث" = 3, "خمسة|خمس" = 5 }
    vague = { "عشرات" = 20 }
    whole = { "شخصان|شخصين" = 2 }
    [[happening]]
    what = "killed"
    victims = "either"
    any = ["قتل|مقتل|قتلوا"]
    [[happening]]
    what = "wounded"
    victims = "either"
    any = ["أصيب|وأصيب|إصابة|وإصابة|بجروح"]
    [[people]]
    one = ["شخصا|شخص"]
    many = ["أشخاص", "مدنيين", "جنود"]
    [nouns]
    things = ["منازل"]
    [words]
    noun_ends = ["في", "و", "من"]
    and = ["و"]
    [scope]
"#;

#[test]
fn arabic_needs_no_more_than_data() {
    let source = Source { name: "ar.toml".to_owned(), text: ARABIC.to_owned() };
    let arabic = Grammar::read(&source).unwrap();
    check_with(&arabic, "قتل 12 شخصا", &["killed 12..12 event"]);
    check_with(
        &arabic,
        "مقتل ثلاثة جنود وإصابة ١٥ شخصا في المدينة",
        &["killed 3..3 event", "wounded 15..15 event"],
    );
    check_with(&arabic, "أكثر من 20 شخصا قتلوا", &["killed 20.. event"]);
}

#[test]
fn every_mistake_in_a_grammar_is_reported() {
    let problems = |text: &str| {
        let source = Source { name: "mine.toml".to_owned(), text: text.to_owned() };
        let problems = Grammar::read(&source).unwrap_err();
        problems.iter().map(|problem| format!("{problem}\n")).collect::<String>()
    };
    let text = ARABIC
        .replace("format = 1", "format = 7")
        .replace("\"منازل\"", "\"منازل\", \"منازل\", \"car(s\", \"a b c d e f g h i\"")
        .replace("= 5", "= 0");
    let all = problems(&text);
    for part in [
        "mine.toml: format: 7 is not known; use 1",
        "nouns.things: \"منازل\" is given twice",
        "nouns.things: \"car(s\": \"(\" without",
        "nouns.things: \"a b c d e f g h i\" has more than 8 words",
        "numbers.units: \"خمسة|خمس\": 0 is not from 1",
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
    assert!(problems(&format!("{ARABIC}\ncolour = []")).contains("colour"));
    assert!(problems(&ARABIC.replace("\"either\"", "\"round\"")).contains("round"));
}
