//! The entry: runs one command and exits with its code.

/// All memory, that of the C libraries too, comes from jemalloc. The system's allocator takes buffers of
/// librdkafka from the same heaps as the states of feeds, and keeps what is free between them: twice
/// what is in use. `.cargo/config.toml` says how jemalloc is built.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "fault-points")]
    if let Some(spec) = conflictwire::config::fault_spec() {
        conflictwire::fault::arm(&spec);
    }
    conflictwire::cli::main()
}
