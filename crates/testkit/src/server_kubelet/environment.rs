//! The variables of a container, as the kubelet makes them: fields, Secrets and ConfigMaps looked up at its start, and
//! `$(NAME)` replaced by what was defined before.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, EnvVarSource, Pod, Secret};
use kube::{Api, Client, ResourceExt as _};

/// Where the values come from.
pub(super) struct Sources<'a> {
    pub(super) client: &'a Client,
    pub(super) namespace: &'a str,
    pub(super) pod: &'a Pod,
    pub(super) ip: Ipv4Addr,
}

impl Sources<'_> {
    /// All variables of a container. Fails as the kubelet does, with what is missing.
    pub(super) async fn variables(&self, container: &Container) -> Result<BTreeMap<String, String>> {
        let mut variables = BTreeMap::new();
        for from in container.env_from.iter().flatten() {
            let prefix = from.prefix.as_deref().unwrap_or_default();
            let data = match (&from.secret_ref, &from.config_map_ref) {
                (Some(secret), _) => self.secret(&secret.name, secret.optional).await?,
                (None, Some(map)) => self.config_map(&map.name, map.optional).await?,
                (None, None) => BTreeMap::new(),
            };
            variables.extend(data.into_iter().map(|(key, value)| (format!("{prefix}{key}"), value)));
        }
        for variable in container.env.iter().flatten() {
            if let Some(value) = self.value(variable, &variables).await? {
                variables.insert(variable.name.clone(), value);
            }
        }
        Ok(variables)
    }

    async fn value(&self, variable: &EnvVar, defined: &BTreeMap<String, String>) -> Result<Option<String>> {
        match &variable.value_from {
            None => Ok(Some(expand(variable.value.as_deref().unwrap_or_default(), defined))),
            Some(source) => self.looked_up(source).await.with_context(|| format!("the variable {}", variable.name)),
        }
    }

    async fn looked_up(&self, source: &EnvVarSource) -> Result<Option<String>> {
        if let Some(field) = &source.field_ref {
            return self.field(&field.field_path).map(Some);
        }
        let (what, key, optional, mut data) = match (&source.secret_key_ref, &source.config_map_key_ref) {
            (Some(of), _) => ("Secret", &of.key, of.optional, self.secret(&of.name, of.optional).await?),
            (None, Some(of)) => ("ConfigMap", &of.key, of.optional, self.config_map(&of.name, of.optional).await?),
            (None, None) => bail!("its source is of a kind that isn't played"),
        };
        match (data.remove(key), optional) {
            (None, None | Some(false)) => bail!("couldn't find key {key} in the {what}"),
            (value, _) => Ok(value),
        }
    }

    fn field(&self, path: &str) -> Result<String> {
        let spec = self.pod.spec.as_ref().context("a pod without a spec")?;
        Ok(match path {
            "metadata.name" => self.pod.name_any(),
            "metadata.namespace" => self.namespace.to_owned(),
            "metadata.uid" => self.pod.uid().unwrap_or_default(),
            "status.podIP" | "status.podIPs" => self.ip.to_string(),
            "spec.nodeName" => spec.node_name.clone().unwrap_or_default(),
            "spec.serviceAccountName" => spec.service_account_name.clone().unwrap_or_default(),
            _ => bail!("the field {path} isn't played"),
        })
    }

    async fn secret(&self, name: &str, optional: Option<bool>) -> Result<BTreeMap<String, String>> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), self.namespace);
        let Some(secret) = secrets.get_opt(name).await? else {
            return absent(optional, || format!("the Secret {name}"));
        };
        let texts = secret.data.unwrap_or_default().into_iter().map(|(key, value)| {
            // Named, but never shown.
            let text =
                String::from_utf8(value.0).ok().with_context(|| format!("{key} of the Secret {name} isn't text"));
            Ok((key, text?))
        });
        texts.collect()
    }

    async fn config_map(&self, name: &str, optional: Option<bool>) -> Result<BTreeMap<String, String>> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), self.namespace);
        match maps.get_opt(name).await? {
            Some(map) => Ok(map.data.unwrap_or_default()),
            None => absent(optional, || format!("the ConfigMap {name}")),
        }
    }
}

fn absent<T: Default>(optional: Option<bool>, what: impl FnOnce() -> String) -> Result<T> {
    match optional {
        Some(true) => Ok(T::default()),
        Some(false) | None => bail!("{} not found", what()),
    }
}

/// Replaces `$(NAME)`; what isn't defined stays as it is, and `$$` is a dollar.
fn expand(text: &str, defined: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((value, after)) = reference(rest, defined) {
            expanded.push_str(value);
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded + rest
}

fn reference<'a>(rest: &'a str, defined: &'a BTreeMap<String, String>) -> Option<(&'a str, &'a str)> {
    let (name, after) = rest.strip_prefix('(')?.split_once(')')?;
    Some((defined.get(name)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded_as_the_kubelet_does() {
        let defined = [("IP".to_owned(), "127.77.0.1".to_owned())].into();
        let check = |text: &str, expanded: &str| assert_eq!(expand(text, &defined), expanded);
        check("http://$(IP):8200", "http://127.77.0.1:8200");
        check("$(NONE) $(IP", "$(NONE) $(IP");
        check("$$(IP) $IP $", "$(IP) $IP $");
    }
}
