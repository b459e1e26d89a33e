//! What is kept of a container.

use crate::shape;

use super::Security;

/// A container of any of the three lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Container {
    pub(crate) name: Box<str>,
    pub(super) security: Option<Box<Security>>,
    pub(super) reach: Option<Box<Reach>>,
}

/// How the node's network comes into a container, which few need.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Reach {
    pub(super) ports: Box<[Port]>,
    hosts: Box<[Host]>,
}

/// A port on the node, or one that the server puts there because the pod uses the node's network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Port {
    /// Its position in the manifest.
    pub(crate) index: u32,
    pub(crate) host: i32,
    /// Only kept where it matters: in the node's network.
    pub(super) inside: i32,
}

/// A probe or hook that goes to a host of its own choice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    /// Where it stands in the container.
    pub(crate) field: &'static str,
    pub(crate) host: Box<str>,
}

impl Container {
    pub(super) fn of(shape: shape::Container, host_network: bool) -> Self {
        let reach = Reach { ports: ports(&shape.ports, host_network), hosts: hosts(&shape) };
        Self {
            name: shape.name,
            security: shape.security_context.and_then(|context| Security::of_container(*context).kept()),
            reach: (reach != Reach::default()).then(|| Box::new(reach)),
        }
    }

    pub(crate) fn security(&self) -> &Security {
        self.security.as_deref().unwrap_or(&Security::NONE)
    }

    /// The ports that it has on the node.
    pub(crate) fn host_ports(&self) -> impl Iterator<Item = &Port> {
        self.reach.iter().flat_map(|reach| &reach.ports).filter(|port| port.host != 0)
    }

    /// Probes first, then hooks.
    pub(crate) fn hosts(&self) -> &[Host] {
        self.reach.as_ref().map_or(&[], |reach| &reach.hosts)
    }
}

fn ports(shapes: &[shape::Port], host_network: bool) -> Box<[Port]> {
    let ports = shapes.iter().enumerate().map(|(at, port)| Port {
        index: u32::try_from(at).unwrap_or(u32::MAX),
        host: port.host_port,
        inside: if host_network { port.container_port } else { 0 },
    });
    ports.filter(|port| port.host != 0 || port.inside != 0).collect()
}

fn hosts(shape: &shape::Container) -> Box<[Host]> {
    let hooks = shape.lifecycle.as_deref();
    let handlers = [
        (shape.liveness_probe.as_ref(), "livenessProbe.httpGet.host", "livenessProbe.tcpSocket.host"),
        (shape.readiness_probe.as_ref(), "readinessProbe.httpGet.host", "readinessProbe.tcpSocket.host"),
        (shape.startup_probe.as_ref(), "startupProbe.httpGet.host", "startupProbe.tcpSocket.host"),
        (
            hooks.and_then(|hooks| hooks.post_start.as_ref()),
            "lifecycle.postStart.httpGet.host",
            "lifecycle.postStart.tcpSocket.host",
        ),
        (
            hooks.and_then(|hooks| hooks.pre_stop.as_ref()),
            "lifecycle.preStop.httpGet.host",
            "lifecycle.preStop.tcpSocket.host",
        ),
    ];
    let actions = handlers.into_iter().flat_map(|(handler, http, tcp)| {
        let http = handler.and_then(|handler| handler.http_get.as_ref()).map(|action| (http, action));
        let tcp = handler.and_then(|handler| handler.tcp_socket.as_ref()).map(|action| (tcp, action));
        [http, tcp]
    });
    let set = actions.flatten().filter(|(_, action)| !action.host.is_empty());
    set.map(|(field, action)| Host { field, host: action.host.clone() }).collect()
}
