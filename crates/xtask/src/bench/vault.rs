//! What the Vault controller costs while all is well: memory, processor time, and how often and how evenly it asks.
//!
//! Each sealed server has a StatefulSet, a pod, a Secret and a resource on a real API server; all are sealed by one transit server,
//! which is a real OpenBao and makes it hardest for the controller to be gentle. The sealed servers themselves are light ones of
//! ours. The API server's audit log says what was asked of it.

mod cluster;
mod fleet;
mod tally;
mod transit;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use holdfast_e2e::Cluster;
use holdfast_testkit::audit::Mark;
use holdfast_testkit::{AuditEvent, ControllerProcess, Usage, eventually};

use self::cluster::{Places, Scope};
use self::fleet::Fleet;
use self::transit::Transit;
use super::report::{Figure, Report};
use super::stage::{PATIENCE, sum, unchanged};

/// The interval of a resource unless it is told.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long the first looks at all servers may take.
const FIRST: Duration = Duration::from_secs(300);
/// So long no status must have been written before it counts as quiet: longer than it is between whole looks.
const QUIET: Duration = Duration::from_secs(90);
/// The controller's account, as the audit log names it.
const USER: &str = "system:serviceaccount:holdfast-system:holdfast-vault";
const LEASES: &str = "leases.coordination.k8s.io";

#[derive(Debug, clap::Args)]
pub(super) struct Vault {
    /// How many sealed servers there are.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    servers: u16,
    /// Over how many namespaces they are spread.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    namespaces: u16,
    /// How long nothing happens, each time.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Tokens are made and pods restarted, for which the controller logs in; else it only looks.
    #[arg(long)]
    manage: bool,
}

/// All that takes part.
struct World {
    cluster: Cluster,
    transit: Transit,
    fleet: Fleet,
    places: Places,
    seconds: u64,
}

struct Moment {
    at: Instant,
    usage: Usage,
    mark: Mark,
}

impl Vault {
    pub(super) async fn run(self, binary: &Path) -> Result<Report> {
        let world = self.world().await?;
        let namespaces = world.places.namespaces();
        let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        let builder = world.cluster.vault_controller_builder(&names).await?.binary(binary).log_level("info");
        let begun = Instant::now();
        let controller = builder.start()?;
        controller.ready(PATIENCE).await?;
        let mut report = Report::new("vault", &HEADINGS);
        world.all_say(&controller, "NoEvidence").await?;
        report.note(format!(
            "From the start until every status said what is known: {:.1} s.",
            begun.elapsed().as_secs_f64()
        ));
        world.measure("watched since they started", &controller, &mut report).await?;
        eprintln!("All servers start anew.");
        cluster::restart(&world.cluster, &world.places, &world.fleet).await?;
        world.all_say(&controller, "Rehearsed").await?;
        world.measure("started since they are watched", &controller, &mut report).await?;
        report.note("A whole look costs more than one request, about once in a minute; a tenth of an interval holds 10 % when all is even.");
        controller.terminate(PATIENCE).await?;
        Ok(report)
    }

    async fn world(&self) -> Result<World> {
        let scope = if self.manage { Scope::Manage } else { Scope::Observe };
        let places = Places { servers: self.servers.into(), namespaces: self.namespaces.into() };
        eprintln!("Starting an API server, a transit server and {} sealed ones.", places.servers);
        let (cluster, transit, fleet) =
            tokio::try_join!(cluster::start(&places, scope), Transit::start(), Fleet::start(places.servers))?;
        transit.trust(&cluster.plane).await?;
        cluster::populate(&cluster, &places, scope, &fleet, &transit).await?;
        Ok(World { cluster, transit, fleet, places, seconds: self.seconds })
    }
}

const HEADINGS: [&str; 16] = [
    "servers",
    "seconds",
    "resident MiB",
    "of it its own",
    "peak MiB",
    "% of one core",
    "to each sealed server in an interval",
    "most to one",
    "to the transit server for each",
    "fullest tenth %, sealed",
    "worst, sealed",
    "fullest tenth %, transit",
    "worst, transit",
    "API reads a second",
    "API writes but renewals",
    "renewals",
];

