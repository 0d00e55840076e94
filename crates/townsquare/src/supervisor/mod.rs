//! The supervisor: every listening socket, the list of roles, and what becomes of a role that dies.
