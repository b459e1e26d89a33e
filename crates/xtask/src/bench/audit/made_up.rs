//! A checkout as this audience has it, of any size: a root, and app after app with five files each.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Files of each app.
const FILES: usize = 5;
/// Apps of each namespace.
const NEIGHBOURS: usize = 20;

const ROOT: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: cluster-apps
  namespace: flux-system
spec:
  interval: 1h
  retryInterval: 2m
  path: ./kubernetes/apps
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
---
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: https://git.example/home.git, ref: refs/heads/main, path: kubernetes/flux}
";

const KS: &str = "\
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: NAME
  namespace: HOME
spec:
  interval: 1h
  retryInterval: 2m
  timeout: 5m
  path: ./kubernetes/apps/HOME/NAME/app
  postBuild:
    substitute: {APP: NAME, DOMAIN: home.example}
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
    namespace: flux-system
  targetNamespace: HOME
  wait: true
";

const OVERLAY: &str = "\
---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ./helmrelease.yaml
  - ./ocirepository.yaml
  - ./pdb.yaml
";

const REPOSITORY: &str = "\
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: NAME
spec:
  interval: 1h
  layerSelector:
    mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip
    operation: copy
  ref:
    tag: 4.1.1
  url: oci://ghcr.io/bjw-s-labs/helm/app-template
";

const BUDGET: &str = "\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: NAME
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      app.kubernetes.io/name: NAME
      app.kubernetes.io/controller: NAME
";

const RELEASE: &str = r#"---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: NAME
spec:
  chartRef:
    kind: OCIRepository
    name: NAME
  interval: 1h
  install:
    remediation:
      retries: 3
  upgrade:
    cleanupOnFail: true
    remediation:
      retries: 3
  values:
    controllers:
      NAME:
        replicas: COUNT
        strategy: RollingUpdate
        annotations:
          reloader.stakater.com/auto: "true"
        containers:
          app:
            image:
              repository: registry.example/NAME
              tag: 1.4.2@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            env:
              TZ: Etc/UTC
              HTTP_PORT: &port 8080
              LOG_LEVEL: info
            envFrom:
              - secretRef:
                  name: NAME-secret
            probes:
              liveness: &probes
                enabled: true
                custom: true
                spec:
                  httpGet:
                    path: /healthz
                    port: *port
                  initialDelaySeconds: 0
                  periodSeconds: 10
                  timeoutSeconds: 1
                  failureThreshold: 3
              readiness: *probes
            securityContext:
              allowPrivilegeEscalation: false
              readOnlyRootFilesystem: true
              capabilities: {drop: ["ALL"]}
            resources:
              requests:
                cpu: 10m
                memory: 64Mi
              limits:
                memory: 256Mi
    defaultPodOptions:
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
    service:
      app:
        ports:
          http:
            port: *port
    route:
      app:
        hostnames: ["${APP}.${DOMAIN}"]
        parentRefs:
          - name: internal
            namespace: network
            sectionName: https
    persistence:
      tmp:
        type: emptyDir
"#;

/// Writes a checkout of about so many YAML files.
pub(super) fn write(root: &Path, files: usize) -> Result<()> {
    let apps = files / FILES;
    let homes = apps.div_ceil(NEIGHBOURS);
    let folder = root.join("kubernetes/apps");
    fs::create_dir_all(root.join("kubernetes/flux"))?;
    fs::write(root.join("kubernetes/flux/cluster.yaml"), ROOT)?;
    let lists = |names: Vec<String>| {
        let entries: String = names.iter().map(|name| format!("  - ./{name}\n")).collect();
        format!("---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{entries}")
    };
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("kustomization.yaml"), lists((0..homes).map(|home| format!("home-{home}")).collect()))?;
    for home in 0..homes {
        let (name, from) = (format!("home-{home}"), home * NEIGHBOURS);
        let neighbours: Vec<_> = (from..apps.min(from + NEIGHBOURS)).map(|app| format!("app-{app}")).collect();
        for app in &neighbours {
            let place = folder.join(&name).join(app);
            fs::create_dir_all(place.join("app"))?;
            let count = if app.ends_with(['0', '5']) { "3" } else { "1" };
            let put = |file: &str, text: &str| {
                let text = text.replace("NAME", app).replace("HOME", &name).replace("COUNT", count);
                fs::write(place.join(file), text)
            };
            put("ks.yaml", KS)?;
            put("app/kustomization.yaml", OVERLAY)?;
            put("app/helmrelease.yaml", RELEASE)?;
            put("app/ocirepository.yaml", REPOSITORY)?;
            put("app/pdb.yaml", BUDGET)?;
        }
        let entries = neighbours.iter().map(|app| format!("{app}/ks.yaml")).collect();
        fs::write(folder.join(&name).join("kustomization.yaml"), lists(entries))?;
    }
    Ok(())
}
