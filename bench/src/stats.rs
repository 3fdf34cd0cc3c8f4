//! What is said of many times: quantiles, ratios of what stood side by side in one round, and how sure each is.

use serde::{Deserialize, Serialize};

/// Of the resampled statistics, this share lies in the interval.
const CONFIDENCE: f64 = 0.95;
const RESAMPLES: usize = 1000;
const FEWEST: usize = 5;
/// The same figures from the same results, whoever builds the page.
const SEED: u64 = 0x616e_6368_6f72;

/// One contender's times, round by round, in microseconds. `None` is a try that did not end as it should.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Series {
    pub name: String,
    /// It took part in each round, or in each tenth and so on.
    pub every: usize,
    pub values: Vec<Option<f64>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub tries: usize,
    pub lost: usize,
    pub median: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

/// A figure and its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Series {
    pub fn new(name: &str, every: usize) -> Self {
        Self {
            name: name.into(),
            every,
            values: Vec::new(),
        }
    }

    /// Five digits: the rest is below what any clock here tells.
    pub fn push(&mut self, value: Option<f64>) {
        let rounded = |value: f64| {
            let unit = 10_f64.powi(4 - value.abs().max(1e-9).log10().floor() as i32);
            (value * unit).round() / unit
        };
        self.values.push(value.map(rounded));
    }

    pub fn known(&self) -> Vec<f64> {
        self.values.iter().copied().flatten().collect()
    }

    /// `None` where no try has ended well.
    pub fn summary(&self) -> Option<Summary> {
        let known = self.known();
        (!known.is_empty()).then(|| Summary {
            tries: self.values.len(),
            lost: self.values.len() - known.len(),
            median: quantile(&known, 0.5),
            p90: quantile(&known, 0.9),
            p99: quantile(&known, 0.99),
            max: quantile(&known, 1.0),
        })
    }

    /// The value of a round, if it took part.
    fn of_round(&self, round: usize) -> Option<f64> {
        if round.is_multiple_of(self.every) {
            self.values.get(round / self.every).copied().flatten()
        } else {
            None
        }
    }

    fn rounds(&self) -> usize {
        self.values.len() * self.every
    }
}

/// The rounds in which all of `series` took part, as one row each.
fn rows<const N: usize>(series: [&Series; N]) -> Vec<[f64; N]> {
    let rounds = series.iter().map(|one| one.rounds()).min().unwrap_or(0);
    let row = |round| {
        let mut row = [0.0; N];
        for (place, one) in row.iter_mut().zip(series) {
            *place = one.of_round(round)?;
        }
        Some(row)
    };
    (0..rounds).filter_map(row).collect()
}

/// A statistic of paired rounds, and its interval by the bootstrap: whole rounds are drawn, so that what was disturbed
/// together stays together. `None` where the rounds in common are too few to say anything.
pub fn paired<const N: usize>(
    series: [&Series; N],
    statistic: impl Fn(&[[f64; N]]) -> f64,
) -> Option<Estimate> {
    let rows = rows(series);
    if rows.len() < FEWEST {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut drawn = rows.clone();
    let resampled: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            for place in &mut drawn {
                *place = rows[random.usize(..rows.len())];
            }
            statistic(&drawn)
        })
        .collect();
    Some(Estimate {
        value: statistic(&rows),
        low: quantile(&resampled, (1.0 - CONFIDENCE) / 2.0),
        high: quantile(&resampled, f64::midpoint(1.0, CONFIDENCE)),
    })
}

/// The median of the rounds' own ratios.
pub fn ratio(of: &Series, over: &Series) -> Option<Estimate> {
    paired([of, over], |rows| median_of(rows, |[of, over]| of / over))
}

/// The median of what one took more than the other in the same round.
pub fn added(of: &Series, over: &Series) -> Option<Estimate> {
    paired([of, over], |rows| median_of(rows, |[of, over]| of - over))
}

