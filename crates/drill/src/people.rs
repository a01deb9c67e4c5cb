//! The people of a scenario, answering at the responder's gates: what a person
//! would say at a terminal, the lab's people say here, after their own time.

use std::time::Duration;

use retake_lab::{Answer, Ask, PersonAnswer};
use retake_playbook::Gate;
use retake_responder::{Decision, Outcome, People, Question, Task};
use retake_tenant::edge::{BoxFuture, Clock as _};
use serde_json::{Value, json};

use crate::virtual_time::VirtualTime;
use crate::wire::{SharedLab, lock};

/// The scenario's people.
#[derive(Clone, Debug)]
pub struct ScenarioPeople {
    lab: SharedLab,
    time: VirtualTime,
    stand_in: bool,
}

impl ScenarioPeople {
    /// The people of this lab, on this clock.
    pub fn new(lab: SharedLab, time: VirtualTime) -> Self {
        Self {
            lab,
            time,
            stand_in: true,
        }
    }

    /// The same, but that nobody does anything in the responder's place: for whoever wants
    /// to see what it does alone.
    #[must_use]
    pub fn who_do_not_stand_in(mut self) -> Self {
        self.stand_in = false;
        self
    }

    async fn ask(&self, role: &str, task: &str, detail: Value) -> PersonAnswer {
        let ask = Ask {
            role: role.to_owned(),
            task: task.to_owned(),
            detail,
        };
        let answer = lock(&self.lab).ask(ask, self.time.now());
        let after = Duration::try_from(answer.after).unwrap_or_default();
        self.time.sleep(after).await;
        answer
    }
}

impl People for ScenarioPeople {
    fn decide<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Decision> {
        Box::pin(async move {
            let spec = question.gate.spec();
            let said = self
                .ask(spec.duty, "approve", json!({"gate": spec.name}))
                .await;
            let by = said.who;
            // Whoever closes with something unexplained reads what it is and says why.
            let missing = &question.explained.missing;
            match said.answer {
                Answer::Approved | Answer::Done if !missing.is_empty() => Decision::Override {
                    by,
                    reason: format!("accepted as it is: {}", missing.join("; ")),
                },
                Answer::Approved | Answer::Done => Decision::Yes {
                    by,
                    answer: said.words.filter(|_| question.gate == Gate::Money),
                },
                Answer::Refused => Decision::No { by },
                Answer::NoAnswer => Decision::NoAnswer,
            }
        })
    }

    fn carry_out<'a>(&'a self, task: Task<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if !self.stand_in && retake_playbook::errands::is_errand(task.task) {
                return Outcome::NoAnswer;
            }
            let said = self
                .ask(
                    task.duty,
                    task.task,
                    json!({"about": task.about, "what": task.what}),
                )
                .await;
            let by = said.who;
            match said.answer {
                Answer::Approved | Answer::Done => Outcome::Done {
                    by,
                    said: said.words,
                },
                Answer::Refused => Outcome::Refused { by },
                Answer::NoAnswer => Outcome::NoAnswer,
            }
        })
    }
}
