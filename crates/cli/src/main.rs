//! The `retake` binary.

fn main() -> std::process::ExitCode {
    retake_cli::main(std::env::args_os())
}
