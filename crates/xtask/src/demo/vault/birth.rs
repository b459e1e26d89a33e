//! How B is initialised: by its person. Once the controller is asked to (`initialization.enabled`, and the chart's `manage.initialize`),
//! this is the file that changes.

use anyhow::Result;
use holdfast_testkit::vault::initialize;
use serde_json::{Value, json};

use super::stage::Stage;

/// What the resource's spec says of it.
pub(super) fn spec() -> Value {
    json!({"enabled": false})
}

/// Brings it about; how, in a sentence. The shares and the first token are thrown away, as nobody needs them here.
pub(super) async fn happen(stage: &Stage) -> Result<&'static str> {
    initialize(&stage.b()?).await?;
    Ok("B is initialised by its person (`bao operator init`, 3 recovery shares of which 2 are needed).")
}
