//! Logs: JSON for machines, text for people, on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::{LogFormat, Logging};

/// Installs the log as the arguments ask. A level that can't be read is told and replaced by `info`.
pub(crate) fn install(logging: &Logging) {
    let (filter, complaint) = match logging.log_level.parse::<Targets>() {
        Ok(filter) => (filter, None),
        Err(error) => (Targets::new().with_default(LevelFilter::INFO), Some(error)),
    };
    let terminal = std::io::stderr().is_terminal();
    let format = logging.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let builder = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
            builder.finish().with(filter).init();
        }
        LogFormat::Text => builder.with_ansi(terminal).with_target(false).finish().with(filter).init(),
    }
    if let Some(error) = complaint {
        tracing::warn!(%error, level = logging.log_level, "the log level can't be read; info is used");
    }
}
