//! The role link: how a role and its supervisor talk (docs/formats.md, "The role link").

use crate::settings::Settings;
use base::fact::Fact;
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::sync::mpsc;

/// Which role a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RoleName {
    /// Speakers, mixers, encoders, files.
    Stage,
    /// Listeners.
    Relay,
    /// Pages, APIs, the database.
    Square,
}

impl RoleName {
    /// The name in commands, files and labels.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Relay => "relay",
            Self::Square => "square",
        }
    }

    /// How many listening sockets it inherits: the stage's UDP and TCP, the others' TCP.
    pub(crate) const fn sockets(self) -> usize {
        match self {
            Self::Stage => 2,
            Self::Relay | Self::Square => 1,
        }
    }
}

/// What the supervisor says to a role.
#[derive(Debug)]
pub(crate) enum FromSupervisor {
    /// Another role's fact.
    Fact(Fact),
    /// A request on the internal address, to be answered with [`Link::answer`].
    Ask {
        /// Goes back with the answer.
        id: u64,
        /// `/healthz`, `/readyz` or `/metrics`.
        path: String,
    },
    /// Finish and exit.
    Stop,
}

/// A role's end of the link. Its thread connects again by itself for as long as the role lives.
#[derive(Clone)]
pub(crate) struct Link {}

impl Link {
    /// Opens the link on a thread of its own; the receiver gets what the supervisor says.
    pub(crate) fn open(_settings: &Settings, _role: RoleName, _index: u32, _sockets: Vec<OwnedFd>) -> (Self, mpsc::Receiver<FromSupervisor>) {
        unimplemented!()
    }

    /// Says that the loop which does the role's work has gone round. Cheap: sent every 200 ms at most.
    pub(crate) fn beat(&self) {}

    /// Tells every other role a fact; lost while there is no supervisor.
    pub(crate) fn tell(&self, _fact: Fact) {}

    /// Answers a [`FromSupervisor::Ask`].
    pub(crate) fn answer(&self, _id: u64, _status: u16, _body: String) {}
}
