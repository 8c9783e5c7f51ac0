//! Where records go: by lane, which the audits of all other tests hold, or by key.

use std::collections::BTreeSet;

use super::world::World;
use crate::support::broker::Cluster;

/// Kafka's murmur2, as `org.apache.kafka.common.utils.Utils` computes it.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mix = |word: u32| {
        let word = word.wrapping_mul(M);
        (word ^ (word >> 24)).wrapping_mul(M)
    };
    let mut hash = 0x9747_b28c ^ u32::try_from(data.len()).unwrap();
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_mul(M) ^ mix(u32::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// Kafka's own test vectors (`UtilsTest.testMurmur2`).
#[test]
fn the_reference_is_kafkas() {
    let check = |text: &str, hash: i32| assert_eq!(murmur2(text.as_bytes()), hash.cast_unsigned());
    check("21", -973_932_308);
    check("foobar", -790_332_482);
    check("a-little-bit-long-string", -985_981_536);
    check("abc", 479_470_107);
}

#[test]
#[ignore = "needs Kafka: make test"]
fn by_key_a_record_goes_where_a_java_producer_would_send_it() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    world.setup.set("kafka.partition_by", "key");
    let daemon = world.setup.start();
    world.wait_until_committed(4);
    world.catch_up();
    daemon.stop();
    let mut found = BTreeSet::new();
    for topic in ["articles", "conflict"] {
        for record in world.ledger.records(topic) {
            let positive = murmur2(record.key.as_bytes()) & 0x7fff_ffff;
            assert_eq!(record.partition, i32::try_from(positive % 4).unwrap(), "{}", record.key);
            found.insert(record.partition);
        }
    }
    assert_eq!(found.len(), 4, "all partitions are used");
    world.ledger.audit(&world.feeds).assert_clean();
}
