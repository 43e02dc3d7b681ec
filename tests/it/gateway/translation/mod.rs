//! Any agent on any provider: the three dialects into one another.

mod golden;
mod loops;
mod routing;
mod streams;
mod strict;
