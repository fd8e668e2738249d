//! What was measured, as a table for people.

use std::fmt::Write as _;

use anyhow::bail;

/// Where the chart is drawn, in its own units.
const LEFT: f64 = 44.0;
const TOP: f64 = 20.0;
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 300.0;

/// Told apart by who sees few colors, too.
const COLORS: &[&str] = &["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

/// One figure at one size.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) stored: u64,
    /// Against the ceiling; `None` for what has no ceiling.
    pub(crate) ratio: Option<f64>,
    /// The least ratio that is good enough.
    pub(crate) goal: Option<f64>,
    /// Whether it must hold as the shop grows. Not so for what the machine's own unrest moves by more than a tenth.
    pub(crate) holds: bool,
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

    /// The ratios of a table that was written before, to be drawn.
    pub(crate) fn of_table(page: &str) -> Self {
        let figure = |line: &str| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let (name, stored, ratio) = (cells.next()?, cells.next()?, cells.next()?);
            // As long as the program lives, which ends when the chart is drawn.
            let name: &'static str = name.to_owned().leak();
            let (goal, holds, detail) = (None, false, String::new());
            Some(Figure { name, stored: stored.parse().ok()?, ratio: ratio.parse().ok(), goal, holds, detail })
        };
        Self { figures: page.lines().filter_map(figure).collect() }
    }

    /// How each ratio goes with what is stored, as a picture: a line that falls is a cost that grows with the shop.
    pub(crate) fn chart(&self) -> String {
        let mut sizes: Vec<u64> = self.figures.iter().map(|figure| figure.stored).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let across = |stored: u64| {
            let place = sizes.iter().position(|size| *size == stored).unwrap_or_default();
            LEFT + WIDTH * place as f64 / (sizes.len().max(2) - 1) as f64
        };
        let up = |ratio: f64| TOP + HEIGHT * (1.0 - ratio.min(1.0));
        let mut names: Vec<&str> =
            self.figures.iter().filter(|figure| figure.ratio.is_some()).map(|figure| figure.name).collect();
        let mut seen = Vec::new();
        // What was measured at one size only does not go anywhere.
        let all = names.clone();
        names.retain(|name| {
            let is_a_line = all.iter().filter(|other| *other == name).count() > 1;
            is_a_line && !seen.contains(name) && {
                seen.push(*name);
                true
            }
        });
        let mut chart = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <title>Ratio to the ceiling by how much is stored</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
            TOP + HEIGHT + 40.0
        );
        for tenth in 0..=5 {
            let ratio = f64::from(tenth) / 5.0;
            let _ = writeln!(
                chart,
                "<path d=\"M{LEFT} {y:.0}h{WIDTH}\" stroke=\"#ddd\"/><text x=\"{x}\" y=\"{below:.0}\" text-anchor=\"end\">{ratio:.1}</text>",
                x = LEFT - 8.0,
                y = up(ratio),
                below = up(ratio) + 4.0
            );
        }
        for size in &sizes {
            let _ = writeln!(
                chart,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{size}</text>",
                across(*size),
                TOP + HEIGHT + 24.0
            );
        }
        for (place, name) in names.iter().enumerate() {
            let color = COLORS.get(place % COLORS.len()).unwrap_or(&"#000");
            let points: Vec<(f64, f64)> = self
                .figures
                .iter()
                .filter(|figure| figure.name == *name)
                .filter_map(|figure| Some((across(figure.stored), up(figure.ratio?))))
                .collect();
            let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.0},{y:.0}")).collect();
            let _ = writeln!(
                chart,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
                line.join(" ")
            );
            for (x, y) in points {
                let _ = writeln!(chart, "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"3\" fill=\"{color}\"/>");
            }
            let y = TOP + 22.0 * place as f64;
            let x = LEFT + WIDTH + 24.0;
            let _ = writeln!(
                chart,
                "<path d=\"M{x} {y:.0}h18\" stroke=\"{color}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{}\">{name}</text>",
                x + 24.0,
                y + 4.0
            );
        }
        chart.push_str("</svg>\n");
        chart
    }

    /// Fails when a goal was not reached.
    pub(crate) fn judge(&self) -> anyhow::Result<()> {
        let faults = self.faults();
        if faults.is_empty() { Ok(()) } else { bail!("not reached: {}", faults.join("; ")) }
    }

    /// Which ratios are below their goal, or fall by more than a tenth with size.
    pub(crate) fn faults(&self) -> Vec<String> {
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
                && figure.holds
                && last < first * 0.9
                && figure.ratio == Some(last)
            {
                faults.push(format!("{} falls from {first:.2} to {last:.2} as the shop grows", figure.name));
            }
        }
        faults
    }
}

fn line(figure: &Figure) -> String {
    let ratio = figure.ratio.map_or_else(|| "    ".to_owned(), |ratio| format!("{ratio:.2}"));
    let goal = figure.goal.map_or_else(String::new, |goal| format!(" (goal {goal:.2})"));
    format!("{:>9}  {ratio}{goal}  {}: {}", figure.stored, figure.name, figure.detail)
}
