//! Why a text is coded as it is, written for a person or as JSON. What there is to say, `cw-code` says.

use std::io::Write;

use anstyle::{AnsiColor, Style as Paint};
use cw_code::{
    CueFound, Explanation, Flip, Given, LostReason, LostWhy, Reason, Rule, ScoreParts, Subject,
    TagExplained, Verdict,
};
use cw_model::record::RecordEvidence;
use cw_model::{Evidence, Field, RoleKind};
use serde_json::{Value, json};

use super::show::text::Text;
use super::show::{Medium, QUIET, STRONG, tag_paint};

/// The width it is laid out for where there is no terminal, and at most: longer lines are hard to read.
const COLUMNS: usize = 80;

/// Features of the model that a person is shown; JSON has all.
const WEIGHTS_SHOWN: usize = 12;

/// Tops of the taxonomy that a person is shown.
const TOPS_SHOWN: usize = 3;

/// What keeps or takes away.
const AGAINST: Paint = AnsiColor::Yellow.on_default();

/// Writes explanations for a person.
pub(super) struct ExplanationWriter<'a, W> {
    out: &'a mut W,
    medium: Medium,
    columns: usize,
}

impl<'a, W: Write> ExplanationWriter<'a, W> {
    /// For what is being written to.
    pub(super) fn new(out: &'a mut W, medium: Medium) -> Self {
        let columns = match medium {
            Medium::Terminal { columns } => columns.min(COLUMNS),
            Medium::Pipe => COLUMNS,
        };
        Self { out, medium, columns }
    }

    /// Writes one explanation.
    ///
    /// # Errors
    /// Those of what is written to.
    pub(super) fn explain(&mut self, explanation: &Explanation) -> std::io::Result<()> {
        let Explanation { coding, bar, tags, lost, subjects, score, flips } = explanation;
        let verdict = if coding.relevant { "relevant" } else { "not relevant" };
        let score_text = coding.score.map(|score| format!(", score {score:.3}"));
        let score_text = score_text.unwrap_or_default();
        let line = format!("{verdict}{score_text}; the bar is {bar}; lexicon {}", coding.lexicon);
        self.line(2, &line, QUIET)?;
        self.section("tags")?;
        if tags.is_empty() {
            self.line(4, "no term, no pattern and no model speaks for any", QUIET)?;
        }
        for tag in tags {
            self.tag(tag, explanation)?;
        }
        let (covered, lost): (Vec<_>, Vec<_>) =
            lost.iter().partition(|lost| matches!(lost.why, LostWhy::Covered));
        if !lost.is_empty() {
            self.section("what did not count")?;
            lost.iter().try_for_each(|lost| self.lost(lost))?;
        }
        if !covered.is_empty() {
            let count = super::check::counted(covered.len(), "reason");
            self.line(4, &format!("and {count} of which a better one has the words"), QUIET)?;
        }
        if !subjects.is_empty() {
            self.section("subjects that borrow the words of war")?;
            subjects.iter().try_for_each(|subject| self.subject(subject))?;
        }
        if let Some(score) = score {
            self.score(score)?;
        }
        self.section("what would change the verdict")?;
        self.flips(flips, explanation)
    }

    fn section(&mut self, name: &str) -> std::io::Result<()> {
        self.line(2, name, STRONG)
    }

    fn tag(&mut self, tag: &TagExplained, whole: &Explanation) -> std::io::Result<()> {
        let id = tag.id.as_str();
        let mut head = Text::new(id, tag_paint(id));
        head.push(&format!("  {:.3}  ", tag.score), Paint::new());
        head.append(verdict(&tag.verdict));
        self.text(4, head)?;
        for reason in &tag.reasons {
            self.reason(reason)?;
        }
        for (role, actor, words) in &tag.roles {
            let name: &str = (*role).into();
            let words = words.as_ref().map(|words| format!(", {}", quoted(words)));
            let line =
                format!("{name}: {} ({}){}", actor.name, actor.id, words.unwrap_or_default());
            self.line(6, &line, Paint::new())?;
        }
        let given = whole.coding.tags.iter().find(|one| one.id == tag.id);
        if let Some(claim) = given.and_then(|tag| tag.claim.as_ref()) {
            let status: &str = claim.status.into();
            let by = claim.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            self.line(6, &format!("claim: {status}{by}"), Paint::new())?;
        }
        Ok(())
    }

