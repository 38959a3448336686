//! `report`: renders what a ledger shows.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use turncoat_report::{Claim, Drill, PageFile, Part, Report};

use crate::analysis;
use crate::cli::ReportFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::ledgers;
use crate::screen::Screen;

/// Renders the report of one or several ledgers; a page with `answers` answers at most, if that is given.
pub(super) fn run(
    folders: &[PathBuf],
    format: ReportFormat,
    output: Option<&Path>,
    answers: Option<usize>,
    screen: &Screen,
) -> Result<Exit, Failure> {
    if folders.len() > 1 && format != ReportFormat::Html {
        return Err(Failure::bad_input("several ledgers make one page: that needs --format html"));
    }
    let Some(path) = output else {
        let mut out = io::BufWriter::new(io::stdout().lock());
        if format == ReportFormat::Html {
            small_page(folders, answers.unwrap_or(turncoat_report::INLINE_ANSWERS), &mut out)?;
        } else {
            render(folders, format, screen, &mut out)?;
        }
        out.flush()?;
        return Ok(Exit::Done);
    };
    let mut content = Vec::new();
    if format != ReportFormat::Html {
        render(folders, format, &screen.plain(), &mut content)?;
        files::write(path, &content)?;
    } else if let Some(most) = answers {
        small_page(folders, most, &mut content)?;
        files::write(path, &content)?;
    } else {
        write_page(folders, path)?;
    }
    screen.say(&format!("wrote {}", path.display()));
    Ok(Exit::Done)
}

/// Renders one ledger's report in a format that is one stream.
fn render(folders: &[PathBuf], format: ReportFormat, screen: &Screen, out: &mut dyn Write) -> Result<(), Failure> {
    for folder in folders {
        if format == ReportFormat::Csv {
            analysis::csv(ledgers::read(folder)?, out)?;
            continue;
        }
        print(&analysis::report(folder)?, format, screen, out)?;
    }
    Ok(())
}

/// Writes a report that is at hand; CSV and HTML need more than the report and are not made here.
pub(super) fn print(report: &Report, format: ReportFormat, screen: &Screen, out: &mut dyn Write) -> Result<(), Failure> {
    match format {
        ReportFormat::Json => turncoat_report::json(report, out)?,
        ReportFormat::Md => turncoat_report::markdown(report, out)?,
        ReportFormat::Junit => turncoat_report::junit(report, out)?,
        ReportFormat::Terminal | ReportFormat::Csv | ReportFormat::Html => {
            turncoat_report::terminal(report, screen.of_report(), out)?;
        }
    }
    Ok(())
}

/// Writes the page of some ledgers with so many answers at most, and nothing beside it.
fn small_page(folders: &[PathBuf], most: usize, out: &mut dyn Write) -> Result<(), Failure> {
    let gathered = gather(folders)?;
    let parts = parts(&gathered, most)?;
    turncoat_report::page_with_answers(&parts, most, out)?;
    Ok(())
}

/// Writes the page of some ledgers, and what does not fit into it into a folder beside it.
pub(super) fn write_page(folders: &[PathBuf], path: &Path) -> Result<(), Failure> {
    let gathered = gather(folders)?;
    let parts = parts(&gathered, turncoat_report::INLINE_ANSWERS)?;
    let beside = format!("{}-answers", path.file_stem().unwrap_or_default().to_string_lossy());
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut put = |page: PageFile| {
        let target = parent.join(&page.path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&target, page.html)
    };
    let mut unread = None;
    let mut fetch = |number: usize, places: Range<usize>| {
        let Some(one) = gathered.get(number) else { return Ok(Vec::new()) };
        one.answers.at(places).map_err(|failure| {
            let error = io::Error::other(failure.message.clone());
            unread = Some(failure);
            error
        })
    };
    let written = files::write_through(path, |out| turncoat_report::page_with_folder(&parts, &beside, out, &mut fetch, &mut put));
    written.map_err(|error| unread.unwrap_or_else(|| Failure::file("written", path, &error)))
}

/// One ledger's report with all that its part of a page shows.
struct Gathered {
    report: Report,
    answers: analysis::Answers,
    claims: Vec<Claim>,
}

fn gather(folders: &[PathBuf]) -> Result<Vec<Gathered>, Failure> {
    folders
        .iter()
        .map(|folder| {
            let reader = ledgers::read(folder)?;
            let report = analysis::report(folder)?;
            let claims = analysis::claims(&reader, &report)?;
            Ok(Gathered { answers: analysis::Answers::of(reader)?, report, claims })
        })
        .collect()
}

/// The parts of a page with `most` answers at most, each part with its share of them.
fn parts(gathered: &[Gathered], most: usize) -> Result<Vec<Part<'_>>, Failure> {
    let all: usize = gathered.iter().map(|one| one.answers.count()).sum();
    gathered
        .iter()
        .map(|one| {
            let count = one.answers.count();
            let held = if all <= most { count } else { most * count / all };
            Ok(one.part(one.answers.telling(held)?, count))
        })
        .collect()
}

impl Gathered {
    /// The part with these of its `count` answers.
    fn part(&self, drill: Vec<Drill>, count: usize) -> Part<'_> {
        let report = &self.report;
        let simulated = !report.subjects.is_empty() && report.subjects.iter().all(|subject| subject.simulated);
        let banner = simulated.then(|| {
            "SIMULATED: every subject of this study is a program of ours with known behaviour. Nothing here was said by the models whose names appear."
                .to_owned()
        });
        // A question makes a good heading; what stands behind it in the same line explains it.
        let question = report.study.question.as_str();
        let (title, rest) = match question.split_once("? ") {
            Some((asked, rest)) => (format!("{asked}?"), Some(rest.to_owned())),
            None if question.is_empty() => (report.study.name.clone(), None),
            None => (question.to_owned(), None),
        };
        Part {
            title,
            anchor: report.study.name.clone(),
            intro: rest.into_iter().collect(),
            banner,
            report,
            beyond: count.saturating_sub(drill.len()),
            drill,
            claims: self.claims.clone(),
        }
    }
}
