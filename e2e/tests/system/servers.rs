//! API server and etcd go away and come back, and the controller finds its way back by itself.
//!
//! The servers and their refusals are real; the proxy only counts, and in step 4 keeps the controller away.
//! 1. The API server crashes and comes back. Its watch cache begins anew, so it calls what the controller knows too old
//!    (410), and everything is listed again.
//! 2. etcd crashes: watches stay open, but the Lease can't be renewed, so nobody leads until it is back.
//! 3. Both crash.
//! 4. While the controller is cut off, Deployments, budgets and a namespace go and others come, and the API server is started anew:
//!    the versions that the controller knows are too old, so no watch will ever tell of the deletions; the list does.
//! 5. A controller that starts then finds nothing to do.
//!
//! Whenever the view is out of step nothing is written. The requests of each step are counted.

use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_controller::access::{Source, TABLE};
use holdfast_e2e::{BUDGETS, BehindProxy, Tenant, deployment};
use holdfast_testkit::fault_proxy::{Fault, Mark, Rule, Which};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::json;

const WATCH_ERRORS: &str = "holdfast_watch_errors_total";
/// The servers of a busy machine start slowly, and a watch that failed for long is made again after half a minute.
const RECOVERY: Duration = Duration::from_secs(300);

struct Story {
    behind: BehindProxy,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_go_and_come_back_and_nothing_is_lost_doubled_or_stormed() -> Result<()> {
    let mut story = Story { behind: BehindProxy::start("servers").await? };
    story.behind.deploy(&["web", "api", "worker", "cache"]).await?;
    story.settled().await?;
    story.the_api_server_restarts().await?;
    story.etcd_restarts().await?;
    story.both_restart().await?;
    story.deletions_that_no_watch_tells().await?;
    story.behind.a_fresh_look_agrees().await
}

impl Story {
    async fn settled(&self) -> Result<()> {
        self.behind.settled(RECOVERY).await
    }

    /// Everything is there, in step and led; a new Deployment gets its budget.
    async fn recovered(&mut self, mark: Mark, newcomer: &str) -> Result<()> {
        self.behind.deploy(&[newcomer]).await?;
        self.settled().await?;
        self.behind
            .measured("the view in step, and a leader", RECOVERY, |metrics| {
                ensure!(metrics.sum("holdfast_view_stale", &[]) == Some(0.0), "the view is stale");
                ensure!(metrics.sum("holdfast_leader", &[]) == Some(1.0), "nobody leads");
                Ok(())
            })
            .await?;
        ensure!(self.behind.tries(mark, newcomer) == 1, "{} tries", self.behind.tries(mark, newcomer));
        self.no_storm(mark)?;
        self.behind.none_was_made_twice(&["worker"])
    }

    /// A watch is made again at once and then ever more slowly, and listed once. Of everything else there is little: the
    /// Lease is tried each two seconds, statuses and events tell of the outage.
    fn no_storm(&self, mark: Mark) -> Result<()> {
        let (requests, kinds) = (self.behind.proxy.since(mark), Source::all().count());
        let seen = || format!("{:?}", requests.summary());
        ensure!(requests.busiest_second(&Which::any()) <= 3 * kinds, "a busy second: {}", seen());
        for source in Source::all().filter(|source| !source.is_optional()) {
            let which = |which: Which| which.of(&plural(source));
            let (watches, lists) = (requests.count(&which(Which::watches())), requests.count(&which(Which::lists())));
            ensure!(watches <= 10, "{watches} watches of {source:?}: {}", seen());
            ensure!(lists <= 2, "{lists} lists of {source:?}: {}", seen());
        }
        let told = requests.count(&Which::writes()) - requests.count(&Which::writes().of("leases"));
        ensure!(told <= 40, "{told} writes: {}", seen());
        Ok(())
    }

    async fn stale(&self) -> Result<()> {
        self.behind.reaches("holdfast_view_stale", &[], 1.0).await
    }

    async fn the_api_server_restarts(&mut self) -> Result<()> {
        let mark = self.behind.proxy.mark();
        self.behind.cluster.plane.stop_api_server()?;
        self.stale().await?;
        self.behind.cluster.plane.start_api_server().await?;
        self.recovered(mark, "after-api-server").await?;
        self.behind.reaches(WATCH_ERRORS, &[("reason", "connection")], 10.0).await?;
        self.behind.reaches(WATCH_ERRORS, &[("reason", "expired")], 1.0).await?;
        ensure!(self.behind.controller.log()?.contains("too old resource version"), "no real 410");
        Ok(())
    }

    async fn etcd_restarts(&mut self) -> Result<()> {
        let mark = self.behind.proxy.mark();
        self.behind.cluster.plane.stop_etcd()?;
        self.behind
            .measured("the lead to be given up", RECOVERY, |metrics| {
                ensure!(metrics.sum("holdfast_leader", &[]) == Some(0.0), "it leads");
                Ok(())
            })
            .await?;
        self.behind.cluster.plane.start_etcd().await?;
        self.recovered(mark, "after-etcd").await
    }

    async fn both_restart(&mut self) -> Result<()> {
        let mark = self.behind.proxy.mark();
        self.behind.cluster.plane.stop_api_server()?;
        self.behind.cluster.plane.stop_etcd()?;
        self.stale().await?;
        let starting = self.behind.cluster.plane.start_etcd();
        let (etcd, api_server) = tokio::join!(starting, self.behind.cluster.plane.start_api_server());
        etcd.and(api_server)?;
        self.recovered(mark, "after-both").await
    }

    async fn deletions_that_no_watch_tells(&mut self) -> Result<()> {
        let passing = Tenant::move_in(self.behind.cluster.admin(), "passing").await?;
        passing.govern(json!({})).await?;
        passing.apply(deployment("passing", "gone", 3)).await?;
        passing.budget("gone-deployment").await?;

        let (tenant, proxy) = (&self.behind.tenant, &self.behind.proxy);
        let (mark, fault) = (proxy.mark(), proxy.inject(Rule::new(Which::any(), Fault::Cut)));
        proxy.cut(&Which::any());
        self.stale().await?;
        for app in ["web", "api"] {
            tenant.delete(deployment("", app, 3)).await?;
        }
        tenant.budgets().delete("worker-deployment", &DeleteParams::default()).await?;
        let namespaces: Api<Namespace> = Api::all(passing.client.clone());
        namespaces.delete("passing", &DeleteParams::default()).await?;
        self.behind.deploy_unseen(&["newcomer"]).await?;
        self.behind.cluster.plane.stop_api_server()?;
        self.behind.cluster.plane.start_api_server().await?;
        let expired = self.behind.metric(WATCH_ERRORS, &[("reason", "expired")]).await?;
        ensure!(proxy.since(mark).count(&Which::writes().of(BUDGETS)) == 0, "written blindly");
        fault.lift();

        self.behind.apps.insert("newcomer".to_owned());
        self.behind.apps.retain(|app| !["web", "api"].contains(&&**app));
        self.settled().await?;
        self.behind.reaches(WATCH_ERRORS, &[("reason", "expired")], expired + 1.0).await?;
        self.recovered(mark, "after-all").await
    }
}

/// As the API spells it in paths.
fn plural(source: Source) -> String {
    let row = TABLE.iter().find(|access| access.source == Some(source));
    row.map(|access| access.resource.to_owned()).unwrap_or_default()
}
