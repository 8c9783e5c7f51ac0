//! The entry: runs one command and exits with its code.

fn main() -> std::process::ExitCode {
    #[cfg(feature = "fault-points")]
    if let Some(spec) = conflictwire::config::fault_spec() {
        conflictwire::fault::arm(&spec);
    }
    conflictwire::cli::main()
}
