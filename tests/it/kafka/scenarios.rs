//! The scenarios of `crate::scenarios` on real brokers, with the verdicts that hold on simulated ones.

use crate::scenarios::log::Log;
use crate::scenarios::{Difference, Real, run, scenarios};
use crate::support::broker::Cluster;

#[test]
#[ignore = "needs Kafka: make test"]
fn every_scenario_ends_on_real_brokers_as_on_simulated_ones() {
    let cluster = Cluster::quiet();
    let cluster: &Cluster = &cluster;
    let scenarios = scenarios();
    // Some wait for a timeout of the brokers: side by side.
    let differences: Vec<Difference> = std::thread::scope(|scope| {
        let live = |scenario| {
            scope.spawn(move || run(scenario, Log::Real(Box::new(Real::of(cluster, scenario)))))
        };
        let all: Vec<_> = scenarios.iter().map(live).collect();
        all.into_iter().filter_map(|one| one.join().unwrap().err()).collect()
    });
    assert!(differences.is_empty(), "{differences:#?}");
}
