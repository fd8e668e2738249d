//! The text format of Prometheus, version 0.0.4.

use std::fmt;
use std::fmt::Write as _;

use crate::{Counter, Family, Gauge, Histogram, Unit};

/// Names and values that tell one series from another, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(String);

impl Label {
    /// From names and values, in their order.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> Self {
        let mut text = String::with_capacity(64);
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            text.push_str("=\"");
            for character in value.chars() {
                match character {
                    '\\' => text.push_str("\\\\"),
                    '"' => text.push_str("\\\""),
                    '\n' => text.push_str("\\n"),
                    plain => text.push(plain),
                }
            }
            text.push('"');
        }
        Self(text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Everything that is told at one moment.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// What to send with `Content-Type: text/plain; version=0.0.4; charset=utf-8`.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    /// A number that only grows; its name ends in `_total`.
    pub fn counter(&mut self, name: &str, help: &str, counter: &Counter) {
        self.head(name, "counter", help);
        self.line(name, "", &Label::default(), &counter.get().to_string());
    }

    /// Such numbers by labels.
    pub fn counters<const LABELS: usize>(&mut self, name: &str, help: &str, family: &Family<Counter, LABELS>) {
        self.head(name, "counter", help);
        for (label, counter) in family.series() {
            self.line(name, "", &label, &counter.get().to_string());
        }
    }

    /// A number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, gauge: &Gauge) {
        self.gauges(name, help, [(Label::default(), gauge.get())]);
    }

    /// Such numbers by labels, as they were just found out.
    pub fn gauges(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Label, u64)>) {
        self.head(name, "gauge", help);
        for (label, value) in values {
            self.line(name, "", &label, &value.to_string());
        }
    }

    /// Moments and spans by labels, in microseconds, told in seconds.
    pub fn seconds(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Label, u64)>) {
        self.head(name, "gauge", help);
        for (label, microseconds) in values {
            self.line(name, "", &label, &in_seconds(microseconds));
        }
    }

    /// How values are spread.
    pub fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, "histogram", help);
        self.buckets(name, &Label::default(), histogram);
    }

    /// The same by labels.
    pub fn histograms<const LABELS: usize>(&mut self, name: &str, help: &str, family: &Family<Histogram, LABELS>) {
        self.head(name, "histogram", help);
        for (label, histogram) in family.series() {
            self.buckets(name, &label, &histogram);
        }
    }

    fn buckets(&mut self, name: &str, label: &Label, histogram: &Histogram) {
        let told = |value: u64| match histogram.unit() {
            Unit::Microseconds => in_seconds(value),
            Unit::Count => value.to_string(),
        };
        let (lines, sum) = histogram.read();
        let mut count = 0;
        for (bound, up_to) in lines {
            let bound = bound.map_or_else(|| "+Inf".to_owned(), told);
            let separator = if label.0.is_empty() { "" } else { "," };
            let bucket = Label(format!("{label}{separator}le=\"{bound}\""));
            self.line(name, "_bucket", &bucket, &up_to.to_string());
            count = up_to;
        }
        self.line(name, "_sum", label, &told(sum));
        self.line(name, "_count", label, &count.to_string());
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, suffix: &str, label: &Label, value: &str) {
        let _ = match label.0.as_str() {
            "" => writeln!(self.0, "{name}{suffix} {value}"),
            label => writeln!(self.0, "{name}{suffix}{{{label}}} {value}"),
        };
    }
}

fn in_seconds(microseconds: u64) -> String {
    let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    if fraction == 0 {
        seconds.to_string()
    } else {
        format!("{seconds}.{fraction:06}").trim_end_matches('0').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_written_as_prometheus_reads_it() {
        let mut exposition = Exposition::default();
        let answers = Family::new(["route", "status"], Counter::default);
        answers.with(["/a\"b\\c", "200"]).add(3);
        exposition.counters("requests_total", "Answers.", &answers);
        let times = Family::new(["route"], || Histogram::new(&[500, 2_000_000], Unit::Microseconds));
        times.with(["/"]).observe(400);
        times.with(["/"]).observe(1_500_000);
        exposition.histograms("seconds", "Times.", &times);
        exposition.seconds("age_seconds", "Age.", [(Label::default(), 60_000_000)]);
        assert_eq!(
            exposition.into_text(),
            "# HELP requests_total Answers.\n# TYPE requests_total counter\n\
             requests_total{route=\"/a\\\"b\\\\c\",status=\"200\"} 3\n\
             # HELP seconds Times.\n# TYPE seconds histogram\n\
             seconds_bucket{route=\"/\",le=\"0.0005\"} 1\n\
             seconds_bucket{route=\"/\",le=\"2\"} 2\n\
             seconds_bucket{route=\"/\",le=\"+Inf\"} 2\n\
             seconds_sum{route=\"/\"} 1.5004\nseconds_count{route=\"/\"} 2\n\
             # HELP age_seconds Age.\n# TYPE age_seconds gauge\nage_seconds 60\n"
        );
    }
}
