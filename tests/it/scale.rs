//! Many machines on one bucket, simulated (`tests/simulation`); `cargo bench --bench scale` has the large ones.

use crate::simulation::{Setting, pipeline, simulate};

#[test]
fn machines_that_die_cost_their_work_and_little_else() {
    let setting = Setting { machines: 30, deaths: 0.02, replaced_after: 60.0, latency: 0.03 };
    let report = simulate(&pipeline(40, 3), &setting);
    assert!(report.nodes == 4 * 41 * 3 * 2 && report.deaths > 0, "{report:?}");
    assert!(report.repeated == 0 && report.lost > 0.0, "{report:?}");
    assert!(report.makespan < 1.5 * report.bound(setting.machines), "{report:?}");
    // Each machine meets each node: asking for each would be three operations for each of 30 machines.
    let operations: usize = report.operations.values().sum();
    assert!(operations < 30 * report.nodes, "{report:?}");
}

#[test]
fn a_simulation_gives_the_same_report_again() {
    let setting = Setting { machines: 5, deaths: 0.1, replaced_after: 60.0, latency: 0.03 };
    let reports = [(), ()].map(|()| format!("{:?}", simulate(&pipeline(3, 2), &setting)));
    assert_eq!(reports[0], reports[1]);
}
