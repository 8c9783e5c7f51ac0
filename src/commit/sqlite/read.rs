//! Reads what is committed, beside the daemon.
