//! The headers of published records: those of CloudEvents 1.0 in the binary mode of its Kafka binding,
//! and three of ours. Records get their headers from this table, and `conflictwire schema asyncapi`
//! says from it what they are. Pure.

use cw_model::record::{REJECT_SCHEMA_ID, SCHEMA_ID};
use cw_model::{Record, Reject};
use serde_json::{Value, json};
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

/// The version of CloudEvents.
const SPEC_VERSION: &str = "1.0";

/// The media type of every value.
const MEDIA_TYPE: &str = "application/json";

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A revision of an article.
    Article,
    /// Something that could not be read.
    Reject,
}

/// Every header, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum Header {
    /// The version of CloudEvents.
    #[strum(serialize = "ce_specversion")]
    SpecVersion,
    /// Tells one event from all others.
    #[strum(serialize = "ce_id")]
    Id,
    /// Where it comes from.
    #[strum(serialize = "ce_source")]
    Source,
    /// What happened.
    #[strum(serialize = "ce_type")]
    Type,
    /// When.
    #[strum(serialize = "ce_time")]
    Time,
    /// To what.
    #[strum(serialize = "ce_subject")]
    Subject,
    /// Which schema the value has.
    #[strum(serialize = "ce_dataschema")]
    DataSchema,
    /// Which form the value has.
    #[strum(serialize = "content-type")]
    ContentType,
    /// Whose it is.
    #[strum(serialize = "cw_feed")]
    Feed,
    /// The language of an article, if it is known.
    #[strum(serialize = "cw_lang")]
    Language,
    /// The conflict tags of an article, if it has some.
    #[strum(serialize = "cw_tags")]
    Tags,
}

impl Header {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether every published record has it.
    pub fn is_required(self) -> bool {
        !matches!(self, Self::Language | Self::Tags)
    }

    fn of_article(self, record: &Record) -> Option<String> {
        Some(match self {
            Self::SpecVersion => SPEC_VERSION.to_owned(),
            Self::Id => format!("{}:{}", record.id, record.revision),
            Self::Source => record.feed.url.clone(),
            Self::Type => format!("conflictwire.article.{}", record.change.name()),
            Self::Time => record.observed.at.clone(),
            Self::Subject => record.id.clone(),
            Self::DataSchema => SCHEMA_ID.to_owned(),
            Self::ContentType => MEDIA_TYPE.to_owned(),
            Self::Feed => record.feed.id.clone(),
            Self::Language => return record.language.clone(),
            Self::Tags => {
                let tags = record.conflict.iter().flat_map(|conflict| &conflict.tags);
                let tags = tags.map(|tag| tag.id.as_str()).collect::<Vec<_>>().join(",");
                return Some(tags).filter(|tags| !tags.is_empty());
            }
        })
    }

    fn of_reject(self, reject: &Reject) -> Option<String> {
        Some(match self {
            Self::SpecVersion => SPEC_VERSION.to_owned(),
            Self::Id | Self::Subject => reject.id.clone(),
            Self::Source => reject.url.clone(),
            Self::Type => "conflictwire.reject.created".to_owned(),
            Self::Time => reject.at.clone(),
            Self::DataSchema => REJECT_SCHEMA_ID.to_owned(),
            Self::ContentType => MEDIA_TYPE.to_owned(),
            Self::Feed => reject.feed_id.clone(),
            Self::Language | Self::Tags => return None,
        })
    }

    /// Its JSON Schema, with what it means; `None` if records about this have none.
    pub fn schema(self, subject: Subject) -> Option<Value> {
        let text = |about: &str| json!({ "type": "string", "description": about });
        let constant = |value: &str, about: &str| json!({ "type": "string", "const": value, "description": about });
        let formatted = |format: &str, about: &str| json!({ "type": "string", "format": format, "description": about });
        let about = |article: &'static str, reject: &'static str| match subject {
            Subject::Article => article,
            Subject::Reject => reject,
        };
        Some(match self {
            Self::SpecVersion => constant(SPEC_VERSION, "The version of CloudEvents."),
            Self::Id => text(about(
                "One revision of one article, {article id}:{revision}: the same on every delivery.",
                "The reject's id: the same refusal has the same one.",
            )),
            Self::Source => formatted(
                "uri",
                "The feed's URL, without its query unless the feed is configured to publish it.",
            ),
            Self::Type => {
                let types: &[&str] = match subject {
                    Subject::Article => &[
                        "conflictwire.article.created",
                        "conflictwire.article.updated",
                        "conflictwire.article.withdrawn",
                    ],
                    Subject::Reject => &["conflictwire.reject.created"],
                };
                json!({
                    "anyOf": [{ "enum": types }, { "type": "string" }],
                    "description": "What happened; a later version may know more.",
                })
            }
            Self::Time => formatted("date-time", "When it was observed; RFC 3339, UTC."),
            Self::Subject => text(about("The article's id: the key.", "The reject's id: the key.")),
            Self::DataSchema => constant(
                about(SCHEMA_ID, REJECT_SCHEMA_ID),
                "Names the schema of the value and its version.",
            ),
            Self::ContentType => constant(MEDIA_TYPE, "The media type of the value."),
            Self::Feed => text("The feed's id in the configuration."),
            Self::Language | Self::Tags if subject == Subject::Reject => return None,
            Self::Language => text("The article's language, BCP 47; absent if it is not known."),
            Self::Tags => text(
                "The ids of its conflict tags, best first, with commas between them; absent if \
                 there are none.",
            ),
        })
    }
}

/// The headers of an article's record: names and values.
pub fn of_article(record: &Record) -> Vec<(&'static str, String)> {
    Header::iter().filter_map(|one| Some((one.name(), one.of_article(record)?))).collect()
}

/// The headers of a reject's record.
pub fn of_reject(reject: &Reject) -> Vec<(&'static str, String)> {
    Header::iter().filter_map(|one| Some((one.name(), one.of_reject(reject)?))).collect()
}

#[cfg(test)]
mod tests {
    use cw_model::samples::{record, reject, tagged};

    use super::*;

    #[test]
    fn a_record_has_every_required_header_and_none_that_is_not_described() {
        let articles = [record(1, "one"), tagged(2, "two", "strike.air")];
        let all = articles.iter().map(|record| (Subject::Article, of_article(record)));
        for (subject, headers) in all.chain([(Subject::Reject, of_reject(&reject(3)))]) {
            for one in Header::iter() {
                let value = headers.iter().find(|(name, _)| *name == one.name());
                assert!(value.is_some() || !one.is_required(), "{one:?} of {subject:?}");
                assert!(value.is_none() || one.schema(subject).is_some(), "{one:?} of {subject:?}");
            }
        }
    }
}
