//! How it went: composes lab and responder, plays the people, scores.
