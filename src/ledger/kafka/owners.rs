//! Which replica has which lanes, by what the group's coordinator answers. Pure.
//!
//! The group only places lanes, and what makes one safe is its transactional id; for a person who asks
//! whether anybody polls a feed, the placement is the answer.

use std::collections::BTreeMap;

use cw_status::ledger::Replica;

use crate::host_port::HostPort;

/// A member of the group, as its coordinator describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DescribedMember<N, A, B> {
    /// For people.
    pub(super) name: N,
    /// What it says of where its admin server is reached, if it does.
    pub(super) address: A,
    /// What it was given, in the form of the consumer protocol.
    pub(super) assignment: B,
}

/// Why it is not known who has the lanes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnersError {
    /// Lanes are moving.
    #[error("the group is sharing the lanes out anew; ask again")]
    Rebalancing,
    /// Brokers answer so about a group of the newer protocol (KIP-848).
    #[error("its group has a protocol that tells nobody")]
    Protocol,
    /// This user must not see the group.
    #[error("Describe on the group is missing (Read brings it)")]
    NotAllowed,
    /// A state that is not known here.
    #[error("the group is in state \"{0}\"")]
    State(String),
    /// A member has something else than partitions.
    #[error("a member's assignment cannot be read")]
    Assignment,
    /// The question was not answered, or could not be asked.
    #[error("{0}")]
    Unanswered(String),
}

/// Who has which lanes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// Members of the group, those without a lane among them.
    pub replicas: usize,
    /// The owner of each lane that has one, for people.
    pub of_lanes: BTreeMap<u32, String>,
    /// The members, in order of their names.
    pub members: Vec<Replica>,
}

impl Owners {
    /// What members of a group in this state have of a topic.
    ///
    /// # Errors
    /// [`OwnersError`].
    pub(super) fn of<'a>(
        state: &str,
        topic: &str,
        members: impl Iterator<Item = DescribedMember<String, Option<&'a str>, &'a [u8]>>,
    ) -> Result<Self, OwnersError> {
        match state {
            "Stable" | "Empty" => {}
            "PreparingRebalance" | "CompletingRebalance" => {
                return Err(OwnersError::Rebalancing);
            }
            "Dead" => return Err(OwnersError::Protocol),
            "" => return Err(OwnersError::NotAllowed),
            other => return Err(OwnersError::State(other.to_owned())),
        }
        let mut owners = Self::default();
        for member in members {
            // Also one without a lane: it stands by, and is what an operator looks for after adding
            // a replica.
            owners.replicas += 1;
            let partitions = partitions(member.assignment, topic).ok_or(OwnersError::Assignment)?;
            owners.of_lanes.extend(partitions.iter().map(|lane| (*lane, member.name.clone())));
            // Anybody in the group may have written it, and people and programs are sent there.
            let address = member.address.and_then(HostPort::parse).map(|place| place.to_string());
            let (name, lanes) = (member.name, partitions);
            owners.members.push(Replica { name, address, is_self: false, lanes });
        }
        owners.members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(owners)
    }
}

/// The partitions of a topic in an assignment (`ConsumerProtocolAssignment`, any version: later ones
/// only add to the end). `None` if it is something else.
fn partitions(assignment: &[u8], topic: &str) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    if assignment.is_empty() {
        return Some(found);
    }
    let mut bytes = Bytes(assignment);
    // Later versions only add fields behind these (Kafka, `ConsumerProtocolAssignment.json`).
    let _version = bytes.i16()?;
    for _topic in 0..bytes.i32()? {
        let length = usize::try_from(bytes.i16()?).ok()?;
        let is_ours = bytes.take(length)? == topic.as_bytes();
        for _partition in 0..bytes.i32()? {
            let partition = u32::try_from(bytes.i32()?).ok()?;
            found.extend(is_ours.then_some(partition));
        }
    }
    Some(found)
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn i16(&mut self) -> Option<i16> {
        Some(i16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn i32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An assignment as Java's `ConsumerProtocol` writes it, version 3.
    fn assignment(topics: &[(&str, &[i32])]) -> Vec<u8> {
        let mut bytes = vec![0, 3];
        bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
        for (topic, partitions) in topics {
            bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
            bytes.extend(topic.as_bytes());
            bytes.extend(i32::try_from(partitions.len()).unwrap().to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
        }
        // Data of the member's own: none.
        bytes.extend((-1_i32).to_be_bytes());
        bytes
    }

    fn owners(state: &str, assignments: &[Vec<u8>]) -> Result<Owners, OwnersError> {
        let members = assignments.iter().zip(1..).map(|(assignment, number)| DescribedMember {
            name: format!("replica {number}"),
            address: (number > 1).then_some("10.0.0.2:9273"),
            assignment: assignment.as_slice(),
        });
        Owners::of(state, "state", members)
    }

    #[test]
    fn every_lane_has_the_member_it_was_given_to() {
        let first = assignment(&[("other", &[7]), ("state", &[0, 2])]);
        let found = owners("Stable", &[first, assignment(&[("state", &[3])]), Vec::new()]).unwrap();
        assert_eq!(found.replicas, 3, "one stands by");
        let members: Vec<_> = found
            .members
            .iter()
            .map(|one| (one.name.as_str(), one.address.as_deref(), one.lanes.as_slice()))
            .collect();
        let expected: [(&str, Option<&str>, &[u32]); 3] = [
            ("replica 1", None, &[0, 2]),
            ("replica 2", Some("10.0.0.2:9273"), &[3]),
            ("replica 3", Some("10.0.0.2:9273"), &[]),
        ];
        assert_eq!(members, expected);
        let shown: Vec<_> =
            found.of_lanes.iter().map(|(lane, owner)| format!("{lane} {owner}")).collect();
        assert_eq!(shown, ["0 replica 1", "2 replica 1", "3 replica 2"]);
    }

    #[test]
    fn nobody_is_there_if_the_group_is_empty() {
        assert_eq!(owners("Empty", &[]), Ok(Owners::default()));
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let error = owners("PreparingRebalance", &[]).unwrap_err();
        assert!(error.to_string().contains("ask again"));
        for state in ["Dead", "", "Assigning"] {
            assert!(owners(state, &[]).is_err(), "{state:?}");
        }
        let whole = assignment(&[("state", &[0, 1])]);
        for length in 1..whole.len() - 4 {
            let cut = whole.iter().take(length).copied().collect();
            assert!(owners("Stable", &[cut]).is_err(), "{length} bytes of it");
        }
        let mut endless = whole;
        endless[2..6].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(owners("Stable", &[endless]).is_err());
    }
}
