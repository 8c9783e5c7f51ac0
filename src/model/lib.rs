//! The nouns of the program, and no behaviour beyond their own invariants.
//!
//! One word for one thing, in code, configuration, logs, metrics and prose:
//!
//! | word | meaning |
//! |---|---|
//! | feed | a document we poll, as configured: id, URL, publisher, overrides |
//! | entry | one `<item>`, `<entry>` or sitemap `<url>`, in the publisher's words |
//! | article | an entry in our words: clean text, resolved links, believed dates, stable identity |
//! | revision | the n-th version of one article |
//! | digest | exact hash of the parts whose change makes a revision |
//! | fingerprint | 64-bit similarity hash of title and body |
//! | actor | an entry of the dictionary: state, force, armed group, agency, office |
//! | place | an entry of the gazetteer that an article names; one may be where it happened |
//! | role | what an actor is in one tag: attacker, target, mediator, party |
//! | claim | how a tag is said (reported, alleged, denied, …), and by whom |
//! | tag | one subject from the taxonomy; "topic" is only ever a Kafka topic |
//! | coding | what the article says about conflict, each piece with evidence |
//! | evidence | the span of text a piece of coding rests on, counted in Unicode code points |
//! | record | article and coding in wire form |
//! | reject | what could not be read, and why |
//! | answer | what a fetch came to |
//! | outcome | everything one poll changes |
//! | step | one unit of what reading a document may cost |
//! | ledger | where outcomes are committed |

pub mod actor;
pub mod answer;
pub mod article;
pub mod counts;
pub mod country;
pub mod digest;
pub mod entry;
pub mod evidence;
pub mod feed;
pub mod ids;
pub mod lane;
pub mod outcome;
pub mod page;
pub mod place;
pub mod quota;
pub mod record;
pub mod reject;
pub mod request;
pub mod route;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
pub mod skips;
pub mod state;
pub mod steps;
pub mod tag;
pub mod time;

pub use actor::{Actor, ActorKind, Claim, ClaimStatus, Role, RoleKind};
pub use answer::{
    Answer, Body, Conditions, Deltas, DocumentKind, Failure, FailureClass, Freshness,
    HUB_URL_BYTES_MAX, HubLinks, IfRefused, Instance, Moved, MovedBy, Network, NotModified,
    Validators,
};
pub use article::{Article, BodySource, Change, DateQuality, Fingerprint, IdentityRule};
pub use counts::FeedCounts;
pub use entry::{Entry, EntryText, Media, TextKind};
pub use evidence::{Evidence, Field};
pub use feed::{
    Backlog, Feed, FeedId, FeedProxy, FullText, PrivateNetworks, UrlQuery, without_query,
};
pub use ids::{ArticleId, Digest};
pub use lane::LaneState;
pub use outcome::{Changed, EntryCounts, Outcome, PollResult, Urgency};
pub use page::PageRefusal;
pub use place::{Place, PlaceKind};
pub use quota::Quota;
pub use record::{Record, Reject};
pub use request::{HttpChoice, RedirectPolicy, RequestHeader, RequestSettings};
pub use route::{Route, Routed};
pub use skips::Skips;
pub use steps::{Steps, TooCostly};
pub use tag::{Casualties, CasualtyKind, CasualtyScope, CasualtySide, Coding, Related, Tag, TagId};
pub use time::Timestamp;
