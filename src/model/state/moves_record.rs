//! The wire form of where permanent redirects have led.

use serde::{Deserialize, Serialize};

use super::Moves;
use crate::Network;

/// How often permanent redirects have led to one place. A network of a later version is taken for the public
/// one, where least may be dialled.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MovesRecord {
    days: u8,
    day: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
}

impl From<Moves> for MovesRecord {
    fn from(Moves { days, day, network }: Moves) -> Self {
        let name: &'static str = network.into();
        Self { days, day, network: (network != Network::default()).then(|| name.to_owned()) }
    }
}

impl From<MovesRecord> for Moves {
    fn from(MovesRecord { days, day, network }: MovesRecord) -> Self {
        let network = network.and_then(|name| name.parse().ok()).unwrap_or_default();
        Self { days, day, network }
    }
}
