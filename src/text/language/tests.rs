//! Texts, what is said of them, and the language that is believed.

use std::collections::BTreeMap;

use super::*;

const ENGLISH: &str = "The two sides agreed to stop fighting at dawn and to exchange prisoners";
const SPANISH: &str = "El gobierno y los rebeldes acordaron un alto el fuego que empieza hoy";
const UKRAINIAN: &str = "Вночі ворог обстріляв місто, пошкоджено житлові будинки та лікарню";

/// What is declared, in order, and what the feed shows.
#[track_caller]
fn check_shown(declared: &[&str], shown: Option<&str>, text: &str, expected: Option<&str>) {
    let at = |index: usize| declared.get(index).copied();
    let hints = Hints { declared: [at(0), at(1), at(2)], shown };
    assert_eq!(language(&hints, text).as_deref(), expected, "{declared:?} {shown:?} {text}");
}

#[track_caller]
fn check(declared: &[&str], text: &str, expected: Option<&str>) {
    check_shown(declared, None, text, expected);
}

/// Whatever is claimed, the primary subtag is this one.
#[track_caller]
fn check_any_claim(text: &str, expected: &str) {
    for claim in ["en", "es", "US", "ru", "ar", "de-DE", "zh-Hant", "xx", ""] {
        let hints = Hints { declared: [None, None, Some(claim)], shown: None };
        let told = language(&hints, text);
        assert_eq!(told.as_deref().map(primary), Some(expected), "claim {claim:?}: {text}");
    }
}

#[test]
fn a_text_that_leaves_no_doubt_decides_whatever_is_claimed() {
    check_any_claim(ENGLISH, "en");
    check_any_claim(SPANISH, "es");
    check_any_claim(UKRAINIAN, "uk");
    for (text, expected) in [
        ("CEASEFIRE HOLDS IN THE NORTH AS BOTH SIDES WITHDRAW THEIR TROOPS FROM THE BORDER", "en"),
        ("O governo disse que não há feridos, mas a polícia ainda procura os atiradores", "pt"),
        ("La policía dijo que no hay heridos, pero todavía busca a los tiradores", "es"),
        ("Der Präsident hat nach dem Angriff auf die Stadt den Notstand ausgerufen", "de"),
        ("De regering heeft na de aanval op de stad de noodtoestand uitgeroepen", "nl"),
        ("Die regering het ná die aanval op die stad 'n noodtoestand afgekondig", "af"),
        ("Le gouvernement a déclaré que les deux soldats ont été tués dans une embuscade", "fr"),
        ("Власти сообщили, что в городе после обстрела нет света и воды", "ru"),
        ("Влада повідомила, що в місті після обстрілу немає світла та води", "uk"),
        ("قال الجيش إن ثلاثة من جنوده قتلوا في هجوم على نقطة تفتيش", "ar"),
        ("ارتش گفت که سه سرباز در حمله به یک ایست بازرسی کشته شدند", "fa"),
        ("فوج نے کہا ہے کہ چیک پوسٹ پر حملے میں تین اہلکار مارے گئے", "ur"),
        ("停戦が発効し、住民は自宅に戻り始めた", "ja"),
        ("停火协议生效后，居民们开始返回家园", "zh"),
        ("Serikali imesema kuwa watu watatu wamefariki katika shambulio la jana usiku", "sw"),
        ("Mootummaan haleellaa kaleessa raawwateen namoonni sadii akka ajjeefaman ibse", "om"),
        ("Hükümet, saldırıda üç askerin öldüğünü ve bölgede operasyon başladığını açıkladı", "tr"),
    ] {
        check_any_claim(text, expected);
    }
}

#[test]
fn english_with_names_from_everywhere_is_english() {
    for text in [
        "Mykhailo Podolyak and Andriy Yermak are to meet Hakan Fidan in Dolmabahçe on Friday",
        "Al-Qassam and Saraya al-Quds say they fired on Kiryat Shmona from Wadi Saluki",
        "Tshisekedi, Kagame to meet in Luanda after M23 rebels take Rutshuru and Kiwanja",
        "The post \"Attaque à Ménaka\" was the first to say that the army had left the town",
        "He said \"لن نتراجع\" and left the room before the talks had ended",
    ] {
        for claim in [None, Some("en"), Some("US"), Some("english"), Some("en_us")] {
            let hints = Hints { declared: [None, None, claim], shown: None };
            let told = language(&hints, text);
            assert_eq!(told.as_deref().map(primary), Some("en"), "claim {claim:?}: {text}");
        }
    }
}

#[test]
fn a_title_too_short_to_tell_is_given_to_whom_most_speaks_for() {
    let short = "Gaza: 12 killed";
    check(&["en"], short, Some("en"));
    check_shown(&["es"], Some("en"), short, Some("en"));
    check_shown(&["US"], Some("en"), short, Some("en"));
    check_shown(&[], Some("en"), short, Some("en"));
    // Names alone are in any language.
    check(&[], "Kharkiv, Kherson", None);
    check(&["uk"], "Kharkiv, Kherson", Some("uk"));
    check_shown(&["en"], Some("es"), "Caracas, Maracaibo", Some("es"));
    check(&[], "Truce", None);
    check(&[], "", None);
    check(&["US", "en"], "12:45", Some("en"));
    check(&["tpi"], "", Some("tpi"));
}

