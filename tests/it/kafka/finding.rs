//! Replicas find each other through their group: any of them says who has which lane, and sends whoever asks for a
//! feed to the one that knows.

use std::net::TcpListener;

use serde_json::Value;

use super::world::{LANES, World, wait_for_lanes};
use crate::api::{Answer, ask};
use crate::support::broker::Cluster;
use crate::support::daemon::Daemon;
use crate::support::{eventually, wait_until};

/// Starts a replica that says where it is reached, if it is to.
fn started(world: &mut World, advertises: Option<&str>) -> (Daemon, String) {
    // Given back at once: others on this machine take ports too, and hardly this one.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    world.setup.set("admin.listen", free.as_str());
    world.setup.set("admin.advertise", advertises.map_or("", |_| free.as_str()));
    (world.setup.start(), free)
}

/// The replicas as one of them sees them, once they are so many and have all lanes.
#[track_caller]
fn replicas(daemon: &Daemon, count: usize) -> Vec<Value> {
    eventually(format!("{count} replicas with all lanes"), || {
        let told = ask(daemon, "/api/lanes").json();
        let all = told["replicas"].as_array()?.clone();
        let lanes: usize = all.iter().map(|one| one["lanes"].as_array().unwrap().len()).sum();
        (all.len() == count && lanes == LANES).then_some(all)
    })
}

/// What a replica answers for each feed.
fn answers(world: &World, daemon: &Daemon) -> Vec<(String, Answer)> {
    let ids = world.feeds.iter().map(|feed| feed.name.clone());
    ids.map(|id| (id.clone(), ask(daemon, &format!("/api/feeds/{id}")))).collect()
}

fn with_status(answers: &[(String, Answer)], status: u16) -> Vec<&(String, Answer)> {
    answers.iter().filter(|(_, answer)| answer.status == status).collect()
}

#[test]
#[ignore = "needs Kafka: make test"]
fn any_replica_says_who_has_a_feed_and_sends_there() {
    let cluster = Cluster::quiet();
    let mut world = World::new(&cluster);
    let (first, first_at) = started(&mut world, Some("its address"));
    wait_for_lanes(&first, LANES);
    let (second, second_at) = started(&mut world, Some("its address"));
    wait_for_lanes(&first, LANES / 2);
    wait_for_lanes(&second, LANES / 2);
    for (daemon, own) in [(&first, &first_at), (&second, &second_at)] {
        let mut seen: Vec<(String, bool)> = replicas(daemon, 2)
            .iter()
            .map(|one| (one["address"].as_str().unwrap().to_owned(), one["self"] == true))
            .collect();
        seen.sort();
        let mut expected = [&first_at, &second_at].map(|at| (at.clone(), at == own));
        expected.sort();
        assert_eq!(seen, expected);
        let status = ask(daemon, "/api/status").json();
        assert_eq!((status["ledger"]["replicas"].as_array().unwrap().len()), 2, "{status}");
        assert_eq!(status["ledger"]["unseen"], Value::Null);
        assert!(ask(daemon, "/").body.contains("this one"), "the page has them too");
    }

    // Half of the feeds are the first one's; it sends whoever asks for another to the second, which knows.
    let told = answers(&world, &first);
    let (own, others) = (with_status(&told, 200), with_status(&told, 307));
    assert_eq!((own.len(), others.len()), (LANES, LANES), "two feeds in each lane");
    for (_, answer) in own {
        assert!(answer.json()["lane"].is_u64(), "{}", answer.body);
    }
    for (id, answer) in others {
        let location = answer.header("location").unwrap();
        let path = location.strip_prefix(&format!("http://{second_at}")).unwrap();
        assert_eq!(path, format!("/api/feeds/{id}?redirected"));
        assert_eq!(answer.json()["served_by"]["address"], second_at.as_str());
        // Its page is sent on likewise.
        let page = ask(&first, &format!("/feeds/{id}"));
        let to = format!("http://{second_at}/feeds/{id}?redirected");
        assert_eq!((page.status, page.header("location")), (307, Some(to.as_str())));
        assert_eq!(ask(&second, &format!("/feeds/{id}?redirected")).status, 200);
        assert_eq!(ask(&first, &format!("/feeds/{id}?redirected")).status, 409);
        let there = ask(&second, path);
        assert_eq!((there.status, there.json()["id"].as_str()), (200, Some(id.as_str())));
        assert!(there.json()["lane"].is_u64(), "{}", there.body);
        // Whoever was sent already is not sent to and fro.
        let back = ask(&first, path);
        assert_eq!((back.status, back.header("location")), (409, None), "{}", back.body);
    }

    // A replica that has left is forgotten, and one that does not say where it is is said not to be seen.
    second.stop();
    assert_eq!(replicas(&first, 1)[0]["self"], true);
    wait_until("the first answers for all", || {
        with_status(&answers(&world, &first), 200).len() == 2 * LANES
    });
    let (third, _) = started(&mut world, None);
    wait_for_lanes(&third, LANES / 2);
    replicas(&first, 2);
    let told = answers(&world, &first);
    let unknown = with_status(&told, 409);
    assert_eq!((unknown.len(), with_status(&told, 200).len()), (LANES, LANES));
    for (_, answer) in unknown {
        assert_eq!(answer.json()["served_by"]["address"], Value::Null);
        assert!(answer.body.contains("admin.advertise"), "{}", answer.body);
    }
    let unseen = ask(&first, "/api/lanes").json()["unseen"].as_str().unwrap().to_owned();
    assert!(unseen.starts_with("1 of 2 replicas do not say"), "{unseen}");
    first.stop();
    third.stop();
}
