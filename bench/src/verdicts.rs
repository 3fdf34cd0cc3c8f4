//! What must hold, computed from the results: the page says it line by line, and the exit status whether all of it does.

use crate::contender::{KERNEL, LIBANCHOR, Situation};
use crate::death::series_name;
use crate::results::{Results, named};
use crate::start::{BARE, EATMYDATA, EMPTY, FAKETIME, PARENT, SET, STD, TINY, UNSET};
use crate::stats::{Estimate, Series, ratio_at, ratio_of_added};

pub struct Verdict {
    pub what: String,
    pub limit: f64,
    /// `None` where it was not measured, which is no success.
    pub estimate: Option<Estimate>,
}

impl Verdict {
    pub fn holds(&self) -> bool {
        self.estimate.is_some_and(|estimate| estimate.value <= self.limit)
    }

    /// One line; the interval tells how sure it is.
    pub fn line(&self) -> String {
        let Self { what, limit, .. } = self;
        match self.estimate {
            None => format!("does not hold: {what}: not measured"),
            Some(Estimate { value, low, high }) => {
                let holds = if self.holds() { "holds" } else { "does not hold" };
                let sure = if (low..=high).contains(limit) {
                    "; the interval includes the limit"
                } else {
                    ""
                };
                format!("{holds}: {what}: {value:.2} [{low:.2}, {high:.2}], at most {limit:.2}{sure}")
            }
        }
    }
}

pub fn verdicts(results: &Results) -> Vec<Verdict> {
    let nobody = Vec::new();
    let start = results.start.get(TINY).unwrap_or(&nobody);
    let added = |of: &str, over: &str| {
        let [of, over, bare] = [of, over, BARE].map(|name| named(start, name));
        ratio_of_added(of?, over?, bare?)
    };
    let stranger = series_name(LIBANCHOR, Situation::Stranger);
    let death = |share: f64| -> Option<Estimate> {
        let one = |name: &str| -> Option<&Series> { named(&results.reaped, name) };
        ratio_at(share, one(&stranger)?, one(KERNEL)?)
    };
    let verdict = |what: String, limit, estimate| Verdict {
        what,
        limit,
        estimate,
    };
    let start = |of: &str, over: &str, limit| {
        verdict(
            format!("cost to start: what `{of}` adds, over what `{over}` adds"),
            limit,
            added(of, over),
        )
    };
    vec![
        start(SET, EMPTY, 2.5),
        start(PARENT, EMPTY, 2.5),
        start(UNSET, EMPTY, 1.2),
        start(SET, FAKETIME, 1.0),
        start(SET, EATMYDATA, 1.0),
        start(SET, STD, 1.0),
        verdict(
            "death to death: `libanchor` as no relation, over PDEATHSIG alone, medians".into(),
            1.25,
            death(0.5),
        ),
        verdict(
            "death to death: `libanchor` as no relation, over PDEATHSIG alone, p99".into(),
            2.0,
            death(0.99),
        ),
    ]
}
