//! The terminal: data goes to standard output, talk to standard error; colour and width are decided once.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use turncoat_report::visible::{code_point, is_hidden};

use crate::exit::Exit;
use crate::failure::Failure;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColourChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What is known about the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    /// Whether standard output is coloured.
    pub(crate) colour: bool,
    /// Width of standard output in columns.
    pub(crate) width: usize,
    /// Whether standard output takes Unicode line drawing.
    pub(crate) unicode: bool,
    talk_colour: bool,
    live: bool,
    quiet: bool,
}

impl Screen {
    /// Looks at the terminal and the environment.
    pub(crate) fn new(choice: ColourChoice, quiet: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let decide = |terminal: bool| match choice {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto if set("NO_COLOR") => false,
            ColourChoice::Auto if set("CLICOLOR_FORCE") => true,
            ColourChoice::Auto => terminal && std::env::var("TERM").is_ok_and(|term| term != "dumb"),
        };
        let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let seen = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Screen {
            colour: decide(io::stdout().is_terminal()),
            width: asked.or(seen).unwrap_or(100).max(40),
            // Pipes and files take UTF-8; only a terminal that says otherwise does not.
            unicode: !io::stdout().is_terminal()
                || locale.is_none_or(|value| value.to_ascii_lowercase().replace('-', "").contains("utf8")),
            talk_colour: decide(io::stderr().is_terminal()),
            live: io::stderr().is_terminal() && !set("CI") && !quiet,
            quiet,
        }
    }

    /// The same for a file: no colour, a fixed width.
    pub(crate) fn plain(&self) -> Self {
        Screen { colour: false, width: 100, unicode: true, ..self.clone() }
    }

    /// What the report's renderer needs to know of it.
    pub(crate) fn of_report(&self) -> turncoat_report::Screen {
        turncoat_report::Screen { width: self.width, colour: self.colour, unicode: self.unicode }
    }

    /// Whether standard error takes a line that is redrawn.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Whether only errors are told.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Says a line on standard error.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.tell(&harmless(line));
        }
    }

    /// Says a warning on standard error.
    pub(crate) fn warn(&self, line: &str) {
        let mark = if self.talk_colour { "\u{1b}[1;33mwarning:\u{1b}[0m" } else { "warning:" };
        self.tell(&format!("{mark} {}", harmless(line)));
    }

    /// Shows a failure and gives its exit code.
    pub(crate) fn fail(&self, failure: &Failure) -> Exit {
        if failure.exit == Exit::Done {
            return Exit::Done;
        }
        let (mark, hint) =
            if self.talk_colour { ("\u{1b}[1;31merror:\u{1b}[0m", "\u{1b}[1;36mhint:\u{1b}[0m") } else { ("error:", "hint:") };
        self.tell(&format!("{mark} {}", harmless(&failure.message)));
        for line in &failure.hints {
            self.tell(&format!("  {hint} {}", harmless(line)));
        }
        failure.exit
    }

    /// A closed standard error must not stop the work.
    fn tell(&self, line: &str) {
        let _closed = writeln!(io::stderr().lock(), "{line}");
    }

    /// A bar for long work on standard error; invisible where lines are not redrawn.
    pub(crate) fn bar(&self, total: u64, label: &'static str) -> ProgressBar {
        if !self.live {
            return ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template("{prefix} {bar:28} {pos}/{len}  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("━╸─"));
        bar.set_prefix(label);
        bar.enable_steady_tick(Duration::from_millis(250));
        bar
    }
}

/// What servers and files say may drive a terminal or hide something: such characters are written out; line ends stay.
pub(crate) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            out.push('⟨');
            out.push_str(&code_point(character));
            out.push('⟩');
        } else {
            out.push(character);
        }
    }
    out
}
