//! Where the report goes, and how it looks there.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use holdfast_report::{
    Detail, Look, Report, Selection, write_html, write_human, write_json, write_junit, write_markdown, write_sarif,
};
use terminal_size::{Width, terminal_size};

use super::arguments::Format;
use super::{Arguments, AuditError, Colour, input};

/// How wide text is that goes to no terminal.
const WIDTH: usize = 100;
/// How much is written at once.
const PIECE: usize = 64 << 10;

/// Writes the report. A closed pipe is no failure: whoever read had enough.
pub(super) fn write(report: &Report<'_>, arguments: &Arguments, selection: &Selection) -> Result<(), AuditError> {
    let to = arguments.output.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
    let failed = |cause| AuditError::Output { to: to.clone(), cause };
    let told = |out: &mut dyn Write| {
        // As it is made: the report of a large checkout is megabytes.
        let mut out = BufWriter::with_capacity(PIECE, out);
        render(report, arguments, selection, &mut out)?;
        out.flush()
    };
    match &arguments.output {
        Some(path) => File::create(path).and_then(|mut file| told(&mut file)).map_err(failed),
        None => crate::commands::print_with(told).map_err(failed),
    }
}

fn render(report: &Report<'_>, arguments: &Arguments, selection: &Selection, out: &mut dyn Write) -> io::Result<()> {
    match arguments.format {
        Format::Human => {
            let detail = match (arguments.quiet, selection.is_narrow()) {
                (true, _) => Detail::Quiet,
                (false, true) => Detail::Full,
                (false, false) => Detail::Usual,
            };
            write_human(report, look(arguments.color, arguments.output.is_none()), detail, out)
        }
        Format::Json => write_json(report, out),
        Format::Sarif => write_sarif(report, &input::prefix(&arguments.path), out),
        Format::Junit => write_junit(report, out),
        Format::Markdown => write_markdown(report, out),
        Format::Html => write_html(report, out),
    }
}

/// How text looks that goes to standard output, or else to a file.
pub(crate) fn look(colour: Colour, to_stdout: bool) -> Look {
    let stdout = io::stdout();
    let terminal = to_stdout && stdout.is_terminal();
    let colour = match colour {
        Colour::Always => true,
        Colour::Never => false,
        // Knows NO_COLOR, CLICOLOR and terminals that can't.
        Colour::Auto => to_stdout && AutoStream::choice(&stdout) != ColorChoice::Never,
    };
    let width = terminal_size().filter(|_| terminal).map_or(WIDTH, |(Width(columns), _)| usize::from(columns));
    Look { colour, width }
}