impl World {
    async fn all_say(&self, controller: &ControllerProcess, reason: &str) -> Result<()> {
        eventually(&format!("{reason} in all statuses"), FIRST, async || {
            let told = cluster::would_start(&self.cluster).await?;
            ensure!(told.get(reason) == Some(&self.places.servers), "they say {told:?}");
            Ok(())
        })
        .await
        .map_err(|error| controller.explain(error))
    }

    async fn measure(&self, phase: &str, controller: &ControllerProcess, report: &mut Report) -> Result<()> {
        unchanged("statuses to stay as they are", QUIET, FIRST, async || {
            sum(controller, "holdfast_vault_status_writes_total").await
        })
        .await?;
        let before = self.moment(controller)?;
        eprintln!("Nothing happens for {} seconds.", self.seconds);
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let after = self.moment(controller)?;
        let events = self.cluster.plane.audit().since(before.mark)?;
        let asked = Asked::of(&events);
        if !asked.writes.is_empty() {
            report.note(format!("{phase}, written but renewals: {:?}", asked.writes));
        }
        report.row(self.row(phase, &before, &after, &asked));
        Ok(())
    }

    fn moment(&self, controller: &ControllerProcess) -> Result<Moment> {
        Ok(Moment { mark: self.cluster.plane.audit().mark()?, usage: controller.usage()?, at: Instant::now() })
    }

    fn row(&self, phase: &str, before: &Moment, after: &Moment, asked: &Asked) -> Vec<Figure> {
        let servers = self.places.servers;
        let sealed = self.fleet.tally.between(before.at, after.at, INTERVAL);
        let transit = self.transit.tally.between(before.at, after.at, INTERVAL);
        let seconds = (after.at - before.at).as_secs_f64();
        let busy = (after.usage.processor - before.usage.processor).as_secs_f64();
        let (of_sealed, of_transit) = (sealed.fullest(), transit.fullest());
        let number = |value: f64, digits| Figure::Number(value, digits);
        vec![
            Figure::name(format!("{servers}, {phase}")),
            number(seconds, 0),
            Figure::mebibytes(after.usage.resident),
            Figure::mebibytes(after.usage.anonymous),
            Figure::mebibytes(after.usage.peak),
            number(100.0 * busy / seconds, 2),
            number(sealed.for_each(servers), 2),
            Figure::count(sealed.most()),
            number(transit.for_each(servers), 2),
            middle(&of_sealed),
            worst(&of_sealed),
            middle(&of_transit),
            worst(&of_transit),
            number(asked.reads as f64 / seconds, 1),
            Figure::count(asked.writes.values().sum()),
            Figure::count(asked.renewals),
        ]
    }
}

/// Of sorted shares the one in the middle.
fn middle(shares: &[f64]) -> Figure {
    shares.get(shares.len() / 2).map_or(Figure::Nothing, |share| Figure::Number(*share, 0))
}

fn worst(shares: &[f64]) -> Figure {
    shares.last().map_or(Figure::Nothing, |share| Figure::Number(*share, 0))
}

/// What the controller asked the API server.
#[derive(Default)]
struct Asked {
    reads: usize,
    renewals: usize,
    /// All other writes, by what they were.
    writes: BTreeMap<String, usize>,
}

impl Asked {
    fn of(events: &[AuditEvent]) -> Self {
        let mut asked = Self::default();
        for event in events.iter().filter(|event| event.user == USER) {
            match (event.is_write(), event.is_about(LEASES)) {
                (false, _) => asked.reads += 1,
                (true, true) => asked.renewals += 1,
                (true, false) => {
                    let what = format!("{} {}/{}", event.verb, event.resource, event.subresource);
                    *asked.writes.entry(what).or_default() += 1;
                }
            }
        }
        asked
    }
}
