//! The entry: runs one command and exits with its code.

fn main() -> std::process::ExitCode {
    conflictwire::cli::main()
}
