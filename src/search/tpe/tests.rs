use super::*;
use crate::rng::{Purpose, Stream};
use crate::search::Dimension;

const LOSSES: [f64; 12] = [0.30, 0.25, 0.20, 0.22, 0.28, 0.31, 0.21, 0.26, 0.24, 0.29, 0.19, 0.27];

fn number(low: f64, high: f64) -> Domain {
    Domain::Number { low, high, log: false, step: None, integer: false }
}

fn holds(tpe: &Tpe, domain: &Domain, seen: &[f64], losses: &[f64], at: &[f64], want: &[f64]) {
    let coordinate = |&number: &f64| match domain {
        Domain::Choice(_) => Coordinate::Choice(number as usize),
        Domain::Number { .. } => Coordinate::Number(number),
    };
    let history: Vec<(Point, f64)> =
        seen.iter().map(coordinate).map(|at| vec![at]).zip(losses.iter().copied()).collect();
    let at: Vec<Coordinate> = at.iter().map(coordinate).collect();
    let ratios = tpe.log_ratios(domain, 0, &history, &at);
    let near = ratios.iter().zip(want).all(|(ratio, want)| (ratio - want).abs() < 1e-6);
    assert!(near && ratios.len() == want.len(), "{domain:?}: {ratios:?}, want {want:?}");
}

/// The values of `shared/METHODS.md`, by NNI's source.
#[test]
fn nnis_ratios_are_golden() {
    let seen = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 2.0, 1.0];
    let losses = [0.30, 0.25, 0.20, 0.22, 0.28, 0.31, 0.21, 0.26];
    let all = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let want = [-0.074108, -0.479573, 0.619039, -0.074108, -0.074108, -0.074108];
    holds(&Tpe::nni(), &Domain::Choice(6), &seen, &losses, &all, &want);
}

/// Of numbers, by an evaluation of the formulas of its source in numpy.
#[test]
fn nnis_ratios_of_numbers_are_golden() {
    let tpe = Tpe::nni();
    let seen = [0.1, 0.9, 0.5, 0.55, 0.2, 0.95, 0.45, 0.3, 0.6, 0.15, 0.52, 0.75];
    let want = [0.64489202, 0.00269083, -0.30989933, 0.45003266, 0.14172758];
    holds(&tpe, &number(0.0, 1.0), &seen, &LOSSES, &[0.0, 0.25, 0.5, 0.75, 1.0], &want);
    let log = Domain::Number { low: 1e-4, high: 1e-1, log: true, step: None, integer: false };
    let seen = [1e-4, 5e-2, 1e-3, 2e-3, 3e-4, 9e-2, 8e-4, 5e-3, 1.5e-3, 2e-4, 1.2e-3, 2e-2];
    let want = [0.0533399, -0.43728127, 0.73618764, -0.24878242];
    holds(&tpe, &log, &seen, &LOSSES, &[1e-4, 1e-3, 1e-2, 1e-1], &want);
    // More than are remembered in full.
    let seen: Vec<f64> = (0..60).map(|i| (f64::from(i * 37 % 101) + 0.5) / 102.0).collect();
    let losses: Vec<f64> = seen.iter().map(|x| (x - 0.3).abs()).collect();
    let want = [0.27956276, 3.70230715, -1.57802026];
    holds(&tpe, &number(0.0, 1.0), &seen, &losses, &[0.1, 0.3, 0.9], &want);
}

/// What Optuna 5.0.0's `_ParzenEstimator` gives.
#[test]
fn optunas_ratios_are_golden() {
    let tpe = Tpe::optuna();
    let seen = [0.1, 0.9, 0.5, 0.55, 0.2, 0.95, 0.45, 0.3, 0.6, 0.15, 0.52, 0.75];
    let want = [-0.11186149, -0.10130205, 0.36224112, 0.25303797, -0.66475508];
    holds(&tpe, &number(0.0, 1.0), &seen, &LOSSES, &[0.0, 0.25, 0.5, 0.75, 1.0], &want);
    let log = Domain::Number { low: 1e-4, high: 1e-1, log: true, step: None, integer: false };
    let seen = [1e-4, 5e-2, 1e-3, 2e-3, 3e-4, 9e-2, 8e-4, 5e-3, 1.5e-3, 2e-4, 1.2e-3, 2e-2];
    let want = [-0.51125748, 0.26075841, 0.37880739, -1.25120123];
    holds(&tpe, &log, &seen, &LOSSES, &[1e-4, 1e-3, 1e-2, 1e-1], &want);
    let step =
        Domain::Number { low: 0.05, high: 1.0, log: false, step: Some(0.05), integer: false };
    let seen = [0.1, 0.9, 0.5, 0.55, 0.2, 0.95, 0.45, 0.3, 0.6, 0.15, 0.5, 0.75];
    let want = [-0.57891909, -0.09941743, 0.36551715, 0.24970833, -0.59587507];
    holds(&tpe, &step, &seen, &LOSSES, &[0.05, 0.25, 0.5, 0.75, 1.0], &want);
    let whole = Domain::Number { low: 1.0, high: 10.0, log: false, step: None, integer: true };
    let seen = [1.0, 9.0, 5.0, 6.0, 2.0, 10.0, 5.0, 3.0, 6.0, 2.0, 5.0, 8.0];
    let want = [-0.66178082, 0.10790882, 0.52895943, 0.0448204, -0.74094728];
    holds(&tpe, &whole, &seen, &LOSSES, &[1.0, 3.0, 5.0, 8.0, 10.0], &want);
    let seen = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 2.0, 1.0, 3.0, 0.0, 2.0, 4.0];
    let all = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let want = [-0.36254006, -0.36254006, 1.01547839, -0.36254006, -0.36254006, 0.01694956];
    holds(&tpe, &Domain::Choice(6), &seen, &LOSSES, &all, &want);
}

/// After some trials it draws near the best; before, anywhere.
#[test]
fn it_goes_where_good_trials_were() {
    for tpe in [Tpe::nni(), Tpe::optuna()] {
        let space = Space { dimensions: vec![Dimension { domain: number(-1.0, 1.0), when: None }] };
        let mut history: Vec<(Point, f64)> = Vec::new();
        for trial in 0..60 {
            let mut stream = Stream::new(0, Purpose::Trial, 0, trial);
            let point = tpe.propose(&space, &history, &mut || f64::from(stream.uniform()));
            let Coordinate::Number(x) = point[0] else { panic!() };
            assert!((-1.0..=1.0).contains(&x));
            history.push((point, (x - 0.3).powi(2)));
        }
        let far = |trials: &[(Point, f64)]| {
            trials.iter().map(|(_, loss)| loss.sqrt()).sum::<f64>() / trials.len() as f64
        };
        let (first, last) = (far(&history[..tpe.startup]), far(&history[40..]));
        assert!(last < 0.7 * first, "{last} after {first}");
    }
}
