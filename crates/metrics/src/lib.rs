//! Counters, gauges and histograms, and the text in which Prometheus reads them.
//!
//! What happens on the way of a request is an addition to an atomic number.
//! There is no registry: whoever counts owns the numbers, and writes them into
//! an [`Exposition`] when somebody asks.

mod exposition;
mod histogram;

pub use exposition::{Exposition, Label};
pub use histogram::{Histogram, LATENCY, SIZES, Unit};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A number that only grows, until the process ends.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn count(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// One more.
    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less; never below nothing.
    pub fn down(&self) {
        // An error says that there was nothing to take away.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| value.checked_sub(1));
    }

    /// What it is now.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// What it is.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The same metric for different labels: one series for each combination that was seen.
#[derive(Debug)]
pub struct Family<Metric, const LABELS: usize> {
    names: [&'static str; LABELS],
    make: fn() -> Metric,
    /// Sorted by their values, so that one is found without an allocation.
    series: RwLock<Vec<Series<Metric, LABELS>>>,
}

#[derive(Debug)]
struct Series<Metric, const LABELS: usize> {
    values: [Box<str>; LABELS],
    metric: Arc<Metric>,
}

/// How many series a family has at most. Labels are words of ours, so this many is a mistake, and it must not cost memory.
const MOST_SERIES: usize = 2_000;

impl<Metric, const LABELS: usize> Family<Metric, LABELS> {
    /// A family whose series are told apart by labels of these names.
    #[must_use]
    pub fn new(names: [&'static str; LABELS], make: fn() -> Metric) -> Self {
        Self { names, make, series: RwLock::default() }
    }

    /// Does something to the series with these values, in the order of the names: for what happens on the way of every
    /// request, where taking the series away and giving it back is what costs.
    pub fn at<T>(&self, values: [&str; LABELS], does: impl FnOnce(&Metric) -> T) -> T {
        {
            let read = self.series.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = place(&read, values).ok().and_then(|place| read.get(place)) {
                return does(&known.metric);
            }
        }
        does(&self.with(values))
    }

    /// Begins a series with nothing in it: one that begins with its first event has not increased then, and an alert
    /// that waits for an increase overlooks it.
    pub fn begin(&self, values: [&str; LABELS]) {
        self.at(values, |_| ());
    }

    /// The series with these values, in the order of the names.
    pub fn with(&self, values: [&str; LABELS]) -> Arc<Metric> {
        let read = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = place(&read, values).ok().and_then(|place| read.get(place)) {
            return Arc::clone(&known.metric);
        }
        drop(read);
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let values = if series.len() < MOST_SERIES { values } else { ["other"; LABELS] };
        // Somebody may have been here between the two locks.
        let place = match place(&series, values) {
            Ok(place) => place,
            Err(place) => {
                series.insert(place, Series { values: values.map(Box::from), metric: Arc::new((self.make)()) });
                place
            }
        };
        series.get(place).map_or_else(|| Arc::new((self.make)()), |series| Arc::clone(&series.metric))
    }

    /// Every series there is, by its labels.
    #[must_use]
    pub fn series(&self) -> Vec<(Label, Arc<Metric>)> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let label = |values: &[Box<str>; LABELS]| {
            Label::new(self.names.into_iter().zip(values).map(|(name, value)| (name, &**value)))
        };
        series.iter().map(|series| (label(&series.values), Arc::clone(&series.metric))).collect()
    }
}

/// Where the series with these values is, or belongs.
fn place<Metric, const LABELS: usize>(
    series: &[Series<Metric, LABELS>],
    values: [&str; LABELS],
) -> Result<usize, usize> {
    series.binary_search_by(|series| series.values.iter().map(|value| &**value).cmp(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_a_family_are_told_apart_by_their_labels() {
        let family = Family::new(["route", "status"], Counter::default);
        family.with(["/", "200"]).count();
        family.at(["/", "200"], Counter::count);
        family.at(["/", "404"], Counter::count);
        let counts: Vec<(String, u64)> =
            family.series().iter().map(|(label, counter)| (label.to_string(), counter.get())).collect();
        assert_eq!(counts, [(r#"route="/",status="200""#.to_owned(), 2), (r#"route="/",status="404""#.to_owned(), 1)]);
    }

    #[test]
    fn a_family_keeps_a_bounded_number_of_series() {
        let family = Family::new(["name"], Counter::default);
        for number in 0..MOST_SERIES + 500 {
            family.with([&number.to_string()]).count();
        }
        assert_eq!(family.series().len(), MOST_SERIES + 1);
        assert_eq!(family.with(["other"]).get(), 500);
    }

    #[test]
    fn a_gauge_does_not_fall_below_nothing() {
        let gauge = Gauge::default();
        gauge.down();
        gauge.up();
        assert_eq!(gauge.get(), 1);
    }
}
