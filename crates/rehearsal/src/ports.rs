//! Which local address a connection takes: named ports in turn, so that the kernel never searches for a free one.

use crate::plan::Source;
use std::net::SocketAddr;

/// The addresses of a crowd, over and over.
#[derive(Debug)]
pub(crate) struct Ports {
    sources: Vec<Source>,
    source: usize,
    offset: u16,
}

impl Ports {
    pub(crate) const fn new(sources: Vec<Source>) -> Self {
        Self { sources, source: 0, offset: 0 }
    }

    /// Whether the system chooses.
    pub(crate) const fn is_free(&self) -> bool {
        self.sources.is_empty()
    }

    /// The next address; every one comes before any comes again.
    pub(crate) fn next(&mut self) -> Option<SocketAddr> {
        let source = self.sources.get(self.source)?;
        let port = source.from.checked_add(self.offset).filter(|port| *port <= source.to);
        let Some(port) = port.filter(|port| *port < source.to) else {
            let last = SocketAddr::new(source.address, port.unwrap_or(source.from));
            (self.source, self.offset) = ((self.source + 1) % self.sources.len(), 0);
            return Some(last);
        };
        self.offset += 1;
        Some(SocketAddr::new(source.address, port))
    }
}

#[cfg(test)]
mod tests;