    fn reason(&mut self, reason: &Reason) -> std::io::Result<()> {
        let Reason { rule, words, weight, worth, cues } = reason;
        let place = match words.field {
            Field::Title => "headline",
            Field::Summary => "summary",
            Field::Body => "body",
        };
        let line = format!("{} in the {place}: weight {weight}, counts {worth}", quoted(words));
        self.line(6, &line, Paint::new())?;
        self.line(8, &format!("{} {}", shown_place(rule), rule.text), QUIET)?;
        cues.iter().try_for_each(|found| self.line(8, &cue(found), AGAINST))
    }

    fn lost(&mut self, lost: &LostReason) -> std::io::Result<()> {
        let mut head = Text::new(lost.tag.as_str(), tag_paint(lost.tag.as_str()));
        head.push(&format!("  {}", quoted(&lost.words)), Paint::new());
        self.text(4, head)?;
        let why = match &lost.why {
            LostWhy::Needs(sets) => {
                format!("needs a word of {} somewhere in the text", sets.join(" or "))
            }
            LostWhy::Without(words) => {
                format!("does not count in a sentence with {}", quoted(words))
            }
            LostWhy::Negated(found) => cue(found),
            LostWhy::Masked(rule, words) => {
                format!("hidden by {}, {}", quoted(words), shown_place(rule))
            }
            LostWhy::Covered => "a better reason has its words".to_owned(),
        };
        self.line(6, &why, AGAINST)?;
        self.line(6, &format!("{} {}", shown_place(&lost.rule), lost.rule.text), QUIET)
    }

    fn subject(&mut self, subject: &Subject) -> std::io::Result<()> {
        let Subject { flag, rule, score, bar, vetoes, words } = subject;
        let does = if *vetoes { "takes tags away" } else { "takes nothing away" };
        let mut line = Text::new(flag, if *vetoes { AGAINST } else { Paint::new() });
        let words: Vec<String> = words.iter().map(quoted).collect();
        line.push(
            &format!("  {score:.3}, bar {bar}: {does}; {} {}", words.join(", "), shown_place(rule)),
            Paint::new(),
        );
        self.text(4, line)
    }

