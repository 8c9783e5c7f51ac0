//! The wire form of how often it was said that a feed moved.

use serde::{Deserialize, Serialize};

use super::Moves;
use crate::{MovedBy, Network};

/// How often it was said that a feed lives at one place. A network of a later version is taken for the public
/// one, where least may be dialled; what somebody says whom no version here knows is not followed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MovesRecord {
    days: u8,
    day: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl From<Moves> for MovesRecord {
    fn from(Moves { days, day, network, by }: Moves) -> Self {
        let name: &'static str = network.into();
        let network = (network != Network::default()).then(|| name.to_owned());
        let name: &'static str = by.into();
        let by = (by != MovedBy::default()).then(|| name.to_owned());
        Self { days, day, network, by }
    }
}

impl From<MovesRecord> for Moves {
    fn from(MovesRecord { days, day, network, by }: MovesRecord) -> Self {
        let network = network.and_then(|name| name.parse().ok()).unwrap_or_default();
        let by = by.map(|name| name.parse().unwrap_or(MovedBy::DocumentRefused));
        Self { days, day, network, by: by.unwrap_or_default() }
    }
}
