//! JSON Feed 1.0 and 1.1, as publishers write it: numbers for identifiers, one author for many, a
//! `null` among the items. Fields nobody reads are not kept, so memory is bounded by the text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::guard::over_limit_detail;
use super::limits::{LIST_MAX, inherited};
use super::problems::Problems;
use super::{
    Deletions, ENTRIES_MAX, EntryProblem, FeedFormat, ParseFailure, ParsedFeed, json_spans,
};
use crate::model::{Entry, EntryText, FailureClass, Media, Steps, TextKind};

/// Steps for each item: what one costs whatever its length.
const ITEM_STEPS: usize = 100;

/// Reads a JSON Feed.
///
/// # Errors
/// [`ParseFailure`]: `Malformed` if it is not JSON, `TooDeep` past `serde_json`'s 128 levels,
/// `NotAFeed` if it is some other JSON, `TooCostly` if that takes too many steps.
pub(super) fn read(
    text: &str,
    entries_max: usize,
    steps: &Steps,
) -> Result<ParsedFeed, ParseFailure> {
    steps.spend(text.len().saturating_mul(super::READ_STEPS))?;
    let feed: JsonFeed = serde_json::from_str(text).map_err(|err| {
        let detail = err.to_string();
        let class = if detail.contains("recursion limit") {
            FailureClass::TooDeep
        } else if err.is_data() {
            FailureClass::NotAFeed
        } else {
            FailureClass::Malformed
        };
        ParseFailure::at(class, detail, offset(text, err.line(), err.column()))
    })?;
    let is_version =
        feed.version.0.as_ref().is_some_and(|version| version.contains("jsonfeed.org"));
    if !is_version && feed.items.is_none() {
        let detail = "this JSON has neither the version nor the items of a JSON Feed";
        return Err(ParseFailure::whole(FailureClass::NotAFeed, detail));
    }
    let (authors, is_cut) = inherited(names(feed.authors, feed.author));
    let author_bytes: usize = authors.iter().map(String::len).sum();
    let mut wrong = Vec::new();
    let mut over_limit = None;
    let mut left_out = 0;
    let mut entries = Vec::new();
    let items = feed.items.unwrap_or_default();
    steps.spend((items.kept.len() + items.left_out).saturating_mul(ITEM_STEPS))?;
    for (place, item) in items.kept.into_iter().enumerate() {
        match item.0 {
            Some(_) if entries.len() >= entries_max => {
                over_limit.get_or_insert(place);
                left_out += 1;
            }
            Some(item) => {
                let mut entry = adapt(item);
                if entry.authors.is_empty() {
                    steps.spend(author_bytes)?;
                    entry.authors.clone_from(&authors);
                    entry.cut |= is_cut;
                }
                entries.push(entry);
            }
            None => wrong.push(place),
        }
    }
    if items.left_out > 0 {
        over_limit.get_or_insert(ENTRIES_MAX);
    }
    let left_out = left_out + items.left_out as u64;
    let over_limit = over_limit.and_then(|place| {
        let (span, item) = json_spans::items(text, &[place]).pop()?;
        let detail = over_limit_detail(entries_max);
        Some(EntryProblem { entries: left_out, ..EntryProblem::new(detail, span.start, item) })
    });
    Ok(ParsedFeed {
        format: FeedFormat::Json,
        title: feed.title.0,
        language: feed.language.0,
        ttl: None,
        entries,
        deletions: Deletions::default(),
        problems: wrong_items(text, &wrong),
        over_limit,
    })
}

/// The items that are no objects.
fn wrong_items(text: &str, places: &[usize]) -> Vec<EntryProblem> {
    if places.is_empty() {
        return Vec::new();
    }
    let mut problems = Problems::default();
    for ((span, item), place) in json_spans::items(text, places).into_iter().zip(places) {
        let item = if problems.has_room() { item } else { "" };
        let detail = format!("item {} is not an object", place + 1);
        problems.push(EntryProblem::new(detail, span.start, item));
    }
    problems.finish()
}

/// Bytes before a line and column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> u64 {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    (lines.map(str::len).sum::<usize>() + column.saturating_sub(1)) as u64
}

fn adapt(item: JsonItem) -> Entry {
    let text = |kind, value: Scalar| value.0.map(|value| EntryText { kind, value });
    let html = text(TextKind::Html, item.content_html);
    let plain = text(TextKind::Plain, item.content_text);
    let authors = names(item.authors, item.author);
    let files = item.attachments.0.into_iter().filter_map(|file| file.0).filter_map(|file| {
        let (media_type, title) = (file.mime_type.0, file.title.0);
        Some(Media { media_type, title, ..Media::at(file.url.0?) })
    });
    let picture = item.image.0.or(item.banner_image.0).map(Media::at);
    Entry {
        guid: item.id.0.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
        link: item.url.0.or(item.external_url.0),
        base: None,
        title: text(TextKind::Plain, item.title),
        summary: text(TextKind::Plain, item.summary),
        content: html.or(plain),
        authors,
        categories: item.tags.0.into_iter().filter_map(|tag| tag.0).collect(),
        language: item.language.0,
        published: item.date_published.0,
        updated: item.date_modified.0,
        media: picture.into_iter().chain(files).collect(),
        offset: None,
        cut: false,
    }
}

