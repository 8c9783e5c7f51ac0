//! A small HTTP server for whoever runs the daemon. Read only.
//!
//! | path | answer |
//! |---|---|
//! | `/livez` | 200 while the scheduler's loop turns, else 503 |
//! | `/readyz` | 200 when state is restored and the ledger takes commits, else 503 and why |
//! | `/metrics` | OpenMetrics text |

pub mod readiness;

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
pub use readiness::{Readiness, Unready};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// How long a shutdown waits for questions under way: answers take milliseconds, and a client that
/// never ends its question must not use up the drain.
const GRACE: Duration = Duration::from_secs(1);

/// What the answers are made from.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Alive, ready, and why not.
    pub readiness: Arc<Readiness>,
    /// Everything counted.
    pub metrics: Arc<Metrics>,
}

/// Serves until told to stop.
///
/// # Errors
/// What the system says of the listener.
pub async fn serve(
    listener: TcpListener,
    admin: Admin,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/", get(index))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(admin);
    let over = async {
        stop.cancelled().await;
        sleep(GRACE).await;
    };
    let serving = axum::serve(listener, routes)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    tokio::select! {
        served = serving => served,
        () = over => Ok(()),
    }
}

async fn index() -> &'static str {
    "conflictwire: /livez /readyz /metrics\n"
}

async fn livez(State(admin): State<Admin>) -> impl IntoResponse {
    if admin.readiness.is_alive() {
        (StatusCode::OK, "alive\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the scheduler's loop does not turn\n")
    }
}

async fn readyz(State(admin): State<Admin>) -> impl IntoResponse {
    match admin.readiness.unready() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", why.text())),
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, OPEN_METRICS)], admin.metrics.text())
}
