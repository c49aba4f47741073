use super::*;
use crate::rng::{Purpose, Stream};
use crate::search::Dimension;

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

/// A dimension, where trials lie in it by a number below 401, and where densities are compared.
struct Case {
    domain: Domain,
    value: fn(usize) -> f64,
    at: &'static [f64],
}

impl Case {
    fn check(&self, tpe: &Tpe, trials: usize, want: &[f64]) {
        let seen: Vec<f64> = (0..trials).map(|i| (self.value)((7 * i + 3) % 401)).collect();
        let losses: Vec<f64> = (0..trials).map(|i| ((11 * i + 5) % 37) as f64 / 37.0).collect();
        holds(tpe, &self.domain, &seen, &losses, self.at, want);
    }
}

fn unit(k: usize) -> f64 {
    (k as f64 + 0.25) / 401.0
}

/// Uniform, logarithmic, with a step, logarithmic and whole, choice.
fn cases() -> [Case; 5] {
    let domain = number(0.0, 1.0);
    let uniform = Case { domain, value: unit, at: &[0.02, 0.33, 0.5, 0.97] };
    let domain = Domain::Number { low: 1e-4, high: 1e-2, log: true, step: None, integer: false };
    let value = |k| 1e-4 * 100_f64.powf(unit(k));
    let log = Case { domain, value, at: &[2e-4, 1e-3, 7e-3] };
    let domain =
        Domain::Number { low: 0.05, high: 1.0, log: false, step: Some(0.05), integer: false };
    let value = |k: usize| (5 * (k % 20 + 1)) as f64 / 100.0;
    let step = Case { domain, value, at: &[0.05, 0.3, 1.0] };
    let domain = Domain::Number { low: 1.0, high: 16.0, log: true, step: None, integer: true };
    let whole = Case { domain, value: |k| (k % 16 + 1) as f64, at: &[1.0, 4.0, 16.0] };
    let (domain, at) = (Domain::Choice(6), &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let choice = Case { domain, value: |k| (k % 6) as f64, at };
    [uniform, log, step, whole, choice]
}

/// Eight trials of a choice of six, by NNI's source.
#[test]
fn nnis_choice_of_eight_trials_is_golden() {
    let seen = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 2.0, 1.0];
    let losses = [0.30, 0.25, 0.20, 0.22, 0.28, 0.31, 0.21, 0.26];
    let all = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let want = [-0.074108, -0.479573, 0.619039, -0.074108, -0.074108, -0.074108];
    holds(&Tpe::nni(), &Domain::Choice(6), &seen, &losses, &all, &want);
}

/// Values of NNI 3.0's own `split_history`, `linear_forgetting_weights`, `adaptive_parzen_normal` and
/// `gmm1_lpdf`, numpy's sort made stable: which of equal numbers gets which weight is else left to the CPU.
#[test]
fn nnis_ratios_are_golden() {
    let (tpe, [uniform, log, step, _, choice]) = (Tpe::nni(), cases());
    uniform.check(&tpe, 12, &[-0.92726996, 1.15592664, 2.11470894, 2.59030861]);
    log.check(&tpe, 12, &[-1.12317788, 2.11470894, 2.58330516]);
    step.check(&tpe, 12, &[0.72050885, 0.21498458, -0.75353631]);
    let one = -0.21130909;
    choice.check(&tpe, 12, &[0.88730319, one, one, one, one, one]);
    uniform.check(&tpe, 60, &[-0.60193646, 0.13285391, 0.06714681, -0.30889191]);
    log.check(&tpe, 60, &[-0.04033265, 0.06714681, -0.41629778]);
    step.check(&tpe, 60, &[-1.59739844, -1.07052667, -0.49128966]);
    let want = [-0.22519809, -0.18994472, -0.35786493, -0.38468419, 0.40433820, 0.42772068];
    choice.check(&tpe, 60, &want);
}

/// Values of Optuna 5.0.0's own `_ParzenEstimator`, sorts as above.
#[test]
fn optunas_ratios_are_golden() {
    let (tpe, [uniform, log, step, whole, choice]) = (Tpe::optuna(), cases());
    uniform.check(&tpe, 12, &[-0.73616932, 1.30025861, 2.18197114, 1.31858837]);
    log.check(&tpe, 12, &[-0.68567860, 2.18197114, 1.33342268]);
    step.check(&tpe, 12, &[0.11960698, -0.04035171, -0.66820372]);
    whole.check(&tpe, 12, &[-0.03459068, -0.10637727, -0.29885409]);
    let (two, one) = (0.63598877, -0.36254006);
    choice.check(&tpe, 12, &[two, two, one, one, one, one]);
    uniform.check(&tpe, 60, &[-0.66887582, 0.49222702, -0.07887841, -0.83953505]);
    log.check(&tpe, 60, &[0.95354502, -0.07887841, -0.67221544]);
    step.check(&tpe, 60, &[-0.33561021, 0.13425721, -1.02118069]);
    whole.check(&tpe, 60, &[0.57162698, -0.36383070, -0.22930229]);
    let want = [0.04695573, 0.01091258, -0.75453129, -0.04188009, -0.00309613, 0.52364511];
    choice.check(&tpe, 60, &want);
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
