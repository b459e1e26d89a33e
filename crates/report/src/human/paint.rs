//! Colours and widths of a terminal.

use anstyle::{AnsiColor, Color, Style};
use holdfast_policy::Severity;
use textwrap::Options;

use crate::Look;
use crate::verdict::UNBROKEN;

/// Narrower than this nothing is laid out for.
const NARROWEST: usize = 40;

/// What a text means, whatever colour that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Critical,
    High,
    Medium,
    Low,
    Info,
    Good,
    Strong,
    Dim,
    Place,
}

impl Tone {
    pub(crate) const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::High => Self::High,
            Severity::Medium => Self::Medium,
            Severity::Low => Self::Low,
            Severity::Info => Self::Info,
        }
    }

    pub(crate) const fn style(self) -> Style {
        match self {
            Self::Critical => colour(AnsiColor::BrightRed).bold(),
            Self::High => colour(AnsiColor::Red).bold(),
            Self::Medium => colour(AnsiColor::Yellow).bold(),
            Self::Low => colour(AnsiColor::Blue).bold(),
            Self::Info => colour(AnsiColor::Cyan),
            Self::Good => colour(AnsiColor::Green).bold(),
            Self::Strong => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Place => colour(AnsiColor::Cyan),
        }
    }
}

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// Colours and widths as they are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    look: Look,
}

impl Paint {
    pub(crate) fn new(look: Look) -> Self {
        Self { look: Look { width: look.width.max(NARROWEST), ..look } }
    }

    pub(crate) const fn width(self) -> usize {
        self.look.width
    }

    pub(crate) const fn has_colour(self) -> bool {
        self.look.colour
    }

    /// The text in this tone.
    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        let style = tone.style();
        if self.look.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// The lines of a text that is wrapped between words; escapes have no width.
    pub(crate) fn wrap(self, text: &str, first: &str, other: &str) -> Vec<String> {
        wrap(text, self.look.width, first, other)
    }

    /// A heading with a line up to the edge.
    pub(crate) fn rule(self, title: &str) -> String {
        let used = textwrap::core::display_width(title) + 4;
        let line = "─".repeat(self.look.width.saturating_sub(used).max(1));
        format!("{} {} {}", self.tone(Tone::Dim, "──"), self.tone(Tone::Strong, title), self.tone(Tone::Dim, &line))
    }
}

/// The lines of a text, not wider than this. A path is never cut in two: it is clicked on and copied.
pub(crate) fn wrap(text: &str, width: usize, first: &str, other: &str) -> Vec<String> {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(other)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options).iter().map(|line| line.replace(UNBROKEN, " ")).collect()
}
