//! The lowest TLS version that a gateway or an ingress controller accepts, where something says it.

use holdfast_model::repository::{Network, TlsMinimum};

use crate::Object;
use crate::facts::identity::identity;

pub(super) fn read(object: &Object, network: &mut Network) {
    let said = match (object.group(), object.kind.as_str()) {
        ("gateway.envoyproxy.io", "ClientTrafficPolicy") => {
            one(object, "ClientTrafficPolicy", &["spec", "tls", "minVersion"], version)
        }
        ("traefik.io" | "traefik.containo.us", "TLSOption") => {
            one(object, "TLSOption", &["spec", "minVersion"], version)
        }
        ("networking.istio.io", "Gateway") => istio(object),
        ("", "ConfigMap") if object.name.contains("nginx") => {
            one(object, "ConfigMap", &["data", "ssl-protocols"], lowest)
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") => values(object),
        (_, _) => None,
    };
    network.tls_minimums.extend(said);
}

fn one(object: &Object, kind: &'static str, path: &[&str], read: fn(&str) -> Option<u8>) -> Option<TlsMinimum> {
    let lowest = read(object.root.at(path)?.as_str()?)?;
    Some(TlsMinimum { identity: identity(object, kind), field: path.join(".").into(), lowest })
}

fn values(object: &Object) -> Option<TlsMinimum> {
    let nginx = ["spec", "values", "controller", "config", "ssl-protocols"];
    let traefik = ["spec", "values", "tlsOptions", "default", "minVersion"];
    one(object, "HelmRelease", &nginx, lowest).or_else(|| one(object, "HelmRelease", &traefik, version))
}

fn istio(object: &Object) -> Option<TlsMinimum> {
    let servers = object.root.at(&["spec", "servers"])?.items();
    servers.iter().enumerate().find_map(|(index, server)| {
        let lowest = version(server.at(&["tls", "minProtocolVersion"])?.as_str()?)?;
        let field = format!("spec.servers[{index}].tls.minProtocolVersion").into();
        Some(TlsMinimum { identity: identity(object, "Gateway"), field, lowest })
    })
}

/// `1.2`, `VersionTLS12`, `TLSV1_2`: ten times the number. What leaves it to a default says nothing.
fn version(text: &str) -> Option<u8> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|version| (10..=13).contains(version))
}

/// The lowest of `TLSv1.2 TLSv1.3`.
fn lowest(text: &str) -> Option<u8> {
    let one = |word: &str| match word {
        "SSLv2" | "SSLv3" => Some(9),
        "TLSv1" => Some(10),
        _ => version(word),
    };
    text.split_whitespace().filter_map(one).min()
}

#[cfg(test)]
mod tests {
    use super::{lowest, version};

    #[test]
    fn every_spelling_of_a_version_is_read() {
        let all = ["1.2", "VersionTLS12", "TLSV1_2"].map(version);
        assert_eq!(all, [Some(12); 3]);
        assert_eq!(["Auto", "", "TLS_AUTO", "99"].map(version), [None; 4]);
        assert_eq!(lowest("TLSv1.2 TLSv1 TLSv1.3"), Some(10));
        assert_eq!(lowest("TLSv1.2 TLSv1.3"), Some(12));
        assert_eq!(lowest("everything"), None);
    }
}
