//! Watching (S7.3): looking again after sign-in was given back, and after the case is
//! closed.

use retake_playbook::event::Event;
use retake_playbook::machine::{self, Phase};
use retake_playbook::{Command, next};

use crate::error::ResponderError;
use crate::open::Responder;
use crate::run::Finished;
use crate::{logs, observe};

/// What a look of the watch came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// Nothing came back.
    Quiet,
    /// The watch is over, and nothing came back.
    Ended,
    /// Something came back, and the case stands at containment again.
    Reopened {
        /// What.
        why: String,
    },
    /// It could not be told.
    Unclear {
        /// Why.
        why: String,
    },
    /// The case is not at the watch.
    NotWatching {
        /// Where it stands.
        phase: Phase,
    },
}

impl Responder<'_> {
    /// Looks once, now; with `until_end`, as often as the playbook wants until the watch
    /// is over or something came back. A closed case is looked at once all the same: that
    /// is how the watch goes on after the 72 hours.
    pub async fn watch(&self, until_end: bool) -> Result<Watched, ResponderError> {
        Box::pin(self.finish_undos()).await?;
        if self.phase() == Phase::Closed {
            return Box::pin(self.look_at_closed()).await;
        }
        if matches!(self.phase(), Phase::Watching | Phase::WatchJudging) {
            let until = self.case.now();
            self.case.append(Event::Waited { until })?;
        }
        loop {
            let state = self.case.state();
            if !matches!(
                state.phase,
                Phase::Watching | Phase::WatchLooking | Phase::WatchDigging | Phase::WatchJudging
            ) {
                return Ok(Watched::NotWatching { phase: state.phase });
            }
            let judging = state.phase == Phase::WatchJudging;
            for command in next(&state, self.case.now()) {
                let done = match &command {
                    Command::Reopen(why) => Some(Watched::Reopened { why: why.clone() }),
                    Command::EndWatch(_) => Some(Watched::Ended),
                    Command::WaitUntil(_) if judging && !until_end => {
                        return Ok(self.quiet());
                    }
                    _ => None,
                };
                if let Some(Finished::Waits { why }) = Box::pin(self.perform(command)).await? {
                    return Ok(Watched::Unclear { why });
                }
                if let Some(done) = done {
                    return Ok(done);
                }
            }
        }
    }

    /// What is missing is said; nothing missing is quiet.
    fn quiet(&self) -> Watched {
        self.case
            .with_state(machine::unseen)
            .map_or(Watched::Quiet, |why| Watched::Unclear { why })
    }

    async fn look_at_closed(&self) -> Result<Watched, ResponderError> {
        observe::snapshot(&self.case, self.around.tenant, self.conduct).await?;
        Box::pin(logs::analyse(
            &self.case,
            self.around.tenant,
            &self.pages,
            false,
        ))
        .await?;
        match self.case.with_state(machine::re_entry) {
            Some(why) => {
                self.case.append(Event::Reopened { why: why.clone() })?;
                Ok(Watched::Reopened { why })
            }
            None => Ok(self.quiet()),
        }
    }
}
