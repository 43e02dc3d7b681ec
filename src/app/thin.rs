//! The process that the user's shell waits for: it lends its terminal to the instance, which it starts where none runs.
//!
//! It draws nothing and reads no key. It passes on what the kernel tells it of the terminal, restores the terminal when the
//! instance is gone without having done so, and says how it came out.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use super::error::AppError;
use super::groundwork::Origin;
use super::launch::{Ending, Launch};
use super::{front, lifecycle};
use crate::api::shapes::ErrorShape;
use crate::config::Paths;
use crate::control::{self, ControlError, InstanceError, Lender};
use crate::domain::code::Code;
use crate::runtime::background::{self, Forked};
use crate::runtime::lend::{BorrowerEvent, Departure, LenderEvent, Offer};
use crate::runtime::limits;
use crate::runtime::signals::{Termination, Terminations};
use crate::tui::{JobControl, JobEvent, Lending, Life};

/// How long the lock may be held by somebody who does not answer: one that starts, or is about to end.
const REACHED_WITHIN: Duration = Duration::from_secs(5);
/// Between two attempts to reach it.
const REACH_AGAIN: Duration = Duration::from_millis(10);
/// How long an instance that answers may take to show something.
const SHOWN_WITHIN: Duration = Duration::from_secs(20);
/// The same after another program has gone on in its place: as long as that one may take to find out that it cannot.
const AGAIN_WITHIN: Duration = Duration::from_secs(40);
/// How long it may take to leave the terminal: it waits for the end of a paste, and for a terminal that does not read.
const LEFT_WITHIN: Duration = Duration::from_secs(4);

/// What is to be shown where.
#[derive(Clone, Debug)]
pub struct Show {
    pub paths: Paths,
    /// What to open in a tab of its own; empty for nothing but what is there.
    pub command: Vec<String>,
}

/// How a process comes to its end that lent its terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// Told to the user once the terminal is restored.
    pub note: Option<String>,
    /// The exit code.
    pub exit: u8,
}

/// The way to an instance.
enum Reached {
    Running(UnixStream),
    Started {
        stream: UnixStream,
        pid: u32,
    },
    /// This process was the instance, and is done.
    Was(Farewell),
}

/// How a terminal came back.
enum Returned {
    Left(Departure),
    /// A signal ends this process, and the terminal is back.
    Recalled(Termination),
    /// There is another instance, or this one is about to end.
    Busy,
    /// The instance ended before it showed anything.
    Unshown,
    /// The instance died.
    Lost,
}

/// Shows the instance of a home on this process's terminal until its user leaves. Where none runs, `launch` says what to start
/// one with. Must be called while the process has a single thread; it returns in both processes.
///
/// # Errors
/// [`AppError`] where there is nothing that could be shown, or what `launch` answers.
pub fn show<E: From<AppError>>(
    show: &Show,
    launch: impl Fn() -> Result<Launch, E>,
) -> Result<Farewell, E> {
    let deadline = Instant::now() + REACHED_WITHIN;
    loop {
        let (stream, started) = match reach(&show.paths, &launch, deadline)? {
            Reached::Was(farewell) => return Ok(farewell),
            Reached::Running(stream) => (stream, None),
            Reached::Started { stream, pid } => (stream, Some(pid)),
        };
        limits::close_memory();
        let lent = lend(show, stream, started)?;
        started.into_iter().for_each(background::reap);
        match lent {
            Some(farewell) => return Ok(farewell),
            // It was about to end, or another one was faster.
            None if Instant::now() < deadline => std::thread::sleep(REACH_AGAIN),
            None => return Err(mute(&show.paths).into()),
        }
    }
}

/// Connects to the instance, or starts it.
fn reach<E: From<AppError>>(
    paths: &Paths,
    launch: &impl Fn() -> Result<Launch, E>,
    deadline: Instant,
) -> Result<Reached, E> {
    loop {
        match control::connect(paths) {
            Ok(stream) => return Ok(Reached::Running(stream)),
            Err(ControlError::NoInstance) => {}
            Err(error) => return Err(AppError::from(error).into()),
        }
        if control::holder(paths).is_none() {
            return start(launch()?).map_err(E::from);
        }
        if Instant::now() >= deadline {
            return Err(mute(paths).into());
        }
        std::thread::sleep(REACH_AGAIN);
    }
}

fn mute(paths: &Paths) -> AppError {
    AppError::Instance(InstanceError::Mute {
        pid: control::holder(paths).flatten(),
        socket: paths.control_socket(),
    })
}

/// Starts an instance in a process of its own.
fn start(launch: Launch) -> Result<Reached, AppError> {
    launch.paths.prepare()?;
    let (stream, to_parent) = UnixStream::pair().map_err(AppError::Runtime)?;
    let pid = match background::fork().map_err(AppError::Runtime)? {
        Forked::Parent(pid) => pid,
        Forked::Child => {
            drop(stream);
            return Ok(Reached::Was(become_instance(launch, to_parent)));
        }
    };
    Ok(Reached::Started { stream, pid })
}

