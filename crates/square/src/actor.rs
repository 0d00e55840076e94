//! Who asks.

use store::{Account, AccountId, Role};

/// Who asks for something. What they may do is decided by the rules beside what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Whoever may open the server's own socket: the machine's operator.
    Operator,
    /// Somebody who signed in.
    Account(Account),
    /// Anybody.
    Visitor,
}

impl Actor {
    /// The account, when there is one.
    #[must_use]
    pub const fn account(&self) -> Option<&Account> {
        match self {
            Self::Account(account) => Some(account),
            Self::Operator | Self::Visitor => None,
        }
    }

    /// Whose number goes beside what they make.
    #[must_use]
    pub fn id(&self) -> Option<AccountId> {
        self.account().map(|account| account.id)
    }

    /// Whether they run the square: the operator, and administrators.
    #[must_use]
    pub fn administers(&self) -> bool {
        match self {
            Self::Operator => true,
            Self::Account(account) => account.role == Role::Admin,
            Self::Visitor => false,
        }
    }
}
