//! Reactions: a few signs that everybody knows, added up.

use base::FaultKind;

/// How many kinds there are.
pub const KINDS: usize = 8;

/// Their names, in the order of their numbers.
pub const NAMES: [&str; KINDS] = ["clap", "heart", "laugh", "agree", "disagree", "surprise", "thanks", "fire"];

/// Listeners for each of whom a client that was told to send for several others is believed.
const LISTENERS_A_SENDER: u32 = 20;

/// Reactions of one event since they were last told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally([u32; KINDS]);

impl Tally {
    /// Somebody reacted. `of`: one client in so many sends, and stands for the others; believed as far as `listeners` bear it out.
    ///
    /// # Errors
    /// [`FaultKind::BadRequest`]: there is no such kind.
    pub fn add(&mut self, kind: usize, of: u32, listeners: u32) -> Result<(), FaultKind> {
        let count = self.0.get_mut(kind).ok_or(FaultKind::BadRequest)?;
        *count = count.saturating_add(of.clamp(1, (listeners / LISTENERS_A_SENDER).max(1)));
        Ok(())
    }

    /// What was added up, by kind; nothing is left.
    pub fn take(&mut self) -> Vec<(u8, u32)> {
        let counts = std::mem::take(&mut self.0);
        (0..).zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

/// The number of a kind that is named, or numbered.
///
/// # Errors
/// [`FaultKind::BadRequest`]: there is no such kind.
pub fn kind(text: &str) -> Result<usize, FaultKind> {
    let named = NAMES.iter().position(|name| *name == text);
    named.or_else(|| text.parse().ok().filter(|number| *number < KINDS)).ok_or(FaultKind::BadRequest)
}

#[cfg(test)]
mod tests;
