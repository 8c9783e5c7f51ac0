//! Asks the group now and then who its members are, and which lanes they have.
//!
//! A replica says in the id of its group's client where its admin server is reached (`admin.advertise`). So
//! the address travels with the group's metadata: whoever is a member is alive, as the group sees it, and
//! nobody has to write, or to take back, where a replica is.

use std::sync::Arc;
use std::time::Duration;

use cw_status::ledger::Replica;
use cw_status::log;
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

/// In the place of a name that is no UTF-8.
const NO_TEXT: &str = "(no text)";

/// Asks until the ledger closes.
pub(super) fn follow(shared: &Arc<Shared>) {
    let mut next = Instant::now();
    while !shared.closing.is_cancelled() {
        if Instant::now() >= next {
            let own = shared.settings.advertise.as_deref();
            let found = match owners(&shared.watcher, &shared.settings, LOOK_TIMEOUT) {
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
    let mut groups = groups.groups().iter();
    let Some(group) = groups.find(|found| text(|| found.name()) == Some(name)) else {
        return Ok(Owners::default());
    };
    let members = group.members().iter().take(MEMBERS_MAX).map(|member| {
        let id = text(|| member.client_id());
        DescribedMember {
            name: format!("{} at {}", shown(id), shown(text(|| member.client_host()))),
            address: id.and_then(|id| id.rsplit_once(ADDRESS_MARK)).map(|(_, address)| address),
            assignment: member.assignment().unwrap_or_default(),
        }
    });
    let state = text(|| group.state()).unwrap_or(NO_TEXT);
    Owners::of(state, &settings.topics.state, members)
}

/// What brokers say in a field; `None` if it is no UTF-8. rdkafka panics at that, and anybody who may join the group
/// chooses the id of its client.
fn text<'a>(read: impl FnOnce() -> &'a str) -> Option<&'a str> {
    log::catching(read)
}

/// A name for people.
fn shown(name: Option<&str>) -> String {
    name.unwrap_or(NO_TEXT).chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_text_costs_nobody_the_others() {
        let read = |bytes: &'static [u8]| {
            text(move || std::str::from_utf8(bytes).expect("as rdkafka has it"))
        };
        assert_eq!(shown(read(b"conflictwire")), "conflictwire");
        assert_eq!(shown(read(b"\xff\xfe")), "(no text)");
    }
}