/// How often what one adds to `bare` goes into what another adds.
pub fn ratio_of_added(of: &Series, over: &Series, bare: &Series) -> Option<Estimate> {
    paired([of, over, bare], |rows| {
        median_of(rows, |[of, _, bare]| of - bare) / median_of(rows, |[_, over, bare]| over - bare)
    })
}

/// The ratio of the same quantile of both.
pub fn ratio_at(share: f64, of: &Series, over: &Series) -> Option<Estimate> {
    paired([of, over], |rows| {
        let all = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<f64>>();
        quantile(&all(0), share) / quantile(&all(1), share)
    })
}

fn median_of<const N: usize>(rows: &[[f64; N]], of: impl Fn([f64; N]) -> f64) -> f64 {
    let all: Vec<f64> = rows.iter().map(|row| of(*row)).collect();
    quantile(&all, 0.5)
}

/// Between two values where none is at the place.
pub fn quantile(of: &[f64], share: f64) -> f64 {
    let mut all = of.to_vec();
    let place = (all.len() - 1) as f64 * share;
    let (_, below, above) = all.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let below = *below;
    let above = above.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(every: usize, values: &[f64]) -> Series {
        let values = values.iter().map(|value| Some(*value)).collect();
        Series {
            name: String::new(),
            every,
            values,
        }
    }

    #[test]
    fn quantiles_of_a_few() {
        let few = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&few, 0.0), 1.0);
        assert_eq!(quantile(&few, 0.5), 2.5);
        assert_eq!(quantile(&few, 1.0), 4.0);
    }

    #[test]
    fn a_series_keeps_five_digits() {
        let mut kept = Series::new("", 1);
        for value in [5.123_456, 1061.127, 425_514.4, 0.0] {
            kept.push(Some(value));
        }
        assert_eq!(kept.known(), [5.1235, 1061.1, 425_510.0, 0.0]);
    }

    #[test]
    fn what_is_disturbed_together_does_not_disturb_the_ratio() {
        let noise = [1.0, 9.0, 2.0, 100.0, 3.0, 7.0];
        let twice = noise.map(|value| 2.0 * value);
        let estimate = ratio(&series(1, &twice), &series(1, &noise)).unwrap();
        assert_eq!((estimate.value, estimate.low, estimate.high), (2.0, 2.0, 2.0));
    }

    #[test]
    fn who_took_part_in_each_third_round_is_paired_with_those() {
        let all = series(1, &[1.0, 5.0, 5.0].repeat(5));
        let some = series(3, &[3.0; 5]);
        assert_eq!(ratio(&some, &all).unwrap().value, 3.0);
    }

    #[test]
    fn a_lost_try_is_counted_and_has_no_ratio() {
        let mut with = series(1, &[2.0; 5]);
        with.push(None);
        let summary = with.summary().unwrap();
        assert_eq!((summary.tries, summary.lost), (6, 1));
        let over = series(1, &[1.0, 1.0, 1.0, 1.0, 1.0, 50.0]);
        assert_eq!(ratio(&with, &over).unwrap().high, 2.0);
    }

    #[test]
    fn what_one_adds_over_what_another_adds() {
        let (bare, empty, full) = (
            series(1, &[10.0; 9]),
            series(1, &[12.0; 9]),
            series(1, &[15.0; 9]),
        );
        assert_eq!(ratio_of_added(&full, &empty, &bare).unwrap().value, 2.5);
        assert_eq!(added(&full, &bare).unwrap().value, 5.0);
    }

    #[test]
    fn the_interval_holds_the_truth_and_narrows() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut made = |count: usize| {
            let ones: Vec<f64> = (0..count).map(|_| 1.0 + random.f64()).collect();
            let twos: Vec<f64> = ones.iter().map(|one| one * (1.5 + random.f64())).collect();
            ratio(&series(1, &twos), &series(1, &ones)).unwrap()
        };
        let (few, many) = (made(20), made(2000));
        assert!(many.low <= 2.0 && 2.0 <= many.high, "{many:?}");
        assert!(many.high - many.low < few.high - few.low, "{few:?} {many:?}");
    }
}
