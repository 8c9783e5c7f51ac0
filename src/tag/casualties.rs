//! How many people, of what, in which scope.

use super::segment::Document;
use crate::model::Casualties;

/// Every number of casualties in a document, in order of appearance.
pub(super) fn read(_document: &Document<'_>) -> Vec<Casualties> {
    Vec::new()
}
