//! A network namespace, joined to the machine by two cables: one to the database, one to everything else.

use std::process::Command;

/// The machine's end of the cable to the database.
pub(super) const DATABASE: &str = "10.97.1.1";
/// The machine's end of the other one.
pub(super) const MACHINE: &str = "10.97.2.1";
pub(super) const NETWORK: &str = "10.97.0.0/16";

/// Gone, with its cables, when dropped.
pub(super) struct Namespace {
    name: String,
}

impl Namespace {
    /// `None`, said loudly, where one may not be made; never under CI.
    pub(super) fn new() -> Option<Self> {
        if !crate::cluster::is_root() {
            crate::cluster::skip("not root", "network namespaces are for root only");
            return None;
        }
        let name = format!("chaos{}", std::process::id());
        ip(&format!("netns add {name}"));
        let namespace = Self { name };
        namespace.plug("d", "10.97.1");
        namespace.plug("m", "10.97.2");
        ip(&format!("-n {} link set lo up", namespace.name));
        Some(namespace)
    }

    fn plug(&self, cable: &str, network: &str) {
        let Self { name } = self;
        let (outside, inside) = (self.end(cable), format!("in-{cable}"));
        ip(&format!("link add {outside} type veth peer name {inside} netns {name}"));
        ip(&format!("addr add {network}.1/24 dev {outside}"));
        ip(&format!("-n {name} addr add {network}.2/24 dev {inside}"));
        ip(&format!("link set {outside} up"));
        ip(&format!("-n {name} link set {inside} up"));
    }

    /// The machine's end of a cable. Names of interfaces have 15 characters at most.
    fn end(&self, cable: &str) -> String {
        format!("{}{cable}", self.name)
    }

    /// What to put before a command that is to run in here.
    pub(super) fn exec(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Pulls the cable to the database: nothing arrives, and nobody is told. Or plugs it in again.
    pub(super) fn cut(&self, cut: bool) {
        ip(&format!("link set {} {}", self.end("d"), if cut { "down" } else { "up" }));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}