/// Is the instance from here to its end.
fn become_instance(launch: Launch, to_parent: UnixStream) -> Farewell {
    crate::tui::install_panic_hook();
    let told = to_parent.try_clone();
    let _ = background::release_stdio(&launch.paths.log_file());
    let origin = Origin {
        first: Some(to_parent),
        resumed: None,
    };
    let life = Life::EndsWithLastPane;
    let outcome = lifecycle::run(launch, origin, life, |instance| front::run(instance, life));
    let exit = match &outcome {
        Ok(Ending::Quit) => 0,
        Ok(Ending::Signal(signal)) => exit_of(*signal),
        Err(error) => {
            if let Ok(told) = told {
                let error = ErrorShape::new(Code::from(error), error.to_string());
                control::refuse(&told, error);
            }
            Code::from(error).exit()
        }
    };
    Farewell { note: None, exit }
}

fn exit_of(signal: Termination) -> u8 {
    u8::try_from(128 + signal.number()).unwrap_or(u8::MAX)
}

/// Lends the terminal until it comes back for good; None where another instance is to be reached or started.
fn lend(
    show: &Show,
    stream: UnixStream,
    started: Option<u32>,
) -> Result<Option<Farewell>, AppError> {
    let only_waits = Arc::new(AtomicBool::new(false));
    let before_sleep = Arc::clone(&only_waits);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // What is released any earlier is read again on the way to sleep.
        .on_thread_park(move || {
            if before_sleep.swap(false, Ordering::Relaxed) {
                background::release_code();
            }
        })
        .build()
        .map_err(AppError::Runtime)?;
    runtime.block_on(async {
        let mut loan = Loan {
            terminations: Terminations::catch().map_err(AppError::Runtime)?,
            job: JobControl::of_process().map_err(AppError::Runtime)?,
            lending: Lending::of_process()?,
            command: show.command.clone(),
            only_waits,
        };
        let mut pid = started.or_else(|| control::peer(&stream)).unwrap_or(0);
        let mut next = Some(stream);
        let mut is_first = true;
        let mut again_until = None;
        loop {
            let stream = match next.take() {
                Some(stream) => stream,
                None => control::connect(&show.paths)?,
            };
            if !is_first {
                pid = control::peer(&stream).unwrap_or(pid);
            }
            let lender = Lender::offer(stream, &loan.offer(), Lending::descriptors())?;
            let within = again_until.map_or(SHOWN_WITHIN, |_| AGAIN_WITHIN);
            let returned = loan.pass(lender, pid, within).await;
            let is_awaited = again_until.is_some_and(|until| Instant::now() < until);
            let returned = match returned {
                Err(_) if is_awaited => Returned::Unshown,
                returned => returned?,
            };
            match returned {
                Returned::Busy if is_first => return Ok(None),
                Returned::Unshown if is_first && started.is_none() => return Ok(None),
                // It came before the next program did.
                Returned::Unshown | Returned::Busy if is_awaited => {
                    tokio::time::sleep(REACH_AGAIN).await;
                    match connect_again(&show.paths).await? {
                        Some(stream) => next = Some(stream),
                        None => return farewell(Returned::Lost, pid).map(Some),
                    }
                }
                Returned::Unshown => {
                    let log = show.paths.log_file();
                    return Err(AppError::Stillborn { log });
                }
                Returned::Left(Departure::Suspended) => {
                    is_first = false;
                    loan.lending.give_back();
                    JobControl::stop().map_err(AppError::Runtime)?;
                    if let Some(signal) = loan.pending().await {
                        return Ok(Some(detached(pid, exit_after(signal))));
                    }
                    loan.lending.ready().map_err(AppError::Runtime)?;
                }
                Returned::Left(Departure::Again) => {
                    is_first = false;
                    again_until = Some(Instant::now() + AGAIN_WITHIN);
                    match connect_again(&show.paths).await? {
                        Some(stream) => next = Some(stream),
                        None => return farewell(Returned::Lost, pid).map(Some),
                    }
                }
                returned => return farewell(returned, pid).map(Some),
            }
        }
    })
}

/// A terminal that is lent, and what the kernel tells its process.
struct Loan {
    terminations: Terminations,
    job: JobControl,
    lending: Lending,
    /// Still to be opened by whoever shows the terminal first.
    command: Vec<String>,
    /// Told once nothing is left to do but to wait: the memory of what was run until then is given back.
    only_waits: Arc<AtomicBool>,
}

impl Loan {
    fn offer(&self) -> Offer {
        Offer {
            pid: std::process::id(),
            environment: Lending::environment().variables(),
            modes: self.lending.modes(),
            command: self.command.clone(),
            cwd: std::env::current_dir().ok(),
            inside: std::env::var("TUNDRA_TERMINAL_ID").ok(),
        }
    }

    /// A signal that came while the process was stopped.
    async fn pending(&mut self) -> Option<Termination> {
        let soon = Duration::from_millis(20);
        timeout(soon, self.terminations.next()).await.ok()
    }

