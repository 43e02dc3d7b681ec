//! One request, told to whoever holds the terminal that it came from: that it began, was admitted, and ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::terminals::Terminals;
use crate::domain::agent::{Ending, RequestId, WireFact};
use crate::domain::id::TerminalId;

/// Numbers requests within this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Tells a request's end exactly once: dropped before, it was given up. Of a request that nobody is to hear of it tells
/// nothing.
#[derive(Debug, Default)]
pub struct Report(Option<Open>);

#[derive(Debug)]
struct Open {
    terminals: Arc<dyn Terminals>,
    terminal: TerminalId,
    id: RequestId,
    admitted: bool,
}

impl Report {
    /// Tells that a request came in; `tools` says whether it declares any.
    pub fn begin(terminals: Arc<dyn Terminals>, terminal: TerminalId, tools: bool) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        terminals.tell(terminal, WireFact::Began { id, tools });
        Self(Some(Open {
            terminals,
            terminal,
            id,
            admitted: false,
        }))
    }

    /// A provider is asked.
    pub fn admitted(&mut self) {
        if let Some(open) = self.0.as_mut().filter(|open| !open.admitted) {
            open.admitted = true;
            let fact = WireFact::Admitted { id: open.id };
            open.terminals.tell(open.terminal, fact);
        }
    }

    /// Tells how it ended.
    pub fn end(mut self, ending: Ending) {
        self.close(ending);
    }

    fn close(&mut self, ending: Ending) {
        if let Some(open) = self.0.take() {
            let fact = WireFact::Ended {
                id: open.id,
                ending,
            };
            open.terminals.tell(open.terminal, fact);
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.close(Ending::Left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<WireFact>>);

    impl Terminals for Heard {
        fn tell(&self, _: TerminalId, fact: WireFact) {
            self.0.lock().unwrap().push(fact);
        }

        fn name(&self, _: TerminalId) -> Option<String> {
            None
        }
    }

    #[test]
    fn the_end_of_a_request_is_told_once_however_it_came() {
        let heard = Arc::new(Heard::default());
        let begin = || Report::begin(heard.clone(), TerminalId::random(), true);
        let mut answered = begin();
        answered.admitted();
        answered.admitted();
        answered.end(Ending::Answered { calls: true });
        drop(begin());
        drop(Report::default());
        let told = std::mem::take(&mut *heard.0.lock().unwrap());
        let [
            WireFact::Began { id, tools: true },
            WireFact::Admitted { id: admitted },
            WireFact::Ended {
                id: ended,
                ending: Ending::Answered { calls: true },
            },
            WireFact::Began { id: second, .. },
            WireFact::Ended {
                id: left,
                ending: Ending::Left,
            },
        ] = &told[..]
        else {
            panic!("{told:?}");
        };
        assert_eq!((id, id), (admitted, ended));
        assert_eq!(second, left);
        assert_ne!(id, second);
    }
}
