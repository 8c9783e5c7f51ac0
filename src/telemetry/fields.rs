//! Every dotted log field, so that one thing has one name.
//!
//! Names with a meaning in OpenTelemetry's semantic conventions (v1.45) are used for that meaning:
//! `error.type`, `url.full`. A test refuses any field that is not listed here.

/// The fields.
pub const FIELDS: [&str; 36] = [
    "admin.address",
    "code.location",
    "config.path",
    "config.problem",
    "error.type",
    "exception.stacktrace",
    "entry.new",
    "entry.revised",
    "entry.rejected",
    "entry.over_limit",
    "entry.over_quota",
    "feed.count",
    "feed.id",
    "feed.added",
    "feed.removed",
    "feed.moved_to",
    "feed.restored",
    "lane.number",
    "lane.numbers",
    "lane.sequence",
    "lane.careful_until",
    "commit.found",
    "kafka.facility",
    "kafka.text",
    "ledger.kind",
    "ledger.instance",
    "ledger.deployment",
    "ledger.path",
    "poll.failures",
    "poll.next_at",
    "drain.unfinished",
    "process.signal",
    "service.version",
    "tag.lexicons",
    "thread.name",
    "url.full",
];
