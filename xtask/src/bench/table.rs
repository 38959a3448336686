//! The table of measurements.

/// One measurement beside its target.
pub(super) struct Row {
    /// What was measured.
    pub(super) figure: String,
    /// The value, with its unit.
    pub(super) measured: String,
    /// What it is a ratio to, measured in the same run; and the ratio.
    pub(super) beside: String,
    /// The target in words.
    pub(super) target: &'static str,
    /// Whether it is met; `None` where there is none.
    pub(super) met: Option<bool>,
}

/// Prints rows with a heading and a closing count.
pub(super) fn print(rows: &[Row]) {
    let widths = [
        width(rows, "figure", |row| &row.figure),
        width(rows, "measured", |row| &row.measured),
        width(rows, "beside it", |row| &row.beside),
    ];
    let line = |cells: [&str; 3], target: &str, verdict: &str| {
        let [figure, measured, beside] = cells;
        let [a, b, c] = widths;
        println!("{}", format!("{figure:<a$}  {measured:>b$}  {beside:<c$}  {target:<22}  {verdict}").trim_end());
    };
    println!();
    line(["figure", "measured", "beside it"], "target", "");
    for row in rows {
        let verdict = match row.met {
            Some(true) => "pass",
            Some(false) => "FAIL",
            None => "",
        };
        line([&row.figure, &row.measured, &row.beside], row.target, verdict);
    }
    let judged = rows.iter().filter(|row| row.met.is_some()).count();
    let met = rows.iter().filter(|row| row.met == Some(true)).count();
    println!("\n{met} of {judged} targets are met");
}

fn width(rows: &[Row], heading: &str, of: impl Fn(&Row) -> &String) -> usize {
    rows.iter().map(|row| of(row).chars().count()).chain([heading.len()]).max().unwrap_or(0)
}
