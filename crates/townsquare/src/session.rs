//! What a session is for the scheduler.
//!
//! Where the kernel shares out its time by session (sched(7), "The autogroup feature"), a nice value counts among the processes of one session
//! alone, and a session's weight says what the nice value says elsewhere. Each role, and each process of a crowd, has a session of its own.

/// Gives this process's session the weight of its nice value. Without the right to it, or without that feature, nothing changes.
pub(crate) fn weigh() {
    if let Ok(nice) = rustix::process::getpriority_process(None) {
        let _ = std::fs::write("/proc/self/autogroup", nice.to_string());
    }
}
