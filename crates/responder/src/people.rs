//! The people on our side, as the responder sees them: somebody answers at a
//! gate, somebody carries out a task. Whether that is a terminal, a ticket or a
//! scripted colleague is not known here.

use retake_playbook::{Gate, State};
use retake_tenant::edge::BoxFuture;

use crate::explain::Explained;

/// Answers at gates and carries out tasks.
pub trait People: Send + Sync {
    /// Puts a question to whoever has to answer it.
    fn decide<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Decision>;

    /// Hands a task to whoever has to carry it out.
    fn carry_out<'a>(&'a self, task: Task<'a>) -> BoxFuture<'a, Outcome>;
}

/// A question at a gate.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The gate.
    pub gate: Gate,
    /// The case as it stands.
    pub state: &'a State,
    /// What is asked, and what each change is, breaks and how it is undone.
    pub explained: &'a Explained,
}

/// The answer at a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, by this person; with an answer where the gate asks a question.
    Yes {
        /// Who.
        by: String,
        /// The answer.
        answer: Option<String>,
    },
    /// No, by this person.
    No {
        /// Who.
        by: String,
    },
    /// The condition does not hold, and this person goes on all the same.
    Override {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Nobody answered. The same command asks again.
    NoAnswer,
}

/// A task for a person.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The duty that carries it out: `finance`, `user`, …
    pub duty: &'a str,
    /// A word for the task: `warn`, `first_sign_in`, …
    pub task: &'a str,
    /// What to do.
    pub what: &'a str,
    /// Whom or what it is about.
    pub about: &'a str,
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This person says that it is done.
    Done {
        /// Who.
        by: String,
        /// What they answer or saw, where the task asks.
        said: Option<String>,
    },
    /// This person refuses.
    Refused {
        /// Who.
        by: String,
    },
    /// Nobody answered yet.
    NoAnswer,
}
