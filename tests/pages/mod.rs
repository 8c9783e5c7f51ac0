//! Pages of articles of our own making, as systems for publishing lay them out, with the text that a reader would take from
//! each. The library's tests hold the reading of pages to them, and `cargo bench --bench figures -- pages` measures it.

/// A page.
pub(crate) struct Page {
    /// Which layout it has.
    pub(crate) layout: &'static str,
    /// BCP 47.
    pub(crate) language: &'static str,
    pub(crate) title: &'static str,
    /// What its feed gives of it.
    pub(crate) teaser: &'static str,
    pub(crate) html: String,
    /// Paragraphs separated by a blank line.
    pub(crate) text: String,
}

/// An article.
struct Article {
    language: &'static str,
    title: &'static str,
    teaser: &'static str,
    paragraphs: [&'static str; 5],
    /// Cards of other articles, and a comment.
    others: [&'static str; 3],
}

const ARTICLES: [Article; 5] = [
    Article {
        language: "en",
        title: "Nine killed as shells hit market in Karsk",
        teaser: "Shells hit the market of Karsk on Sunday, and nine people were killed.",
        paragraphs: [
            "Shells hit the market of Karsk on Sunday, and nine people were killed, the governor of the province said.",
            "Doctors at the hospital counted thirty-one wounded. Four of them are children who had been selling bread.",
            "“We heard three explosions, one after another,” said a teacher who lives by the river.",
            "The army of the neighbouring country denied that its guns had fired at the town that day.",
            "Observers could not reach the market before the evening, because the bridge had been mined.",
        ],
        others: [
            "The council of the league agrees on a budget after two weeks of talks in the capital",
            "Why the harvest will be late this year, and what it means for the price of bread",
            "I lived there for years and it was never as quiet as they all say it was before this began.",
        ],
    },
    Article {
        language: "ru",
        title: "Девять человек погибли при обстреле рынка в Карске",
        teaser: "В воскресенье снаряды попали в рынок Карска, погибли девять человек.",
        paragraphs: [
            "В воскресенье снаряды попали в рынок Карска, погибли девять человек, сообщил глава области.",
            "Врачи больницы насчитали тридцать одного раненого. Четверо из них — дети, которые продавали хлеб.",
            "«Мы услышали три взрыва, один за другим», — рассказала учительница, которая живёт у реки.",
            "Армия соседней страны отрицает, что её орудия стреляли в тот день по городу.",
            "Наблюдатели не могли попасть на рынок до вечера, потому что мост был заминирован.",
        ],
        others: [
            "Совет лиги после двух недель переговоров в столице согласовал бюджет на следующий год",
            "Почему урожай в этом году будет поздним и что это значит для цены на хлеб в городах",
            "Я жил там много лет, и никогда не было так тихо, как теперь все они об этом рассказывают.",
        ],
    },
    Article {
        language: "ar",
        title: "مقتل تسعة أشخاص في قصف سوق كارسك",
        teaser: "أصابت القذائف سوق كارسك يوم الأحد وقتل تسعة أشخاص.",
        paragraphs: [
            "أصابت القذائف سوق كارسك يوم الأحد وقتل تسعة أشخاص بحسب ما قاله محافظ المقاطعة للصحفيين.",
            "أحصى الأطباء في المستشفى واحدا وثلاثين جريحا، بينهم أربعة أطفال كانوا يبيعون الخبز في السوق.",
            "وقالت معلمة تسكن بجوار النهر: «سمعنا ثلاثة انفجارات متتالية».",
            "ونفى جيش الدولة المجاورة أن تكون مدافعه قد أطلقت النار على المدينة في ذلك اليوم.",
            "ولم يتمكن المراقبون من الوصول إلى السوق قبل المساء لأن الجسر كان ملغما.",
        ],
        others: [
            "مجلس الرابطة يتفق على الميزانية بعد أسبوعين من المحادثات في العاصمة",
            "لماذا سيتأخر الحصاد هذا العام وماذا يعني ذلك لسعر الخبز في المدن الكبيرة",
            "عشت هناك سنوات طويلة ولم تكن الأمور هادئة كما يقولون اليوم جميعا عن تلك الأيام.",
        ],
    },
    Article {
        language: "zh",
        title: "卡尔斯克市场遭炮击九人死亡",
        teaser: "星期日炮弹击中卡尔斯克的市场，造成九人死亡。",
        paragraphs: [
            "星期日炮弹击中卡尔斯克的市场，造成九人死亡，该省省长对记者说，爆炸发生在上午人最多的时候，许多摊位被完全摧毁。",
            "医院的医生统计有三十一人受伤，其中四人是当时正在市场里卖面包的孩子，他们的伤势目前稳定，没有生命危险。",
            "一位住在河边的女教师说：“我们听到三声爆炸，一声接着一声，窗户的玻璃都碎了，大家都跑到地下室里去。”",
            "邻国军队否认当天曾向该城开炮，并表示将调查此事，同时指责对方在边境地区部署了新的火炮部队。",
            "由于桥梁被布设了地雷，观察员直到傍晚才得以进入市场，他们在现场收集了弹片并询问了目击者。",
        ],
        others: [
            "联盟理事会在首都经过两周谈判后就明年的预算达成一致，各方代表都表示欢迎这一结果",
            "为什么今年的收成会推迟，这对面包价格意味着什么，农业部专家的分析",
            "我在那里住了很多年，那里从来没有像他们现在所说的那样安静过，大家都应该知道这一点。",
        ],
    },
    Article {
        language: "fr",
        title: "Neuf morts dans le bombardement du marché de Karsk",
        teaser: "Des obus ont touché dimanche le marché de Karsk, faisant neuf morts.",
        paragraphs: [
            "Des obus ont touché dimanche le marché de Karsk, faisant neuf morts, a déclaré le gouverneur de la province.",
            "Les médecins de l’hôpital ont compté trente et un blessés, dont quatre enfants qui vendaient du pain.",
            "« Nous avons entendu trois explosions, l’une après l’autre », a raconté une institutrice qui habite au bord du fleuve.",
            "L’armée du pays voisin a démenti que ses canons aient tiré ce jour-là sur la ville.",
            "Les observateurs n’ont pas pu atteindre le marché avant le soir, car le pont avait été miné.",
        ],
        others: [
            "Le conseil de la ligue s’accorde sur un budget après deux semaines de discussions dans la capitale",
            "Pourquoi la récolte sera tardive cette année, et ce que cela signifie pour le prix du pain",
            "J’y ai vécu des années et ce n’était jamais aussi calme qu’ils le disent tous aujourd’hui.",
        ],
    },
];

/// Every article in every layout.
pub(crate) fn pages() -> Vec<Page> {
    let page = |article: &Article, (layout, make): Layout| Page {
        layout,
        language: article.language,
        title: article.title,
        teaser: article.teaser,
        html: make(article),
        text: article.paragraphs.join("\n\n"),
    };
    ARTICLES.iter().flat_map(|article| LAYOUTS.map(|layout| page(article, layout))).collect()
}

/// A name, and what lays an article out so.
type Layout = (&'static str, fn(&Article) -> String);

const LAYOUTS: [Layout; 12] = [
    ("blog", blog),
    ("portal", portal),
    ("data first", data_first),
    ("one script", one_script),
    ("table", table),
    ("breaks", breaks),
    ("blocks", blocks),
    ("sections", sections),
    ("hashed classes", hashed),
    ("phone", phone),
    ("comments", comments),
    ("unended", unended),
];

fn each(texts: &[&str], begin: &str, end: &str) -> String {
    texts.iter().map(|text| format!("{begin}{text}{end}\n")).collect()
}

fn linked(article: &Article, members: &str) -> String {
    format!(
        "<script type=\"application/ld+json\">{{\"@context\":\"https://schema.org\",\"@graph\":[{{\"@type\":\"WebSite\",\
         \"name\":\"The Desk\"}},{{\"@type\":\"NewsArticle\",\"headline\":\"{}\"{members}}}]}}</script>",
        article.title
    )
}

fn cards(article: &Article) -> String {
    let [first, second, _] = article.others;
    format!("<ul><li><a href=\"/1\">{first}</a></li><li><a href=\"/2\">{second}</a></li></ul>")
}

fn head(article: &Article, more: &str) -> String {
    let Article { title, teaser, language, .. } = article;
    format!(
        "<!DOCTYPE html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title} | The Desk</title>\
         <meta name=\"description\" content=\"{teaser}\"><meta property=\"og:title\" content=\"{title}\">\
         <style>.a{{color:red}}</style><script>window.x = \"<p>\" + 1;</script>{more}</head>"
    )
}

const MENU: &str = "<nav class=\"main-menu\"><ul><li><a href=\"/\">Home</a></li><li><a href=\"/world\">World</a></li><li>\
    <a href=\"/about\">About us</a></li></ul></nav>";

const COOKIES: &str = "<div id=\"cookie-banner\" class=\"cookie-notice\"><p>This site uses cookies to remember you and to measure \
    how it is read. By going on you agree to that.</p><button>Accept</button></div>";

const FOOTER: &str = "<footer class=\"site-footer\"><p>© The Desk. All rights reserved. No part of this site may be copied without \
    the consent of its publisher.</p><ul><li><a href=\"/terms\">Terms</a></li></ul></footer>";

const LETTER: &str = "<div class=\"newsletter-signup\"><p>Sign up for our newsletter and get the most important news of the day \
    into your mailbox.</p><form><input type=email><button>Sign up</button></form></div>";

fn blog(article: &Article) -> String {
    let [first, rest @ ..] = article.paragraphs;
    format!(
        "{}<body class=\"single has-sidebar\">{MENU}<div id=\"primary\" class=\"content-area\"><main><article class=\"post type-post\">\
         <header class=\"entry-header\"><h1 class=\"entry-title\">{}</h1><div class=\"entry-meta\">by <a href=\"/u\">Anna Berg</a> \
         on <time>1 March 2026</time></div></header><div class=\"entry-content\"><p>{first}</p>{LETTER}{}\
         <div class=\"sharedaddy sd-sharing-enabled\"><h3>Share this:</h3><ul><li>Mail</li></ul></div><div id=\"jp-relatedposts\">\
         {}</div></div></article></main></div><aside id=\"secondary\" class=\"widget-area\"><section class=\"widget\"><h2>Latest</h2>{}\
         </section></aside>{FOOTER}</body></html>",
        head(article, ""),
        article.title,
        each(&rest, "<p>", "</p>"),
        cards(article),
        cards(article),
    )
}

fn portal(article: &Article) -> String {
    format!(
        "{}<body>{COOKIES}{MENU}<div class=\"node node--type-article\"><h1>{}</h1><div class=\"field field--name-field-image\"><figure>\
         <img src=\"/a.jpg\"><figcaption>{}</figcaption></figure></div><div class=\"clearfix text-formatted field \
         field--name-body field__item\" property=\"schema:text\">{}</div><div class=\"field--name-field-tags tags\"><a href=/t>War</a></div>\
         </div><div class=\"block-views-related\"><h2>More</h2>{}</div>{FOOTER}</body></html>",
        head(article, ""),
        article.title,
        article.others[0],
        each(&article.paragraphs, "<p>", "</p>"),
        cards(article),
    )
}

fn data_first(article: &Article) -> String {
    let body = article.paragraphs.join("\\n\\n");
    let [first, second, ..] = article.paragraphs;
    format!(
        "{}<body>{MENU}<article><h1>{}</h1><div class=\"article-body\"><p>{first}</p><p>{second}</p></div><div class=\"paywall-offer\">\
         <p>This report is for subscribers.</p></div></article>{FOOTER}</body></html>",
        head(
            article,
            &linked(
                article,
                &format!(",\"datePublished\":\"2026-03-01T10:00:00Z\",\"articleBody\":\"{body}\"")
            )
        ),
        article.title,
    )
}

fn one_script(article: &Article) -> String {
    let body = article.paragraphs.join("\\n\\n");
    format!(
        "{}<body><div id=\"root\"></div><noscript>You need JavaScript to read this page.</noscript></body></html>",
        head(article, &linked(article, &format!(",\"articleBody\":\"{body}\""))),
    )
}

fn table(article: &Article) -> String {
    format!(
        "{}<body><table width=900><tr><td colspan=2><a href=/>Home</a> | <a href=/w>World</a></td></tr><tr><td width=200>{}</td><td>\
         <font size=5><b>{}</b></font>{}</td></tr><tr><td colspan=2><font size=1>© The Desk, all rights reserved.</font></td></tr>\
         </table></body></html>",
        head(article, ""),
        cards(article),
        article.title,
        each(&article.paragraphs, "<p>", "</p>"),
    )
}

fn breaks(article: &Article) -> String {
    format!(
        "{}<body><div id=top>{MENU}</div><div id=\"news_text\"><h1>{}</h1>{}</div><div class=\"similar related\">{}</div>{FOOTER}\
         </body></html>",
        head(article, ""),
        article.title,
        article.paragraphs.join("<br />\n<br />\n"),
        cards(article),
    )
}

fn blocks(article: &Article) -> String {
    let block = "<div data-component=\"text-block\" class=\"ssrcss-1q\"><div class=\"ssrcss-7u\"><p class=\"ssrcss-9w\">";
    format!(
        "{}<body><header role=\"banner\">{MENU}</header><main id=\"main-content\"><article><div data-component=\"headline-block\"><h1>{}\
         </h1></div><div data-component=\"byline-block\"><p>Anna Berg</p><p>In Karsk</p></div>{}<div data-component=\"links-block\"><p>\
         Related</p>{}</div><div data-component=\"topic-list\"><ul><li><a href=/t>War</a></li></ul></div></article></main>{FOOTER}\
         </body></html>",
        head(article, ""),
        article.title,
        each(&article.paragraphs, block, "</p></div></div>"),
        cards(article),
    )
}

fn sections(article: &Article) -> String {
    let [a, b, c, d, e] = article.paragraphs;
    format!(
        "{}<body>{MENU}<div class=\"wrap\"><div class=\"col-8\"><h1>{}</h1><section class=\"part\"><p>{a}</p><p>{b}</p></section>\
         <div class=\"ad-slot\"><p>Advertisement</p></div><section class=\"part\"><p>{c}</p></section>{LETTER}<section class=\"part\">\
         <p>{d}</p><p>{e}</p></section></div><div class=\"col-4 sidebar\">{}</div></div>{FOOTER}</body></html>",
        head(article, ""),
        article.title,
        cards(article),
    )
}

fn hashed(article: &Article) -> String {
    format!(
        "{}<body><div class=\"css-1a\"><div class=\"css-2b\">{}</div><div class=\"css-3c\"><div class=\"css-4d\"><h1 class=\"css-5e\">{}\
         </h1><div class=\"css-6f\">{}</div></div><div class=\"css-8h\">{}</div></div></div></body></html>",
        head(article, ""),
        MENU,
        article.title,
        each(&article.paragraphs, "<p class=\"css-7g\">", "</p>"),
        cards(article),
    )
}

fn phone(article: &Article) -> String {
    format!(
        "{}<body><header><a href=/>The Desk</a></header><main role=main><div itemprop=\"articleBody\">{}</div><amp-social-share \
         type=mail></amp-social-share><amp-list>{}</amp-list></main>{FOOTER}</body></html>",
        head(article, ""),
        each(&article.paragraphs, "<p>", "</p>"),
        cards(article),
    )
}

fn comments(article: &Article) -> String {
    let comment = format!("<div class=\"comment-body\"><p>{}</p></div>", article.others[2]);
    format!(
        "{}<body>{MENU}<div class=\"container\"><div class=\"post\"><h1>{}</h1><div class=\"post-text\">{}</div></div><section \
         id=\"comments\"><h3>12</h3>{}</section></div>{FOOTER}</body></html>",
        head(article, ""),
        article.title,
        each(&article.paragraphs, "<p>", "</p>"),
        comment.repeat(12),
    )
}

fn unended(article: &Article) -> String {
    format!(
        "{}<body>{MENU}<div class=story><h1>{}</h1>{}</div><div class=recommended>{}</div>",
        head(article, ""),
        article.title,
        each(&article.paragraphs, "<p>", ""),
        cards(article),
    )
}

/// Letters and digits in common, by the words that they make: the harmonic mean of how much of what was found is right, and how
/// much of what is right was found. In scripts without spaces each letter is a word.
pub(crate) fn word_f1(found: &str, right: &str) -> f64 {
    use std::collections::HashMap;
    let count = |text: &str| {
        let mut words: HashMap<String, usize> = HashMap::new();
        let is_wide = |c: char| ('\u{2e80}'..='\u{9fff}').contains(&c);
        let spaced: String = text
            .chars()
            .flat_map(|c| if is_wide(c) { vec![' ', c, ' '] } else { vec![c] })
            .collect();
        let words_of = spaced.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words_of.for_each(|word| *words.entry(word.to_lowercase()).or_default() += 1);
        words
    };
    let (found, right) = (count(found), count(right));
    let common: usize =
        right.iter().map(|(word, times)| *found.get(word).unwrap_or(&0).min(times)).sum();
    let all = |words: &HashMap<String, usize>| words.values().sum::<usize>();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    2.0 * number(common) / number((all(&found) + all(&right)).max(1))
}
