//! The daemon's own tasks: each has a name, and none outlives the daemon.

use std::convert::Infallible;
use std::future::Future;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// Named tasks that end when told to.
#[derive(Debug, Default)]
pub struct Tasks {
    running: JoinSet<&'static str>,
    names: Vec<&'static str>,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task, if it can be. It should return soon after the token it is given is cancelled.
    ///
    /// # Errors
    /// What `task` says.
    pub fn try_spawn<F, E>(
        &mut self,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> Result<F, E>,
    ) -> Result<(), E>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = task(self.stop.child_token())?;
        self.names.push(name);
        self.running.spawn(async move {
            work.await;
            name
        });
        Ok(())
    }

    /// Starts a task. It should return soon after the token it is given is cancelled.
    pub fn spawn<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Ok(()) = self.try_spawn(name, |stop| Ok::<F, Infallible>(task(stop)));
    }

    /// Tells every task to end, and waits until all have. Cancel safety: tasks not yet joined stay.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            match ended {
                Ok(name) => self.names.retain(|running| *running != name),
                Err(panic) => error!(error = %panic, "a task ended by a defect of conflictwire"),
            }
        }
    }

    /// The names of those still running.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }
}
