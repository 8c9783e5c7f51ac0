//! Our end of a process that tries documents, one at a time.

use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use super::limits::PROCESSOR_TIME;
use super::wire::{DONE, NOT_DONE, write_frame};

/// The command of this program that the process runs. It is not shown in the help.
pub(super) const COMMAND: &str = "try-documents";

/// This very file, also after another was put in its place, or it was deleted.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// How much of what a dying process says is read: an abort says one line.
const LAST_WORDS_MAX: u64 = 4096;

/// SIGXCPU, the same on every Linux.
const OUT_OF_PROCESSOR_TIME: i32 = 24;

/// How a process ended that was reading a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Death {
    status: ExitStatus,
    last_words: String,
}

impl Death {
    /// Whether it had used up what it may use by itself, whatever else went on.
    pub(super) fn is_by_its_own_limit(&self) -> bool {
        self.status.signal() == Some(OUT_OF_PROCESSOR_TIME)
    }
}

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_by_its_own_limit() {
            let seconds = PROCESSOR_TIME.as_secs();
            return write!(f, "it was not done after {seconds} seconds of processor time");
        }
        write!(f, "{}", self.status)?;
        if self.last_words.is_empty() { Ok(()) } else { write!(f, ", {}", self.last_words) }
    }
}

/// Why a document was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
    /// The process died of it.
    #[error("the process died: {0}")]
    Died(Death),
    /// There is no process.
    #[error("no process could be started: {0}")]
    NotStarted(String),
    /// The process says that it could not; it is ended.
    #[error("the process did not read it")]
    NotDone,
}

/// A process, waiting for documents. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Worker {
    /// Starts a process and waits until it is ready.
    ///
    /// # Errors
    /// [`WorkerError::NotStarted`].
    pub(super) fn start(program: Option<&Path>, set_up: &[u8]) -> Result<Self, WorkerError> {
        let program = program.ok_or_else(|| {
            WorkerError::NotStarted("the system does not say which file this program is".to_owned())
        })?;
        let not_started = |error: io::Error| WorkerError::NotStarted(error.to_string());
        let mut child = Command::new(program)
            .arg0("conflictwire")
            .arg(COMMAND)
            // Neither secrets nor settings: all it needs comes in frames. But glibc reserves a large
            // piece of address space for each thread unless told not to, and that is limited.
            .env_clear()
            .env("MALLOC_ARENA_MAX", "1")
            .current_dir("/")
            // Ctrl-C on a terminal means the daemon, which drains.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(not_started)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(WorkerError::NotStarted("it has no pipes".to_owned()));
        };
        let mut worker = Self { child, input, output };
        worker.ask(set_up, &[]).map_err(|error| WorkerError::NotStarted(error.to_string()))?;
        Ok(worker)
    }

    /// Lets it read a document. Blocks until it has.
    ///
    /// # Errors
    /// [`WorkerError::Died`], [`WorkerError::NotDone`]; the process is of no further use then.
    pub(super) fn read(&mut self, head: &[u8], bytes: &[u8]) -> Result<(), WorkerError> {
        self.ask(head, bytes)
    }

    fn ask(&mut self, head: &[u8], bytes: &[u8]) -> Result<(), WorkerError> {
        let mut answer = [0];
        let asked = write_frame(&mut self.input, head, bytes)
            .and_then(|()| self.output.read_exact(&mut answer));
        match (asked, answer) {
            (Ok(()), [DONE]) => Ok(()),
            (Ok(()), [NOT_DONE]) => Err(WorkerError::NotDone),
            (Ok(()) | Err(_), _) => Err(WorkerError::Died(self.bury()?)),
        }
    }

    /// How it died, its pipes being closed.
    fn bury(&mut self) -> Result<Death, WorkerError> {
        let mut last_words = Vec::new();
        if let Some(mut stderr) = self.child.stderr.take().map(|it| it.take(LAST_WORDS_MAX)) {
            // What was read until then is as good.
            let _broken = stderr.read_to_end(&mut last_words);
        }
        // It has closed its output, and so is dead or about to be.
        let status =
            self.child.wait().map_err(|error| WorkerError::NotStarted(error.to_string()))?;
        let last_words = String::from_utf8_lossy(&last_words);
        // Advice is for whoever runs a program by hand.
        let last_words = last_words.lines().filter(|line| !line.starts_with("note:"));
        let last_words: Vec<&str> = last_words.flat_map(str::split_whitespace).collect();
        Ok(Death { status, last_words: last_words.join(" ") })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Either fails if it is dead and waited for, which is as well.
        let _dead = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// The file that this program is.
pub(super) fn this_program() -> Option<PathBuf> {
    let here = Path::new(THIS_PROGRAM);
    if here.exists() { Some(here.to_owned()) } else { std::env::current_exe().ok() }
}
