//! What was measured, as a table for people.

use std::fmt::Write as _;

use anyhow::bail;

/// One figure at one size.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) stored: u64,
    /// Against the ceiling; `None` for what has no ceiling.
    pub(crate) ratio: Option<f64>,
    /// The least ratio that is good enough.
    pub(crate) goal: Option<f64>,
    /// The figures themselves, with their units.
    pub(crate) detail: String,
}

/// Everything that was measured.
#[derive(Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Notes a figure and shows it.
    pub(crate) fn add(&mut self, figure: Figure) {
        println!("{}", line(&figure));
        self.figures.push(figure);
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut table =
            String::from("| what | stored | ratio | goal | figures |\n| --- | ---: | ---: | ---: | --- |\n");
        for figure in &self.figures {
            let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
            let stored = figure.stored;
            let _ = writeln!(
                table,
                "| {} | {stored} | {} | {} | {} |",
                figure.name,
                share(figure.ratio),
                share(figure.goal),
                figure.detail
            );
        }
        table
    }

    /// Fails when a ratio is below its goal, or falls by more than a tenth with size.
    pub(crate) fn judge(&self) -> anyhow::Result<()> {
        let mut faults = Vec::new();
        for figure in &self.figures {
            if let (Some(ratio), Some(goal)) = (figure.ratio, figure.goal)
                && ratio < goal
            {
                faults.push(format!("{} at {}: {ratio:.2} of {goal:.2}", figure.name, figure.stored));
            }
            let last = self.figures.iter().rev().find(|other| other.name == figure.name);
            let first = self.figures.iter().find(|other| other.name == figure.name);
            if let (Some(Some(first)), Some(Some(last))) = (first.map(|first| first.ratio), last.map(|last| last.ratio))
                && last < first * 0.9
                && figure.ratio == Some(last)
            {
                faults.push(format!("{} falls from {first:.2} to {last:.2} as the shop grows", figure.name));
            }
        }
        if faults.is_empty() { Ok(()) } else { bail!("not reached: {}", faults.join("; ")) }
    }
}

fn line(figure: &Figure) -> String {
    let ratio = figure.ratio.map_or_else(|| "    ".to_owned(), |ratio| format!("{ratio:.2}"));
    let goal = figure.goal.map_or_else(String::new, |goal| format!(" (goal {goal:.2})"));
    format!("{:>9}  {ratio}{goal}  {}: {}", figure.stored, figure.name, figure.detail)
}
