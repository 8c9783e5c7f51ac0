//! What relative references resolve against, by `xml:base`: joined only where an entry asks, once, and
//! shared by all entries that stand under it.

use std::sync::Arc;

use cw_model::{Steps, TooCostly};
use url::Url;

/// The longest base, as written and as resolved, in bytes: each link under it is joined with it.
const BASE_BYTES_MAX: usize = 2048;

/// Steps for each byte of two bases that are joined.
const JOIN_STEPS: usize = 4;

/// The bases of the elements that are open.
#[derive(Debug)]
pub(super) struct Bases<'a> {
    url: &'a Url,
    steps: &'a Steps,
    open: Vec<Base>,
}

#[derive(Debug)]
struct Base {
    depth: usize,
    written: String,
    /// Whether it is too long, as written or as joined: then it counts for nothing.
    is_cut: bool,
    /// Once somebody asked: what it comes to, which is what is around it if it is none.
    resolved: Option<Option<Arc<Url>>>,
}

impl<'a> Bases<'a> {
    /// Those of a document that this URL served.
    pub(super) fn new(url: &'a Url, steps: &'a Steps) -> Self {
        Self { url, steps, open: Vec::new() }
    }

    /// Takes in the base of an element.
    pub(super) fn open(&mut self, depth: usize, written: String) {
        let is_cut = written.len() > BASE_BYTES_MAX;
        let written = if is_cut { String::new() } else { written };
        self.open.push(Base { depth, written, is_cut, resolved: None });
    }

    /// Forgets the base of an element that ends.
    pub(super) fn close(&mut self, depth: usize) {
        while self.open.last().is_some_and(|base| base.depth >= depth) {
            self.open.pop();
        }
    }

    /// Whether the last answer of [`Self::current`] leaves out a base that is too long.
    pub(super) fn is_cut(&self) -> bool {
        self.open.iter().any(|base| base.is_cut)
    }

    /// The base in force; `None` if it is the document's own URL.
    pub(super) fn current(&mut self) -> Result<Option<Arc<Url>>, TooCostly> {
        let fits = |base: &Url| base.as_str().len() <= BASE_BYTES_MAX;
        let mut outer: Option<Arc<Url>> = None;
        for base in self.open.iter_mut().filter(|base| !base.is_cut) {
            let resolved = match base.resolved.take() {
                Some(resolved) => resolved,
                None => {
                    let around = outer.as_deref().unwrap_or(self.url);
                    let bytes = around.as_str().len() + base.written.len();
                    self.steps.spend(bytes * JOIN_STEPS)?;
                    let joined = around.join(&base.written).ok();
                    base.is_cut = joined.as_ref().is_some_and(|base| !fits(base));
                    joined.filter(fits).map(Arc::new).or(outer)
                }
            };
            base.resolved = Some(resolved.clone());
            outer = resolved;
        }
        Ok(outer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        Url::parse("https://example.org/feeds/world.xml").unwrap()
    }

    #[track_caller]
    fn check(written: &[&str], expected: Option<&str>) {
        let (url, steps) = (url(), Steps::new(u64::MAX));
        let mut bases = Bases::new(&url, &steps);
        for (depth, base) in written.iter().enumerate() {
            bases.open(depth, (*base).to_owned());
        }
        let current = bases.current().unwrap();
        assert_eq!(current.as_deref().map(Url::as_str), expected, "{written:?}");
    }

    #[test]
    fn bases_are_joined_from_the_outermost_to_the_innermost() {
        check(&[], None);
        check(&["/news/"], Some("https://example.org/news/"));
        check(&["/news/", "today/"], Some("https://example.org/news/today/"));
        check(&["https://a.example/", "b/", "/c/"], Some("https://a.example/c/"));
    }

    #[test]
    fn what_is_no_base_changes_nothing() {
        check(&["http://["], None);
        check(&["/news/", "http://[", "today/"], Some("https://example.org/news/today/"));
    }

    #[test]
    fn a_base_is_bounded_as_written_and_as_joined() {
        let fits = format!("/{}/", "a".repeat(1900));
        check(&[&fits], Some(&format!("https://example.org{fits}")));
        check(&[&format!("/{}/", "a".repeat(BASE_BYTES_MAX))], None);
        check(&[&fits, &"b".repeat(200)], Some(&format!("https://example.org{fits}")));
        check(
            &[&fits, &format!("{}/", "ж".repeat(100))],
            Some(&format!("https://example.org{fits}")),
        );
    }

    #[test]
    fn a_base_is_joined_once_and_shared() {
        let (url, steps) = (url(), Steps::new(u64::MAX));
        let mut bases = Bases::new(&url, &steps);
        bases.open(0, "/news/".to_owned());
        let first = bases.current().unwrap().unwrap();
        let spent = steps.spent();
        let second = bases.current().unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(steps.spent(), spent);
        bases.open(1, "https://other.example/".to_owned());
        assert_eq!(bases.current().unwrap().unwrap().as_str(), "https://other.example/");
        bases.close(1);
        assert!(Arc::ptr_eq(&bases.current().unwrap().unwrap(), &first));
    }
}
