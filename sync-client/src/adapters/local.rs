//! Tickets in a SQLite file of their own.