#[test]
fn each_article_of_a_feed_in_two_languages_is_judged_by_its_text() {
    for shown in [None, Some("en"), Some("es")] {
        check_shown(&["en"], shown, ENGLISH, Some("en"));
        check_shown(&["en"], shown, SPANISH, Some("es"));
    }
}

#[test]
fn english_boilerplate_does_not_make_a_text_english() {
    check(&["en"], &format!("{SPANISH}. Read more"), Some("es"));
    check(&["en"], &format!("{SPANISH}. The post appeared first on Diario."), Some("es"));
    check(&["en"], &format!("{UKRAINIAN}. Continue reading on our site"), Some("uk"));
}

#[test]
fn a_claim_is_not_believed_of_words_that_the_language_cannot_have() {
    // Of a language that is not known well enough to be named; never English.
    let text = "Xiriirka labada dal oo sii xumaada kadib hadalka madaxweynaha cusub";
    let hints = Hints { declared: [None, None, Some("en")], shown: Some("en") };
    let told = language(&hints, text);
    assert_ne!(told.as_deref().map(primary), Some("en"), "{told:?}");
    let unknown = "aakkanii muuttaara joolluu viikkasaa paattuni";
    check_shown(&["en"], Some("en"), unknown, None);
    // An English headline has such words too, but they are few.
    check(&["en"], "Militia leader gives radio interview in former studio", Some("en"));
}

#[test]
fn romanised_text_is_not_taken_for_english() {
    for text in [
        "Sarkar ne kaha hai ki hamle mein teen jawan maare gaye aur paanch ghayal hue hain",
        "Pravitelstvo soobshchilo chto v gorode posle obstrela net sveta i vody",
    ] {
        check(&[], text, None);
        let hints = Hints { declared: [None, None, Some("hi-Latn")], shown: None };
        assert_ne!(language(&hints, text).as_deref(), Some("en"), "{text}");
    }
}

#[test]
fn a_declaration_that_agrees_gives_the_region() {
    check(&["en-us", "fr"], ENGLISH, Some("en-US"));
    check(&["en-uk"], ENGLISH, Some("en-GB"));
    check(&["en-us", "uk"], UKRAINIAN, Some("uk"));
    check(&["nonsense", "en_AU"], ENGLISH, Some("en-AU"));
    check(&["US"], ENGLISH, Some("en"));
}

#[test]
fn what_is_not_known_by_its_words_is_believed_in_its_script() {
    check(&["tpi"], "Ol soldia i bin sutim tripela man long nait", Some("tpi"));
    check(
        &["sr-latn"],
        "Vlada je saopštila da u gradu posle napada nema struje ni vode",
        Some("sr-Latn"),
    );
    check(&["ru"], ENGLISH, Some("en"));
}

#[test]
fn no_text_is_too_long_or_too_odd_to_read() {
    let text = format!("{ENGLISH}. ").repeat(20_000);
    check(&["es"], &text, Some("en"));
    for odd in ["\u{0}", "’’’’", "#a @b c.d", "a\u{301}\u{301}\u{301}", "🙂🙂", "ﷺ", "İİİ"]
    {
        let _ = language(&Hints::default(), &odd.repeat(300));
    }
}

/// Headlines with teasers in languages of which few other texts are at hand: most are told with no hint at all, and hardly
/// one wrongly. What is not told is left open.
#[test]
fn the_languages_of_the_corpus_are_told() {
    let corpus = include_str!("../../../tests/corpus/languages.jsonl");
    let mut tallies: BTreeMap<String, [u32; 3]> = BTreeMap::new();
    for line in corpus.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| row[name].as_str().unwrap();
        // Dari and Persian of Iran are not told apart by a text alone.
        let expected = if field("lang") == "prs" { "fa" } else { field("lang") };
        let text = format!("{}\n{}", field("title"), field("text"));
        let told = language(&Hints::default(), &text);
        let [all, right, wrong] = tallies.entry(field("lang").to_owned()).or_default();
        *all += 1;
        match told.as_deref() {
            Some(told) if told == expected => *right += 1,
            Some(_) => *wrong += 1,
            None => {}
        }
    }
    for (language, [all, right, wrong]) in tallies {
        // Malay is hardly told from Indonesian, nor Croatian from Serbian.
        let wrong_max = if language == "ms" { all / 4 } else { 0 };
        assert!(wrong <= wrong_max, "{language}: {wrong} of {all} wrong");
        assert!(right * 10 >= all * 6, "{language}: {right} of {all} told");
    }
}

#[test]
fn a_language_without_the_letters_of_a_text_is_not_told() {
    // Trigrams take these for Belarusian and Russian.
    check(&[], "Су тасқынынан мыңдаған тұрғын көшірілді", Some("kk"));
    check(&[], "Маңғыстауда мұнайшылар ереуілге шықты", None);
    check(&[], "Өзгөчө кырдаалдар министрлиги айдоочуларды этият болууга чакырды", None);
    check(&["fa"], "فوځیانو وویل چې ځان به قوي ساتي", Some("ps"));
    let hints = Hints { declared: [None; 3], shown: None };
    let told = language(&hints, "Не отказывались мы от этой встречи");
    assert_eq!(told.as_deref(), Some("ru"));
}

#[test]
fn endings_tell_where_no_common_word_does() {
    check(&[], "पहाडमा पहिरोले सडक अवरुद्ध, यात्रुहरू अलपत्र", Some("ne"));
    check(&[], "Müdafiə naziri bölgələrə səfər edib, sakinlərlə görüşüb", Some("az"));
}