    /// Passes words on until the terminal is back. It is to be shown within that time.
    async fn pass(
        &mut self,
        mut lender: Lender,
        pid: u32,
        within: Duration,
    ) -> Result<Returned, AppError> {
        let mut is_shown = false;
        let mut recalled = None;
        let mut deadline = Instant::now() + within;
        loop {
            tokio::select! {
                told = lender.told() => match told {
                    Ok(BorrowerEvent::Shown) => {
                        is_shown = true;
                        self.lending.drawn_on();
                        self.command.clear();
                        self.only_waits.store(true, Ordering::Relaxed);
                    }
                    Ok(BorrowerEvent::Left(departure)) => {
                        if is_shown && departure != Departure::Again {
                            self.lending.left();
                        }
                        return Ok(self.left(departure, recalled, lender).await);
                    }
                    Err(ControlError::Refused(error)) => match Code::parse(&error.code) {
                        Some(Code::ShuttingDown | Code::AlreadyRunning) => return Ok(Returned::Busy),
                        _ => return Err(ControlError::Refused(error).into()),
                    },
                    Err(_) if is_shown => return Ok(Returned::Lost),
                    Err(_) => return Ok(Returned::Unshown),
                },
                signal = self.terminations.next() => {
                    lender.tell(LenderEvent::Recalled(signal)).await;
                    recalled = recalled.or(Some(signal));
                    deadline = Instant::now() + LEFT_WITHIN;
                }
                event = self.job.next() => lender.tell(match event {
                    JobEvent::Resized => LenderEvent::Resized,
                    JobEvent::Stop => LenderEvent::Stop,
                    JobEvent::Continued => LenderEvent::Continued,
                }).await,
                () = sleep_until(deadline.into()), if !is_shown || recalled.is_some() => {
                    return match recalled {
                        Some(signal) => Ok(Returned::Recalled(signal)),
                        None => Err(AppError::Silent { pid }),
                    };
                }
            }
        }
    }

    /// The terminal was left by its borrower.
    async fn left(
        &mut self,
        departure: Departure,
        recalled: Option<Termination>,
        mut lender: Lender,
    ) -> Returned {
        let ends = matches!(
            departure,
            Departure::Ended { .. } | Departure::Failed { ends: true, .. }
        );
        if ends {
            // Not for ever for one who ends this process meanwhile.
            tokio::select! {
                () = lender.gone() => {}
                _ = self.terminations.next() => {}
            }
        }
        match recalled {
            Some(signal) if !ends => Returned::Recalled(signal),
            _ => Returned::Left(departure),
        }
    }
}

/// Waits until an instance takes terminals again; None where it is gone.
async fn connect_again(paths: &Paths) -> Result<Option<UnixStream>, AppError> {
    let deadline = Instant::now() + AGAIN_WITHIN;
    loop {
        match control::connect(paths) {
            Ok(stream) => return Ok(Some(stream)),
            Err(ControlError::NoInstance) if control::holder(paths).is_none() => return Ok(None),
            Err(_) if Instant::now() < deadline => tokio::time::sleep(REACH_AGAIN).await,
            Err(error) => return Err(error.into()),
        }
    }
}

fn farewell(returned: Returned, pid: u32) -> Result<Farewell, AppError> {
    Ok(match returned {
        Returned::Recalled(signal) => detached(pid, exit_after(signal)),
        Returned::Left(Departure::TakenOver { pid }) => Farewell {
            note: Some(format!("[detached: taken over by pid {pid}]")),
            exit: 0,
        },
        Returned::Left(Departure::Ended { exit }) => Farewell {
            note: ended_by(exit).map(|signal| {
                format!(
                    "[ended: tundra with pid {pid} got {signal}; \"tundra\" brings its layout back]"
                )
            }),
            exit,
        },
        Returned::Left(Departure::Failed { code, message, .. }) => {
            return Err(AppError::Left { code, message });
        }
        Returned::Left(Departure::Detached | Departure::Suspended | Departure::Again) => {
            detached(pid, 0)
        }
        Returned::Lost | Returned::Unshown | Returned::Busy => Farewell {
            note: Some(format!(
                "[lost: tundra with pid {pid} has died; \"tundra\" brings its layout back]"
            )),
            exit: 1,
        },
    })
}

fn detached(pid: u32, exit: u8) -> Farewell {
    Farewell {
        note: Some(format!(
            "[detached from pid {pid}: \"tundra\" brings it back]"
        )),
        exit,
    }
}

/// The signal that an instance ended on, by its exit code; None where it ended by itself.
fn ended_by(exit: u8) -> Option<&'static str> {
    let signals = Termination::ALL.into_iter();
    let mut names = signals.filter(|signal| exit_of(*signal) == exit);
    names.next().map(Termination::name)
}

/// The exit code of a process that a signal made leave its terminal.
fn exit_after(signal: Termination) -> u8 {
    match signal {
        Termination::Hangup | Termination::Terminate => 0,
        Termination::Interrupt | Termination::Quit => exit_of(signal),
    }
}
