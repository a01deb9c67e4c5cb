//! What is due: a queue by time, then by the order in which it was put in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

/// The queue of things that happen by themselves.
#[derive(Clone, Debug)]
pub(crate) struct Queue<T: Ord> {
    heap: BinaryHeap<Reverse<(Timestamp, u64, T)>>,
    ordinal: u64,
}

impl<T: Ord> Default for Queue<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            ordinal: 0,
        }
    }
}

impl<T: Ord> Queue<T> {
    /// Puts something in.
    pub(crate) fn push(&mut self, at: Timestamp, due: T) {
        self.heap.push(Reverse((at, self.ordinal, due)));
        self.ordinal += 1;
    }

    /// When the next thing is due.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next thing that is due at or before `now`.
    pub(crate) fn pop_until(&mut self, now: Timestamp) -> Option<(Timestamp, T)> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, due))| (at, due))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_due_first_comes_first_and_equals_keep_their_order() {
        let mut queue = Queue::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        queue.push(at(20), "mail");
        queue.push(at(10), "task");
        queue.push(at(20), "attacker");
        assert_eq!(queue.next_at(), Some(at(10)));
        assert_eq!(queue.pop_until(at(5)), None);
        let order: Vec<_> =
            std::iter::from_fn(|| queue.pop_until(at(30)).map(|(_, due)| due)).collect();
        assert_eq!(order, ["task", "mail", "attacker"]);
    }
}