    fn score(&mut self, score: &ScoreParts) -> std::io::Result<()> {
        let ScoreParts { probability, sum, bar, base, meaning, rules, weights, tops } = score;
        self.section("score")?;
        let distance = sum - bar;
        let side = if distance >= 0.0 { "over" } else { "under" };
        let line = format!(
            "{probability:.3} is {sum:+.2} in log-odds, {:.2} {side} the bar of {bar:+.2}; it is the sum of",
            distance.abs()
        );
        self.line(4, &line, Paint::new())?;
        let adds = |adds: f64, name: &str| format!("{adds:+7.2}  {name}");
        self.line(4, &adds(*base, "any text"), Paint::new())?;
        self.line(4, &adds(*rules, "the best score of the rules"), Paint::new())?;
        self.line(4, &adds(*meaning, "what the words mean on the mean"), Paint::new())?;
        let (shown, rest) = weights.split_at(weights.len().min(WEIGHTS_SHOWN));
        for weight in shown {
            self.line(4, &adds(weight.adds, &weight.name), Paint::new())?;
        }
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|weight| weight.adds).sum();
            let name = format!("{} weaker ones together", rest.len());
            self.line(4, &adds(sum, &name), QUIET)?;
        }
        let shown = tops.iter().take(TOPS_SHOWN);
        let tops: Vec<String> = shown.map(|(top, likely)| format!("{top} {likely:.3}")).collect();
        self.line(4, &format!("by the model it speaks most likely of {}", tops.join(", ")), QUIET)
    }

    fn flips(&mut self, flips: &[Flip], whole: &Explanation) -> std::io::Result<()> {
        if flips.is_empty() {
            let what = match (whole.coding.relevant, whole.tags.is_empty()) {
                (true, _) => "no one phrase decides it: it stays relevant whichever is left out",
                (false, true) => "there is no phrase to leave out",
                (false, false) => {
                    "no one phrase stands against it: it stays irrelevant whichever is left out"
                }
            };
            return self.line(4, what, QUIET);
        }
        for flip in flips {
            let score = flip.score.map(|score| format!(" ({score:.3})")).unwrap_or_default();
            let verdict = match (flip.relevant, whole.coding.relevant) {
                (true, true) => String::new(),
                (true, false) => format!("relevant{score}"),
                (false, _) => format!("not relevant{score}"),
            };
            let gained: Vec<&str> = flip.gained.iter().map(|id| id.as_str()).collect();
            let gained = (!gained.is_empty()).then(|| format!("also {}", gained.join(", ")));
            let parts: Vec<String> =
                [verdict].into_iter().filter(|part| !part.is_empty()).chain(gained).collect();
            let line = format!("without {}: {}", quoted(&flip.without), parts.join(", "));
            self.line(4, &line, Paint::new())?;
        }
        Ok(())
    }

    /// A line in one style.
    pub(super) fn line(&mut self, indent: usize, text: &str, paint: Paint) -> std::io::Result<()> {
        self.text(indent, Text::new(text, paint))
    }

    /// A line, and below it, further in, what it has no room for.
    fn text(&mut self, indent: usize, text: Text) -> std::io::Result<()> {
        let room = self.columns.saturating_sub(indent + 2);
        for (index, line) in text.broken(room).into_iter().enumerate() {
            let indent = if index == 0 { indent } else { indent + 2 };
            let mut whole = Text::default().pad(indent);
            whole.append(match self.medium {
                Medium::Terminal { .. } => line.isolated(),
                Medium::Pipe => line,
            });
            self.medium.write(self.out, &whole)?;
        }
        Ok(())
    }
}

fn verdict(verdict: &Verdict) -> Text {
    let (text, paint) = match verdict {
        Verdict::Given(Given::ByRules) => ("given".to_owned(), STRONG),
        Verdict::Given(Given::ByModel) => ("given by the model alone".to_owned(), STRONG),
        Verdict::BelowBar { lacking } => {
            (format!("not given: one reason more of weight {lacking} would do"), AGAINST)
        }
        Verdict::Vetoed(flags) => {
            (format!("not given: the subject is {}", flags.join(", ")), AGAINST)
        }
        Verdict::SaidBy(id) => (format!("not given: {} says more", id.as_str()), QUIET),
        Verdict::NotRelevant => ("not given: the text is not relevant".to_owned(), AGAINST),
        Verdict::Unlikely(likely) => {
            (format!("not given: unlikely by the model ({likely:.3})"), AGAINST)
        }
    };
    Text::new(&text, paint)
}

fn quoted(words: &Evidence) -> String {
    format!("\"{}\"", words.text)
}

fn shown_place(rule: &Rule) -> String {
    format!("{}:{}", rule.file, rule.line)
}

fn cue(found: &CueFound) -> String {
    let CueFound { effect, flag, rule, words } = found;
    let does = match *effect {
        "negates" => "takes it back".to_owned(),
        "halves" => "halves it".to_owned(),
        "flags" => "changes nothing but".to_owned(),
        status => format!("makes it {status}"),
    };
    let flag = flag.as_ref().map(|flag| format!(" (flag {flag})")).unwrap_or_default();
    format!("{} {does}{flag}, {}", quoted(words), shown_place(rule))
}

