//! Real Vault and OpenBao servers: what was found out about them, held against them again, one module per story.

mod bad_input;
mod causes;
mod init;
mod init_causes;
mod init_forms;
mod init_kills;
mod keep;
mod keys;
mod permissions;
mod pods;
mod power_cut;
mod quiet;
mod secrecy;
mod stage;
mod starts;
mod token_life;
mod truth;
mod wire;

use anyhow::{Context as _, Result};
use holdfast_testkit::vault::Product;

/// One story for every product. They run at once: most of their time is the servers' own waiting.
async fn with_each(story: impl AsyncFn(Product) -> Result<()>) -> Result<()> {
    let tell = async |product: Product| story(product).await.with_context(|| product.to_string());
    let [openbao, older, vault] = Product::ALL;
    tokio::try_join!(tell(openbao), tell(older), tell(vault)).map(drop)
}
