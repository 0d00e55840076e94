//! The square as a whole process.