fn names(many: Many<Maybe<JsonAuthor>>, one: Maybe<JsonAuthor>) -> Vec<String> {
    let people = many.0.into_iter().chain([one]).filter_map(|author| author.0?.name.0);
    let mut names: Vec<String> = people.filter(|name| !name.trim().is_empty()).collect();
    names.dedup();
    names
}

#[derive(Deserialize)]
struct JsonFeed {
    #[serde(default)]
    version: Scalar,
    #[serde(default)]
    title: Scalar,
    #[serde(default)]
    language: Scalar,
    #[serde(default)]
    author: Maybe<JsonAuthor>,
    #[serde(default)]
    authors: Many<Maybe<JsonAuthor>>,
    items: Option<Items>,
}

/// Objects of which a key may come twice, as it may in JSON; the last one counts. What serde derives
/// would refuse the whole feed.
macro_rules! lenient_objects {
    ($(struct $name:ident { $($field:ident: $kind:ty,)* })*) => {
        $(
            #[derive(Default)]
            struct $name {
                $($field: $kind,)*
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct ObjectVisitor;

                    impl<'de> Visitor<'de> for ObjectVisitor {
                        type Value = $name;

                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            f.write_str("an object")
                        }

                        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<$name, A::Error> {
                            let mut read = $name::default();
                            while let Some(key) = object.next_key::<String>()? {
                                match key.as_str() {
                                    $(stringify!($field) => read.$field = object.next_value()?,)*
                                    _ => object.next_value::<IgnoredAny>().map(|_nothing| ())?,
                                }
                            }
                            Ok(read)
                        }
                    }

                    deserializer.deserialize_map(ObjectVisitor)
                }
            }
        )*
    };
}

lenient_objects! {
struct JsonAuthor {
    name: Scalar,
}

struct JsonAttachment {
    url: Scalar,
    mime_type: Scalar,
    title: Scalar,
}

struct JsonItem {
    id: Scalar,
    url: Scalar,
    external_url: Scalar,
    title: Scalar,
    content_html: Scalar,
    content_text: Scalar,
    summary: Scalar,
    image: Scalar,
    banner_image: Scalar,
    date_published: Scalar,
    date_modified: Scalar,
    language: Scalar,
    author: Maybe<JsonAuthor>,
    authors: Many<Maybe<JsonAuthor>>,
    tags: Many<Scalar>,
    attachments: Many<Maybe<JsonAttachment>>,
}
}

/// The items, up to the limit.
#[derive(Default)]
struct Items {
    kept: Vec<Maybe<JsonItem>>,
    left_out: usize,
}

/// A string; a number or truth value is its text, anything else is nothing.
#[derive(Default)]
struct Scalar(Option<String>);

/// An object, or nothing.
struct Maybe<T>(Option<T>);

/// A list, or one thing in place of a list.
struct Many<T>(Vec<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The visitor methods for values of which nothing is kept.
macro_rules! nothing {
    ($empty:expr; $($method:ident: $kind:ty),*) => {
        $(fn $method<E: Error>(self, _: $kind) -> Result<Self::Value, E> {
            Ok($empty)
        })*

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($empty)
        }

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON")
        }
    };
}

fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<(), A::Error> {
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar;

            nothing!(Scalar(None); visit_bool: bool);

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(Some(text.to_owned()).filter(|text| !text.trim().is_empty())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(Some(number.to_string())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(Some(number.to_string())))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar, E> {
                // Written out, 1e300 has three hundred digits.
                let is_plain = number == 0.0 || (1e-7..1e21).contains(&number.abs());
                let text = if is_plain { number.to_string() } else { format!("{number:e}") };
                Ok(Scalar(Some(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Scalar, A::Error> {
                skip_list(list).map(|()| Scalar(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Scalar, A::Error> {
                skip_object(object).map(|()| Scalar(None))
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MaybeVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for MaybeVisitor<T> {
            type Value = Maybe<T>;

            nothing!(Maybe(None); visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64,
                visit_str: &str);

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Maybe<T>, A::Error> {
                skip_list(list).map(|()| Maybe(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Maybe<T>, A::Error> {
                let object = serde::de::value::MapAccessDeserializer::new(object);
                T::deserialize(object).map(|value| Maybe(Some(value)))
            }
        }

        deserializer.deserialize_any(MaybeVisitor(std::marker::PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ManyVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
            type Value = Many<T>;

            nothing!(Many(Vec::new()); visit_bool: bool, visit_u64: u64, visit_i64: i64,
                visit_f64: f64);

            fn visit_str<E: Error>(self, text: &str) -> Result<Many<T>, E> {
                let text = serde::de::value::StrDeserializer::new(text);
                T::deserialize(text).map(|value| Many(vec![value]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Many<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(value) = list.next_element()? {
                    // One more than is kept, so that the cut is seen.
                    if many.len() <= LIST_MAX {
                        many.push(value);
                    }
                }
                Ok(Many(many))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Many<T>, A::Error> {
                let object = serde::de::value::MapAccessDeserializer::new(object);
                T::deserialize(object).map(|value| Many(vec![value]))
            }
        }

        deserializer.deserialize_any(ManyVisitor(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;

        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items, A::Error> {
                let mut items = Items::default();
                while items.kept.len() < ENTRIES_MAX {
                    let Some(item) = list.next_element()? else { return Ok(items) };
                    items.kept.push(item);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    items.left_out += 1;
                }
                Ok(items)
            }
        }

        deserializer.deserialize_seq(ItemsVisitor)
    }
}
