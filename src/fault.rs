//! Named points at which the test suite kills the process, as `kill -9` does, stops it until somebody
//! wakes it, or lets it forget what it was answered.
//!
//! Compiled to nothing without the feature `fault-points`, which no released binary has. Which
//! point, and at which passing of it, comes from `CONFLICTWIRE_FAULT` ("name" or "name:3", with
//! "stop " or "forget " before it), read in `config` and armed in `main`.

use strum::IntoStaticStr;

/// A place where dying must lose nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Point {
    /// The answer is here, nothing was made of it.
    AfterFetch,
    /// The pages that the outcome wants are here too, and nothing was made of them.
    AfterPages,
    /// The outcome is in memory only.
    AfterProcess,
    /// SQLite: the writer holds outcomes, the transaction has not begun. Kafka: every record of the
    /// transaction is acknowledged.
    BeforeCommit,
    /// Rows are written, the database transaction is open.
    InsideCommit,
    /// The transaction is committed, nobody has been told.
    AfterCommit,
    /// The database is open, no state has been read.
    InStartUp,
    /// A migration is half done.
    InMigration,
    /// Old articles are half deleted.
    InRetention,
    /// The new configuration is read, the feeds are being exchanged.
    InReload,
    /// Shutdown has begun, the ledger is not closed.
    InDrain,
    /// A Kafka transaction has begun, nothing is sent.
    AfterBegin,
    /// The first record of a Kafka transaction is acknowledged.
    AfterFirstReport,
    /// The feed states of a Kafka transaction are with the broker, `__lane` is not.
    AfterStateSent,
    /// `__lane` is with the broker too.
    AfterLaneSent,
    /// A lane's id is being fenced.
    InFence,
    /// A lane's states are half read.
    InRestore,
}

impl Point {
    /// Its name in `CONFLICTWIRE_FAULT`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

#[cfg(feature = "fault-points")]
mod armed {
    use std::process::Command;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use crate::fault::Point;

    /// What happens at a point.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fault {
        Kill,
        Stop,
        Forget,
    }

    struct Armed {
        name: String,
        left: AtomicU64,
        fault: Fault,
    }

    static ARMED: OnceLock<Armed> = OnceLock::new();

    /// Arms "name" or "name:3": die at the third passing of that point. "stop name": stop there.
    /// "forget name": forget there what was answered.
    pub fn arm(spec: &str) {
        let (fault, spec) = match spec.split_once(' ') {
            Some(("stop", spec)) => (Fault::Stop, spec),
            Some(("forget", spec)) => (Fault::Forget, spec),
            Some(_) | None => (Fault::Kill, spec),
        };
        let (name, count) = spec.split_once(':').unwrap_or((spec, "1"));
        let left = AtomicU64::new(count.parse().unwrap_or(1));
        // A second call changes nothing: the process dies at most once.
        let _already = ARMED.set(Armed { name: name.to_owned(), left, fault });
    }

    /// The fault that this passing of a point is the time of.
    fn due(point: Point, is_meant: impl Fn(Fault) -> bool) -> Option<Fault> {
        let armed =
            ARMED.get().filter(|armed| armed.name == point.name() && is_meant(armed.fault))?;
        (armed.left.fetch_sub(1, Ordering::SeqCst) == 1).then_some(armed.fault)
    }

    /// Whether a passing of this point, this one or a later, is to kill or stop us.
    pub fn is_armed(point: Point) -> bool {
        ARMED.get().is_some_and(|armed| {
            // It goes on below zero.
            let left = armed.left.load(Ordering::SeqCst).cast_signed();
            armed.name == point.name() && armed.fault != Fault::Forget && left > 0
        })
    }

    /// Whether what was answered here is to be forgotten.
    pub fn forgets(point: Point) -> bool {
        due(point, |fault| fault == Fault::Forget).is_some()
    }

    /// Dies or stops here if armed.
    pub fn point(point: Point) {
        point_after(point, || {});
    }

    /// Dies or stops here if armed, after this is done.
    ///
    /// # Panics
    /// If the system does not let us kill ourselves.
    pub fn point_after(point: Point, prepare: impl FnOnce()) {
        let signal = match due(point, |fault| fault != Fault::Forget) {
            Some(Fault::Kill) => "KILL",
            Some(Fault::Stop) => "STOP",
            Some(Fault::Forget) | None => return,
        };
        prepare();
        // The shell's parent is this process; neither signal can be caught, so nothing of ours runs
        // on before we are dead, or woken.
        let kill = format!("kill -{signal} $PPID");
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(signal == "STOP", "{kill} came back with {status:?}");
    }
}

/// What a document does to whoever reads it, if it holds one of these texts: tests have no other that
/// would still do so.
#[cfg(feature = "fault-points")]
mod striking {
    use std::hint::black_box;
    use std::path::Path;
    use std::time::Duration;

    /// Overflows the stack.
    const DEEP: &str = "conflictwire-fault:deep";

    /// Wants more memory than any machine has.
    const LARGE: &str = "conflictwire-fault:large";

    /// Never ends.
    const ENDLESS: &str = "conflictwire-fault:endless";

    /// Is not read until the file exists whose path follows, up to the next tag.
    const HELD: &str = "conflictwire-fault:held:";

    /// Between two looks for that file.
    const LOOK: Duration = Duration::from_millis(5);

    /// Panics.
    const PANIC: &str = "conflictwire-fault:panic";

    /// Does what the document says, if it says something.
    ///
    /// # Panics
    /// If that is it.
    pub fn strike(document: &[u8]) {
        let says = |text: &str| document.windows(text.len()).any(|it| it == text.as_bytes());
        if says(DEEP) {
            black_box(descend(1));
        }
        if says(LARGE) {
            black_box(Vec::<u8>::with_capacity(black_box(1 << 46)));
        }
        while says(ENDLESS) {
            black_box(document);
        }
        if let Some((_, path)) = String::from_utf8_lossy(document).split_once(HELD) {
            hold(Path::new(path.split('<').next().unwrap_or_default()));
        }
        assert!(!says(PANIC), "as the document said");
    }

    #[expect(clippy::disallowed_methods, reason = "reading blocks its thread, and this is reading")]
    fn hold(until: &Path) {
        while !until.exists() {
            std::thread::sleep(LOOK);
        }
    }

    fn descend(depth: u64) -> u64 {
        let room = black_box([depth; 64]);
        if black_box(depth) == 0 { 0 } else { descend(depth + 1) + room.iter().sum::<u64>() }
    }
}

#[cfg(feature = "fault-points")]
pub use armed::{arm, forgets, is_armed, point, point_after};
#[cfg(feature = "fault-points")]
pub use striking::strike;

/// Does nothing: in this binary no document does anything but be read.
#[cfg(not(feature = "fault-points"))]
#[inline]
pub fn strike(_document: &[u8]) {}

/// Does nothing: this binary has no fault points.
#[cfg(not(feature = "fault-points"))]
#[inline]
pub fn point(_point: Point) {}

/// Does nothing: this binary has no fault points.
#[cfg(not(feature = "fault-points"))]
#[inline]
pub fn point_after(_point: Point, _prepare: impl FnOnce()) {}

/// No: this binary has no fault points.
#[cfg(not(feature = "fault-points"))]
#[inline]
pub fn forgets(_point: Point) -> bool {
    false
}

/// No: this binary has no fault points.
#[cfg(not(feature = "fault-points"))]
#[inline]
pub fn is_armed(_point: Point) -> bool {
    false
}
