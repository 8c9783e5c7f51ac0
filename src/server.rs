//! Answers HTTP on a thread of its own: for whoever runs the daemon (`admin`), and for hubs (`websub`). So whatever keeps
//! the workers busy keeps no probe waiting.
//!
//! Whoever reaches the port may not stop it either: requests, headers, connections and their lives
//! are bounded, and connections that wait give way to new ones. Files for them are set aside at the
//! start, so that a process out of files can still say so.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet, yield_now};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// How long a shutdown waits for questions under way: answers take milliseconds, and a client that
/// never ends its question must not use up the drain.
const GRACE: Duration = Duration::from_secs(1);

/// How long the head of a request may take, the wait for it included: scrapers and probes send
/// theirs at once.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection lives: as long as the usual wait between two scrapes, so that one that
/// never reads its answer goes as well.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(60);

/// The most bytes of a request's head. A probe's has a few hundred.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// The most header lines of a request.
const HEADERS_MAX: usize = 64;

/// The most connections at once, and the files set aside for them. Scrapers, probes and people are a
/// handful.
const CONNECTIONS_MAX: usize = 64;

/// The least, on a machine with few files.
const CONNECTIONS_MIN: usize = 4;

/// Of the files that may be open, this part is set aside at most.
const FILES_SHARE: u64 = 8;

/// The wait after the system could give no connection, so that it is not asked in a loop.
const ACCEPT_WAIT: Duration = Duration::from_millis(20);

/// What could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start the {name} server")]
pub struct ServerStartError {
    name: &'static str,
    #[source]
    source: io::Error,
}

/// Starts serving under this name. What is returned ends after `stop` is cancelled and the last answer is given.
///
/// # Errors
/// [`ServerStartError`] if the system gives no thread, or too few files.
pub fn start<A, F, B>(
    name: &'static str,
    listener: std::net::TcpListener,
    answer: A,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<A, F, B>, ServerStartError>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let failed = |source| ServerStartError { name, source };
    let (tell_end, end) = oneshot::channel::<()>();
    let (tell_built, built) = std::sync::mpsc::channel();
    let spares = Spares::set_aside().map_err(failed)?;
    let serve = move || {
        // Made on its thread: on the caller's, which is one of another runtime, it could not be dropped where something
        // fails after it, and that panic would hide what failed.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let (runtime, outcome) = match runtime {
            Ok(runtime) => (Some(runtime), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // Whoever started it waits for this.
        let _heard = tell_built.send(outcome);
        let Some(runtime) = runtime else { return };
        runtime.block_on(async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    Server { name, listener, answer, spares, open: VecDeque::new() }.run(stop).await
                }
                Err(error) => error!(error = %error, "the {name} server ended"),
            }
        });
        drop(tell_end);
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(serve).map_err(failed)?;
    // It ends without a word only if it panicked.
    let outcome = built.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended")));
    outcome.map_err(failed)?;
    Ok(async {
        // Nothing is ever sent: the other end goes with the thread.
        let _ended = end.await;
    })
}

/// Files held open so that there are some for connections when the process has no others.
struct Spares {
    files: Vec<File>,
    most: usize,
}

impl Spares {
    fn set_aside() -> io::Result<Self> {
        let limit = getrlimit(Resource::Nofile).current;
        let share = limit.map_or(CONNECTIONS_MAX, |limit| {
            usize::try_from(limit / FILES_SHARE).unwrap_or(CONNECTIONS_MAX)
        });
        let most = share.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX);
        let files = (0..most).map(|_| spare()).collect::<io::Result<_>>()?;
        Ok(Self { files, most })
    }

    /// Takes back what connections gave free, as far as the system lets us.
    fn refill(&mut self) {
        while self.files.len() < self.most {
            let Ok(file) = spare() else { return };
            self.files.push(file);
        }
    }
}

fn lacks_files(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

fn spare() -> io::Result<File> {
    const NOTHING: &str = "/dev/null";
    File::open(NOTHING)
        .map_err(|error| io::Error::new(error.kind(), format!("\"{NOTHING}\": {error}")))
}

struct Server<A> {
    name: &'static str,
    listener: TcpListener,
    answer: A,
    spares: Spares,
    /// Those that are open, the oldest first; some of them may be over.
    open: VecDeque<AbortHandle>,
}

impl<A> Server<A> {
    async fn run<F, B>(mut self, stop: CancellationToken)
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_over) = connections.join_next() => {
                    self.open.retain(|connection| !connection.is_finished());
                    self.spares.refill();
                    continue;
                }
                accepted = self.listener.accept() => accepted,
            };
            let accepted = match accepted {
                Err(error) if lacks_files(&error) => match self.accept_with_spare(error).await {
                    Some(accepted) => accepted,
                    None => continue,
                },
                accepted => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    if self.open.len() >= self.spares.most {
                        self.close_oldest();
                    }
                    let answering = serve(stream, self.answer.clone(), stop.clone());
                    self.open.push_back(connections.spawn(answering));
                    // What has been asked already is answered before somebody else is let in.
                    yield_now().await;
                }
                Err(error) => self.refused(&error).await,
            }
        }
        // Each of them ends by itself once told to, or is cut off.
        let over = async { while connections.join_next().await.is_some() {} };
        let _late = timeout(GRACE, over).await;
    }

    /// Accepts with a file that was kept for that, once the system has none. It says so also if nobody waits to be let in;
    /// then the file is kept on, or whoever opens one next has it: `None`.
    async fn accept_with_spare(
        &mut self,
        error: io::Error,
    ) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        if self.spares.files.pop().is_none() {
            return Some(Err(error));
        }
        let accepted = poll_fn(|context| match self.listener.poll_accept(context) {
            Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
            Poll::Pending => Poll::Ready(None),
        });
        let accepted = accepted.await;
        if accepted.is_none() {
            self.spares.refill();
        }
        accepted
    }

    /// The system gave no connection.
    async fn refused(&mut self, error: &io::Error) {
        if lacks_files(error) {
            self.close_oldest();
        } else {
            // A client that left before it was let in; or worse, and then it comes again.
            warn!(error = %error, "the {} server could not take a connection", self.name);
        }
        sleep(ACCEPT_WAIT).await;
    }

    fn close_oldest(&mut self) {
        if let Some(oldest) = self.open.pop_front() {
            oldest.abort();
        }
    }
}

/// Answers what is asked on a connection, for as long as it may live.
async fn serve<A, F, B>(stream: TcpStream, answer: A, stop: CancellationToken)
where
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIMEOUT)
        .max_buf_size(REQUEST_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let living = timeout(CONNECTION_LIFE_MAX, connection.as_mut());
    tokio::select! {
        // What is wrong with a client is its own affair.
        _ended = living => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// There is no other runtime here, and this thread waits for the answer: whatever keeps all of
    /// the daemon's workers busy is no different.
    #[test]
    fn it_answers_without_anybody_elses_thread() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let over =
            start("test", listener, |_| async { Response::new("alive".to_owned()) }, stop.clone())
                .unwrap();
        let ask = || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let question = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            stream.write_all(question).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        for _ in 0..2 * CONNECTIONS_MAX {
            assert!(ask().starts_with("HTTP/1.1 200 "));
        }
        stop.cancel();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(over);
        assert!(std::net::TcpStream::connect(address).is_err(), "it has ended");
    }
}
