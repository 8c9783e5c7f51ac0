//! How a record looks to a person: `tail`, `demo`, and `poll` on a terminal.
