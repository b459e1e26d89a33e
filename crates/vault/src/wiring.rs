//! How a token gets from its Secret into the server's process, as the pod template shows.

use k8s_openapi::api::core::v1::{Container, PodSpec};

use crate::view::Wiring;

/// What a server reads its seal token from (`seal/transit` of both products; OpenBao prefers the first).
const VARIABLES: [&str; 3] = ["VAULT_TRANSIT_SEAL_TOKEN", "VAULT_TOKEN", "BAO_TOKEN"];

/// The container that runs the server: the one that is named, else the one with the port, else the only one.
#[must_use]
pub fn server_container<'a>(pod: &'a PodSpec, name: &str, port: u16) -> Option<&'a Container> {
    if !name.is_empty() {
        return pod.containers.iter().find(|container| container.name == name);
    }
    let listens = |container: &&Container| {
        container.ports.iter().flatten().any(|listed| listed.container_port == i32::from(port))
    };
    let only = || pod.containers.first().filter(|_| pod.containers.len() == 1);
    pod.containers.iter().find(listens).or_else(only)
}

/// How this key of this Secret reaches the container.
#[must_use]
pub fn wiring(pod: &PodSpec, container: &Container, secret: &str, key: &str) -> Wiring {
    let variable = VARIABLES.iter().find(|name| reads(container, name, secret, key));
    if let Some(name) = variable {
        return Wiring::Env((*name).to_owned());
    }
    let volumes = pod.volumes.iter().flatten().filter(|volume| holds(volume, secret));
    let names: Vec<&str> = volumes.map(|volume| volume.name.as_str()).collect();
    let mounts = container.volume_mounts.iter().flatten();
    let Some(mount) = mounts.into_iter().find(|mount| names.contains(&mount.name.as_str())) else {
        return Wiring::Unused;
    };
    match &mount.sub_path {
        Some(path) if !path.is_empty() => Wiring::SubPath(mount.mount_path.clone()),
        _ => Wiring::File(mount.mount_path.clone()),
    }
}

fn reads(container: &Container, name: &str, secret: &str, key: &str) -> bool {
    let refers = container.env.iter().flatten().any(|variable| {
        let source = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
        variable.name == name && source.is_some_and(|source| source.name == secret && source.key == key)
    });
    // `envFrom` takes all keys of the Secret as they are named.
    let takes_all = container.env_from.iter().flatten().any(|from| {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        from.secret_ref.as_ref().is_some_and(|source| source.name == secret) && format!("{prefix}{key}") == name
    });
    refers || takes_all
}

fn holds(volume: &k8s_openapi::api::core::v1::Volume, secret: &str) -> bool {
    let direct = volume.secret.as_ref().and_then(|source| source.secret_name.as_deref()) == Some(secret);
    let projected = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    direct || projected.filter_map(|source| source.secret.as_ref()).any(|source| source.name == secret)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pod: serde_json::Value, expected: &Wiring) {
        let pod: PodSpec = serde_json::from_value(pod).expect("a pod");
        let container = server_container(&pod, "", 8200).expect("a container");
        assert_eq!(&wiring(&pod, container, "vault-token", "token"), expected);
    }

    #[test]
    fn by_the_environment() {
        let from = |name: &str, secret: &str| {
            json!({ "containers": [{ "name": "vault", "env": [
                { "name": name, "valueFrom": { "secretKeyRef": { "name": secret, "key": "token" } } }] }] })
        };
        check(from("VAULT_TOKEN", "vault-token"), &Wiring::Env("VAULT_TOKEN".to_owned()));
        check(from("VAULT_TRANSIT_SEAL_TOKEN", "vault-token"), &Wiring::Env("VAULT_TRANSIT_SEAL_TOKEN".to_owned()));
        check(from("VAULT_TOKEN", "another"), &Wiring::Unused);
        check(from("SOMETHING", "vault-token"), &Wiring::Unused);
    }

    #[test]
    fn by_a_file() {
        let mounted = |mount: serde_json::Value| {
            json!({ "volumes": [{ "name": "seal", "secret": { "secretName": "vault-token" } }],
                    "containers": [{ "name": "vault", "volumeMounts": [mount] }] })
        };
        let at = "/vault/seal".to_owned();
        check(mounted(json!({ "name": "seal", "mountPath": "/vault/seal" })), &Wiring::File(at.clone()));
        let sub = json!({ "name": "seal", "mountPath": "/vault/seal", "subPath": "token" });
        check(mounted(sub), &Wiring::SubPath(at));
        check(mounted(json!({ "name": "data", "mountPath": "/data" })), &Wiring::Unused);
    }

    #[test]
    fn the_container_with_the_port_is_the_server() {
        let pod: PodSpec = serde_json::from_value(json!({ "containers": [
            { "name": "agent" }, { "name": "vault", "ports": [{ "containerPort": 8200 }] }] }))
        .expect("a pod");
        assert_eq!(server_container(&pod, "", 8200).map(|found| found.name.as_str()), Some("vault"));
        assert_eq!(server_container(&pod, "agent", 8200).map(|found| found.name.as_str()), Some("agent"));
        assert_eq!(server_container(&pod, "", 9999), None);
    }
}
