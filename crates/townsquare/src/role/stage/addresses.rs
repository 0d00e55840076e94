//! Where speakers reach the stage's media: what is announced in every answer.

use crate::settings::Settings;
use anyhow::Context as _;
use ingest::{Candidate, Transport};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

/// The addresses of the public host when one was said, else those of the interfaces; each over UDP and TCP.
pub(super) fn announced(settings: &Settings, udp: SocketAddr, tcp: SocketAddr) -> anyhow::Result<Vec<Candidate>> {
    let addresses = if settings.stage_public_url_said {
        public(&settings.stage_public_url)?
    } else if udp.ip().is_unspecified() {
        let reachable = |address: &IpAddr| udp.is_ipv6() || address.is_ipv4();
        interfaces().context("listing the network interfaces")?.into_iter().filter(reachable).collect()
    } else {
        vec![udp.ip().to_canonical()]
    };
    anyhow::ensure!(!addresses.is_empty(), "no address at which speakers could reach the stage; say one with --stage-public-url");
    let over = |transport, port| addresses.iter().map(move |ip| Candidate { transport, address: SocketAddr::new(*ip, port) });
    Ok(over(Transport::Udp, udp.port()).chain(over(Transport::Tcp, tcp.port())).collect())
}

fn public(url: &str) -> anyhow::Result<Vec<IpAddr>> {
    let url = url::Url::parse(url).with_context(|| format!("{url} is no address"))?;
    let host = url.host_str().with_context(|| format!("{url} has no host"))?;
    let host = host.trim_matches(['[', ']']);
    let found =
        (host, 0).to_socket_addrs().with_context(|| format!("{host} has no address; name one that resolves with --stage-public-url"))?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.dedup();
    Ok(addresses)
}

/// Every interface's addresses, loopback last; link-local ones need a scope that an answer can't carry.
fn interfaces() -> std::io::Result<Vec<IpAddr>> {
    let link_local = |ip: &IpAddr| match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?.into_iter().map(|one| one.ip()).filter(|ip| !link_local(ip)).collect();
    addresses.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip));
    addresses.dedup();
    Ok(addresses)
}