/// An explanation as JSON. For programs of today: another version may say it in another way.
pub(super) fn as_json(explanation: &Explanation) -> Value {
    let Explanation { coding: _, bar, tags, lost, subjects, score, flips } = explanation;
    json!({
        "bar": bar,
        "tags": tags.iter().map(tag_json).collect::<Vec<_>>(),
        "lost": lost.iter().map(lost_json).collect::<Vec<_>>(),
        "subjects": subjects.iter().map(|one| json!({
            "flag": one.flag, "rule": rule_json(&one.rule), "score": one.score, "bar": one.bar,
            "vetoes": one.vetoes, "words": one.words.iter().map(words_json).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "score": score.as_ref().map(|one| json!({
            "probability": one.probability, "sum": one.sum, "bar": one.bar, "base": one.base,
            "meaning": one.meaning, "rules": one.rules,
            "weights": one.weights.iter()
                .map(|weight| json!({ "name": weight.name, "adds": weight.adds }))
                .collect::<Vec<_>>(),
            "tops": one.tops.iter()
                .map(|(id, likely)| json!({ "id": id, "probability": likely }))
                .collect::<Vec<_>>(),
        })),
        "flips": flips.iter().map(|flip| json!({
            "without": words_json(&flip.without), "relevant": flip.relevant, "score": flip.score,
            "gained": flip.gained.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

fn tag_json(tag: &TagExplained) -> Value {
    let (verdict, detail) = match &tag.verdict {
        Verdict::Given(Given::ByRules) => ("given", Value::Null),
        Verdict::Given(Given::ByModel) => ("given_by_model", Value::Null),
        Verdict::BelowBar { lacking } => ("below_bar", json!(lacking)),
        Verdict::Vetoed(flags) => ("vetoed", json!(flags)),
        Verdict::SaidBy(id) => ("said_by", json!(id.as_str())),
        Verdict::NotRelevant => ("not_relevant", Value::Null),
        Verdict::Unlikely(likely) => ("unlikely", json!(likely)),
    };
    let role = |(role, actor, words): &(RoleKind, cw_model::Actor, Option<Evidence>)| {
        let name: &str = (*role).into();
        json!({ "role": name, "actor": actor.id, "words": words.as_ref().map(words_json) })
    };
    json!({
        "id": tag.id.as_str(), "score": tag.score, "verdict": verdict, "detail": detail,
        "reasons": tag.reasons.iter().map(|one| json!({
            "rule": rule_json(&one.rule), "words": words_json(&one.words), "weight": one.weight,
            "worth": one.worth, "cues": one.cues.iter().map(cue_json).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "roles": tag.roles.iter().map(role).collect::<Vec<_>>(),
    })
}

fn lost_json(lost: &LostReason) -> Value {
    let (why, by) = match &lost.why {
        LostWhy::Needs(sets) => ("needs", json!(sets)),
        LostWhy::Without(words) => ("without", words_json(words)),
        LostWhy::Negated(found) => ("negated", cue_json(found)),
        LostWhy::Masked(rule, words) => {
            ("masked", json!({ "rule": rule_json(rule), "words": words_json(words) }))
        }
        LostWhy::Covered => ("covered", Value::Null),
    };
    json!({
        "tag": lost.tag.as_str(), "rule": rule_json(&lost.rule), "words": words_json(&lost.words),
        "why": why, "by": by,
    })
}

fn cue_json(found: &CueFound) -> Value {
    json!({
        "effect": found.effect, "flag": found.flag, "rule": rule_json(&found.rule),
        "words": words_json(&found.words),
    })
}

fn rule_json(rule: &Rule) -> Value {
    json!({ "file": rule.file, "line": rule.line, "text": rule.text })
}

fn words_json(words: &Evidence) -> Value {
    json!(RecordEvidence::from(words))
}
