//! The checks, a file for each or for a family that shares its predicate.
//!
//! Each says by `holds` whether a pod does as demanded, and by `explain` what is wrong with one that doesn't. Which of
//! them is made when stands in the [`table`](crate::table).

pub(crate) mod allow_privilege_escalation;
pub(crate) mod app_armor;
pub(crate) mod capabilities;
pub(crate) mod host_namespaces;
pub(crate) mod host_path;
pub(crate) mod host_ports;
pub(crate) mod host_probes;
pub(crate) mod privileged;
pub(crate) mod proc_mount;
pub(crate) mod run_as_non_root;
pub(crate) mod run_as_user;
pub(crate) mod se_linux;
pub(crate) mod seccomp;
pub(crate) mod sysctls;
pub(crate) mod volumes;
pub(crate) mod windows_host_process;

mod setters;
