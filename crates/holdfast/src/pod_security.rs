//! `holdfast pod-security`: which level of the Pod Security Standards manifests keep, and what stands in the way.
//!
//! Reads files, asks `pod-security`, tells through `report`; no cluster. What can't be read is told on standard error, and
//! the rest is judged. Exit code 0 when everything is allowed or no level was asked for, 1 when something isn't, 2 when
//! it could not be told.

mod input;
mod judge;
mod objects;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use holdfast_pod_security::{Level, Version};
use holdfast_report::{Detail, JudgedObject, PodSecurity, write_pod_security_human, write_pod_security_json};

use crate::audit::{Colour, look};
use crate::commands::print_with;

/// Something isn't allowed.
const REFUSED: u8 = 1;
/// It could not be told.
const COULD_NOT_TELL: u8 = 2;

/// What is judged, and how it is told.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(crate) struct Arguments {
    /// Manifests, as YAML or JSON; `-` reads standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The level that all have to keep. Without it each is told the strictest that it keeps.
    #[arg(long, value_parser = levels(&Level::ALL))]
    level: Option<Level>,
    /// The version of the standards: `v1.35` and the like, or `latest`, the newest that is known.
    #[arg(long, default_value_t = Version::Latest)]
    version: Version,
    /// The format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// One line for each place that has to change, and nothing else.
    #[arg(long, short)]
    quiet: bool,
    /// Whether to use colours; `auto` does on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
}

const AFTER: &str = "\
Exit codes: 0 everything is allowed, or no --level was given; 1 something isn't; 2 it could not be told.

Examples:
  holdfast pod-security deployment.yaml
  holdfast pod-security deploy/*.yaml --level restricted --version v1.35
  helm template charts/web | holdfast pod-security - --level baseline --format json";

/// The form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// Levels by their names, as an argument.
pub(crate) fn levels(known: &[Level]) -> impl clap::builder::TypedValueParser<Value = Level> + use<> {
    let names: Vec<&str> = known.iter().map(|level| level.name()).collect();
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Level>())
}

impl Arguments {
    /// Runs the command.
    pub(crate) fn run(&self) -> ExitCode {
        let mut objects = Vec::new();
        let mut unread = Vec::new();
        for path in &self.files {
            let read = input::read(path);
            for object in objects::in_documents(&read.documents) {
                match judge::judge(&read.name, object, self.level, self.version) {
                    Ok(judged) => objects.push(judged),
                    Err(why) => unread.push(format!("could not read {}:{why}", read.name)),
                }
            }
            unread.extend(read.error.map(|why| format!("could not read {}: {why}", read.name)));
        }
        if objects.is_empty() && unread.is_empty() {
            unread.push("no file holds an object with pods".to_owned());
        }
        tell_unread(&unread);
        if let Err(error) = print_with(|out| self.write(&objects, out)) {
            let _ = writeln!(io::stderr(), "error: it can't be written: {error}");
            return ExitCode::from(COULD_NOT_TELL);
        }
        match (unread.is_empty(), objects.iter().all(|object| object.allowed)) {
            (false, _) => ExitCode::from(COULD_NOT_TELL),
            (true, false) => ExitCode::from(REFUSED),
            (true, true) => ExitCode::SUCCESS,
        }
    }

    fn write(&self, objects: &[JudgedObject], out: &mut dyn io::Write) -> io::Result<()> {
        let told = PodSecurity { objects, asked: self.level, version: self.version };
        let detail = if self.quiet { Detail::Quiet } else { Detail::Usual };
        match self.format {
            Format::Json => write_pod_security_json(&told, out),
            Format::Human if objects.is_empty() => Ok(()),
            Format::Human => write_pod_security_human(&told, look(self.color, true), detail, out),
        }
    }
}

/// Before the result, which is long: what is missing in it is seen first.
fn tell_unread(unread: &[String]) {
    let mut out = io::stderr().lock();
    for why in unread {
        // Whoever closed standard error doesn't want to know.
        let _ = writeln!(out, "error: {why}");
    }
}
