//! What is left of an article that its publisher took back (RFC 6721).

use cw_model::{Article, BodySource, DateQuality, Digest, Steps, TooCostly};

use super::{Context, cost, dates, identity, is_repeated, seen_by};
use crate::parse::Deletion;

/// The article that is taken back: what it is known by, and when. `None` if the identifier identifies
/// nothing, as other entries bear it too.
///
/// # Errors
/// [`TooCostly`] if that takes more steps than are left.
pub fn withdrawn(
    context: &Context<'_>,
    deletion: &Deletion,
    steps: &Steps,
) -> Result<Option<Article>, TooCostly> {
    let guid = deletion.guid.as_str();
    steps.spend(cost::of_deletion(deletion))?;
    if is_repeated(context, guid) {
        return Ok(None);
    }
    let stable = identity::stable_guid(guid, None);
    let marks =
        identity::Marks { guid: Some(stable.as_ref()), link: None, title: None, text: None };
    let (id, identity) = identity::article_id(&context.feed.id, &marks);
    let id = seen_by(context, id, &marks, Some(guid), steps)?;
    let mut dates = dates::believe(None, deletion.at.as_deref(), context.dates, context.now);
    // Nobody asked when it was published.
    dates.quality.retain(|odd| *odd != DateQuality::Missing);
    Ok(Some(Article {
        id,
        identity,
        digest: Digest::WITHDRAWN,
        fingerprint: None,
        url: None,
        guid: Some(guid.to_owned()),
        title: None,
        summary: None,
        body: None,
        body_source: BodySource::Feed,
        truncated: false,
        repaired: false,
        authors: Vec::new(),
        categories: Vec::new(),
        language: None,
        media: Vec::new(),
        published_at: None,
        updated_at: dates.updated_at,
        published_raw: None,
        date_quality: dates.quality,
    }))
}
