//! The simulation is what it says it is.

use super::*;

fn rate_of(observations: &[Observation], persona: usize) -> f64 {
    let of = observations.iter().filter(|seen| seen.persona == persona && seen.outcome != SampleOutcome::Broken);
    let (mut events, mut n) = (0.0, 0.0);
    for seen in of {
        n += 1.0;
        events += seen.findings_weighted.unwrap_or(f64::from(u8::from(seen.outcome == SampleOutcome::Exploitable)));
    }
    events / n
}

#[test]
fn equal_seeds_give_equal_studies() {
    let truth = Truth { wording_sd: 0.2, ..Truth::default() };
    assert_eq!(truth.simulate(4), truth.simulate(4));
    assert_ne!(truth.simulate(4).1, truth.simulate(5).1);
}

#[test]
fn rates_and_ratios_are_those_set() {
    for counts in [false, true] {
        let truth = Truth {
            counts,
            clusters: 3000,
            wordings: 40,
            repeats: 1,
            ratio: 2.3,
            wording_sd: 0.2,
            task_effect_sd: 0.1,
            ..Truth::default()
        };
        let (_, observations) = truth.simulate(1);
        assert!((rate_of(&observations, 0) / truth.rate - 1.0).abs() < 0.12, "{}", rate_of(&observations, 0));
        let expected = truth.expected();
        assert!((expected.ratio / 2.3 - 1.0).abs() < 0.06, "{expected:?}");
        let ratio = rate_of(&observations, 1) / rate_of(&observations, 0);
        assert!((ratio / expected.ratio - 1.0).abs() < 0.12, "{ratio} {expected:?}");
    }
}

#[test]
fn poisson_has_its_mean_and_variance() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for mean in [0.3, 4.0, 55.0] {
        let draws: Vec<f64> = (0..20_000).map(|_| f64::from(poisson(mean, &mut random))).collect();
        let average = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|draw| (draw - average).powi(2)).sum::<f64>() / 20_000.0;
        assert!((average / mean - 1.0).abs() < 0.03 && (variance / mean - 1.0).abs() < 0.05, "{mean} {average} {variance}");
    }
}
