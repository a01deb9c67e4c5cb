//! How to say it: the retake binary.
