//! How the responder behaves. There is one right way; the others exist so that
//! the judge can be judged.

/// Switches that only tests turn: a responder that skips read-back, evidence or
/// order has to be caught by the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduct {
    pub(crate) read_back: bool,
    pub(crate) evidence: bool,
    pub(crate) order: bool,
    pub(crate) errors: bool,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            read_back: true,
            evidence: true,
            order: true,
            errors: true,
        }
    }
}

impl Conduct {
    /// Claims what was accepted without reading it back. For tests of the judge.
    #[doc(hidden)]
    #[must_use]
    pub fn without_read_back(mut self) -> Self {
        self.read_back = false;
        self
    }

    /// Changes objects whose state before it did not keep. For tests of the judge.
    #[doc(hidden)]
    #[must_use]
    pub fn without_evidence(mut self) -> Self {
        self.evidence = false;
        self
    }

    /// Carries plans out backwards. For tests of the judge.
    #[doc(hidden)]
    #[must_use]
    pub fn without_order(mut self) -> Self {
        self.order = false;
        self
    }

    /// Takes a failed change for an accepted one and a failed read for an empty
    /// list. For tests of the judge.
    #[doc(hidden)]
    #[must_use]
    pub fn without_errors(mut self) -> Self {
        self.errors = false;
        self
    }
}
