//! Asks the group now and then who its members are, and which lanes they have.
//!
//! A replica says in the id of its group's client where its admin server is reached (`admin.advertise`). So
//! the address travels with the group's metadata: whoever is a member is alive, as the group sees it, and
//! nobody has to write, or to take back, where a replica is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use cw_status::ledger::Replica;
use rdkafka::consumer::Consumer as _;
use tokio::time::Instant;

use super::client::Client;
use super::owners::{DescribedMember, Owners, OwnersError};
use super::settings::{ADDRESS_MARK, KafkaSettings};
use super::{Shared, error};

/// How often the group is asked. Lanes that have just moved are known within so long.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// How long an answer may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// The most members that are looked at: more than there can be lanes, several times over.
const MEMBERS_MAX: usize = 1024;

/// The most characters of a name that are kept: whoever may join the group chooses its own.
const NAME_CHARS_MAX: usize = 200;

/// Asks until the ledger closes.
pub(super) fn follow(shared: &Arc<Shared>) {
    let mut next = Instant::now();
    while !shared.closing.is_cancelled() {
        if Instant::now() >= next {
            let own = shared.settings.advertise.as_deref();
            // rdkafka panics where a name is no UTF-8, and anybody who may join the group chooses one.
            let look = || owners(&shared.watcher, &shared.settings, LOOK_TIMEOUT);
            let found = catch_unwind(AssertUnwindSafe(look));
            let found = found.unwrap_or(Err(OwnersError::Assignment));
            let found = match found {
                // Not even we: not joined yet, or brokers do not tell.
                Ok(owners) if owners.members.is_empty() => {
                    Err("the group names no member".to_owned())
                }
                Ok(owners) => Ok(marked(owners.members, own)),
                Err(why) => Err(why.to_string()),
            };
            shared.status.set_replicas(found);
            next = Instant::now() + LOOK_INTERVAL;
        }
        shared.watcher.rest();
    }
}

/// Which of them this process is, if it has said where it is reached.
fn marked(replicas: Vec<Replica>, own: Option<&str>) -> Vec<Replica> {
    let is_self = |replica: &Replica| own.is_some() && replica.address.as_deref() == own;
    replicas.into_iter().map(|one| Replica { is_self: is_self(&one), ..one }).collect()
}

/// The members of the group, and what they have of the state topic.
pub(super) fn owners(
    client: &Client,
    settings: &KafkaSettings,
    timeout: Duration,
) -> Result<Owners, OwnersError> {
    let name = &settings.deployment;
    let groups = client.consumer().fetch_group_list(Some(name), timeout);
    let groups = groups.map_err(|why| OwnersError::Unanswered(error::shown(&why)))?;
    let Some(group) = groups.groups().iter().find(|found| found.name() == name) else {
        return Ok(Owners::default());
    };
    let short = |text: &str| text.chars().take(NAME_CHARS_MAX).collect::<String>();
    let members = group.members().iter().take(MEMBERS_MAX).map(|member| DescribedMember {
        name: format!("{} at {}", short(member.client_id()), short(member.client_host())),
        address: member.client_id().rsplit_once(ADDRESS_MARK).map(|(_, address)| address),
        assignment: member.assignment().unwrap_or_default(),
    });
    Owners::of(group.state(), &settings.topics.state, members)
}
