//! Child processes that tundra keeps running: started, asked whether they are ready, started again and ended.
//!
//! `providers` runs local model servers with it and `store` a managed database. Each child has one task, its
//! [`Supervisor`](supervisor), which alone starts, watches and ends that process; a process is a group of its own that ends
//! as a whole, and none outlives the tasks but one that must not be killed. Whoever keeps [`Children`] says by a [`Spec`] what is to run and never touches
//! a process. This room must not know what a child is good for.

mod adopted;
mod children;
mod kept;
mod log;
mod probe;
mod process;
mod spec;
mod status;
mod supervisor;

pub use children::Children;
pub use kept::KeptChildren;
pub use probe::{Address, Probe};
pub use spec::{Begin, Overdue, Spec, StandIn};
pub use status::{ProcessEvent, ProcessState, ProcessStatus, RestartError};

#[cfg(test)]
mod tests;
