//! The listening sockets: bound once, held by the supervisor, inherited by every life of a role.

use crate::link::RoleName;
use crate::settings::Settings;
use anyhow::Context;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

/// Connections that wait to be accepted, for instance while a role is replaced; the system may hold fewer.
const BACKLOG: i32 = 65_535;

/// Bytes of datagrams that wait for the stage; the system may hold fewer.
const DATAGRAMS_BYTES: usize = 4 * 1024 * 1024;

/// Binds the sockets of one role, in the order in which it inherits them.
pub(crate) fn bind(settings: &Settings, role: RoleName) -> anyhow::Result<Vec<OwnedFd>> {
    match role {
        RoleName::Stage => Ok(vec![
            named(settings.stage_listen, Type::DGRAM, "--stage-listen")?,
            named(settings.stage_listen, Type::STREAM, "--stage-listen")?,
        ]),
        RoleName::Relay => Ok(vec![named(settings.relay_listen, Type::STREAM, "--relay-listen")?]),
        RoleName::Copy => Ok(Vec::new()),
        RoleName::Square => Ok(vec![named(settings.listen, Type::STREAM, "--listen")?]),
    }
}

/// Binds the internal address.
pub(crate) fn bind_internal(settings: &Settings) -> anyhow::Result<std::net::TcpListener> {
    Ok(named(settings.internal_listen, Type::STREAM, "--internal-listen")?.into())
}

fn named(address: SocketAddr, kind: Type, flag: &str) -> anyhow::Result<OwnedFd> {
    let protocol = if kind == Type::DGRAM { "UDP" } else { "TCP" };
    let bound = match open(address, kind) {
        // A machine without IPv6 still serves every address that it has.
        Err(error)
            if address.ip().is_unspecified()
                && address.is_ipv6()
                && error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) =>
        {
            open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())), kind)
        }
        other => other,
    };
    let error = match bound {
        Ok(socket) => return Ok(socket.into()),
        Err(error) => error,
    };
    let kind = error.kind();
    let what = if kind == ErrorKind::AddrInUse {
        format!("{protocol} {address} is in use by another program; stop it or say another {flag}")
    } else if kind == ErrorKind::PermissionDenied {
        format!("{protocol} {address} needs a permission this user lacks; say another {flag}, with a port from 1024 on")
    } else if kind == ErrorKind::AddrNotAvailable {
        format!("{address} is no address of this machine; say another {flag}")
    } else {
        return Err(error).with_context(|| format!("can't listen on {protocol} {address} ({flag})"));
    };
    Err(anyhow::Error::msg(what))
}

fn open(address: SocketAddr, kind: Type) -> std::io::Result<Socket> {
    let protocol = if kind == Type::DGRAM { Protocol::UDP } else { Protocol::TCP };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    } else {
        socket.set_recv_buffer_size(DATAGRAMS_BYTES)?;
        socket.set_send_buffer_size(DATAGRAMS_BYTES)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    if kind == Type::STREAM {
        socket.listen(BACKLOG)?;
    }
    Ok(socket)
}
