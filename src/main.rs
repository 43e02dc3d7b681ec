//! The binary: everything is in the library.

use std::process::ExitCode;

use tundra::runtime::wiping::WipingAllocator;

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

fn main() -> ExitCode {
    tundra::cli::main(std::env::args_os()).into()
}
