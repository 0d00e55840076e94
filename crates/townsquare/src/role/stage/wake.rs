//! Waking a thread that waits in `poll`.

use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// An event descriptor that is written at most once until its owner has woken.
#[derive(Debug)]
pub(super) struct Waker {
    descriptor: OwnedFd,
    ringing: AtomicBool,
}

impl Waker {
    pub(super) fn new() -> rustix::io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self { descriptor, ringing: AtomicBool::new(false) })
    }

    /// Wakes the owner.
    pub(super) fn wake(&self) {
        if !self.ringing.swap(true, Ordering::AcqRel) {
            let _ = rustix::io::write(&self.descriptor, &1u64.to_ne_bytes());
        }
    }

    /// The owner is awake and will look at what came before and after this call.
    pub(super) fn awake(&self) {
        let _ = rustix::io::read(&self.descriptor, &mut [0u8; 8]);
        self.ringing.store(false, Ordering::Release);
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
