//! Independent answers, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The most accounts that are judged at a time: each holds its events.
const MOST: usize = 4;

/// What `answer` says of each of these, in their order, whatever the number of threads.
pub(super) fn each<T: Sync, A: Send>(asked: &[T], answer: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut answers = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = asked.get(number) else {
                return answers;
            };
            answers.push((number, answer(one)));
        }
    };
    let mut answers = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(MOST).min(asked.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut answers = work();
        for other in others {
            match other.join() {
                Ok(more) => answers.extend(more),
                // Its panic is the caller's.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    });
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
