//! The lines that go over the socket while a terminal is lent: the offer, then words of the lender and for the lender.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::shapes::ErrorShape;
use crate::domain::code::Code;
use crate::runtime::encoded_path::EncodedPath;
use crate::runtime::lend::{BorrowerEvent, Departure, LenderEvent, LineModes, Offer};
use crate::runtime::signals::Termination;

/// The offer; the descriptors of the terminal's input and output come with its bytes.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OfferShape {
    environment: Vec<(String, String)>,
    modes: ModesShape,
    command: Vec<String>,
    cwd: Option<EncodedPath>,
    inside: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ModesShape {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    min: u8,
    time: u8,
}

/// A line of the lender's.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LenderLine {
    Resized,
    Stop,
    Continued,
    /// A signal's number.
    Recalled(i32),
}

/// A line for the lender.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToldLine {
    Shown,
    Detached,
    TakenOver { pid: u32 },
    Suspended,
    Again,
    Ended { exit: u8 },
    Failed { error: ErrorShape, ends: bool },
}

impl From<&Offer> for OfferShape {
    fn from(offer: &Offer) -> Self {
        let LineModes {
            input,
            output,
            control,
            local,
            min,
            time,
        } = offer.modes;
        Self {
            environment: offer.environment.clone(),
            modes: ModesShape {
                input,
                output,
                control,
                local,
                min,
                time,
            },
            command: offer.command.clone(),
            cwd: offer.cwd.clone().map(EncodedPath::from),
            inside: offer.inside.clone(),
        }
    }
}

impl OfferShape {
    /// The offer of the process that the kernel says is at the other end.
    pub(super) fn into_offer(self, pid: u32) -> Offer {
        let ModesShape {
            input,
            output,
            control,
            local,
            min,
            time,
        } = self.modes;
        Offer {
            pid,
            environment: self.environment,
            modes: LineModes {
                input,
                output,
                control,
                local,
                min,
                time,
            },
            command: self.command,
            cwd: self.cwd.map(PathBuf::from),
            inside: self.inside,
        }
    }
}

impl LenderLine {
    /// None for what needs no line: the connection's end tells it.
    pub(super) fn of(event: LenderEvent) -> Option<Self> {
        Some(match event {
            LenderEvent::Resized => Self::Resized,
            LenderEvent::Stop => Self::Stop,
            LenderEvent::Continued => Self::Continued,
            LenderEvent::Recalled(signal) => Self::Recalled(signal.number()),
            LenderEvent::Gone => return None,
        })
    }

    pub(super) fn into_event(self) -> LenderEvent {
        match self {
            Self::Resized => LenderEvent::Resized,
            Self::Stop => LenderEvent::Stop,
            Self::Continued => LenderEvent::Continued,
            Self::Recalled(number) => {
                let signal = Termination::of_number(number).unwrap_or(Termination::Terminate);
                LenderEvent::Recalled(signal)
            }
        }
    }
}

impl From<BorrowerEvent> for ToldLine {
    fn from(event: BorrowerEvent) -> Self {
        match event {
            BorrowerEvent::Shown => Self::Shown,
            BorrowerEvent::Left(Departure::Detached) => Self::Detached,
            BorrowerEvent::Left(Departure::TakenOver { pid }) => Self::TakenOver { pid },
            BorrowerEvent::Left(Departure::Suspended) => Self::Suspended,
            BorrowerEvent::Left(Departure::Again) => Self::Again,
            BorrowerEvent::Left(Departure::Ended { exit }) => Self::Ended { exit },
            BorrowerEvent::Left(Departure::Failed {
                code,
                message,
                ends,
            }) => Self::Failed {
                error: ErrorShape::new(code, message),
                ends,
            },
        }
    }
}

impl From<ToldLine> for BorrowerEvent {
    fn from(line: ToldLine) -> Self {
        Self::Left(match line {
            ToldLine::Shown => return Self::Shown,
            ToldLine::Detached => Departure::Detached,
            ToldLine::TakenOver { pid } => Departure::TakenOver { pid },
            ToldLine::Suspended => Departure::Suspended,
            ToldLine::Again => Departure::Again,
            ToldLine::Ended { exit } => Departure::Ended { exit },
            ToldLine::Failed { error, ends } => Departure::Failed {
                code: Code::parse(&error.code).unwrap_or(Code::Internal),
                message: error.message,
                ends,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_reads_back() {
        let failed = Departure::Failed {
            code: Code::SpawnFailed,
            message: "it is not there".to_owned(),
            ends: true,
        };
        for told in [
            BorrowerEvent::Shown,
            BorrowerEvent::Left(Departure::Detached),
            BorrowerEvent::Left(Departure::TakenOver { pid: 7 }),
            BorrowerEvent::Left(Departure::Suspended),
            BorrowerEvent::Left(Departure::Again),
            BorrowerEvent::Left(Departure::Ended { exit: 143 }),
            BorrowerEvent::Left(failed),
        ] {
            let line = serde_json::to_string(&ToldLine::from(told.clone())).unwrap();
            let read: ToldLine = serde_json::from_str(&line).unwrap();
            assert_eq!(BorrowerEvent::from(read), told, "{line}");
        }
        for event in [
            LenderEvent::Resized,
            LenderEvent::Stop,
            LenderEvent::Continued,
            LenderEvent::Recalled(Termination::Quit),
        ] {
            let line = serde_json::to_string(&LenderLine::of(event)).unwrap();
            let read: LenderLine = serde_json::from_str(&line).unwrap();
            assert_eq!(read.into_event(), event, "{line}");
        }
    }
}
