//! A mistake of ours ends in words and exit code 70, and never in the value that
//! it stumbled over: a panic's text may quote a password as well as an index.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use retake_playbook::codes;

use crate::failure::Failure;

/// Runs something; a panic in it becomes a failure that names the place in the
/// source and nothing else. What was journalled before it stays.
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let place = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = std::sync::Arc::clone(&place);
    let hook: Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync> = Box::new(move |info| {
        if let (Ok(mut place), Some(location)) = (seen.lock(), info.location()) {
            place.get_or_insert_with(|| format!("{}:{}", location.file(), location.line()));
        }
    });
    let usual = panic::take_hook();
    panic::set_hook(hook);
    let ran = panic::catch_unwind(AssertUnwindSafe(run));
    panic::set_hook(usual);
    ran.unwrap_or_else(|_| {
        let place = place.lock().ok().and_then(|mut place| place.take());
        Err(Failure::new(
            codes::INTERNAL,
            format!(
                "Retake made a mistake at {}. What was journalled before it is safe.",
                place.as_deref().unwrap_or("a place that is not known")
            ),
            "The same command resumes the case and reads the tenant first. Report the place in the source.",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_by_its_place_and_never_by_the_value() {
        let password = "Correct-Horse-7é";
        let failure = guarded(|| {
            let cut = &password[..password.len() - 1];
            Ok(cut.len())
        })
        .unwrap_err();
        assert_eq!(failure.code.exit as u8, 70);
        assert!(failure.message.contains("crash.rs:"), "{failure}");
        assert!(!format!("{failure:?}").contains("Horse"), "{failure:?}");
        // And afterwards everything is as before.
        assert_eq!(guarded(|| Ok(1)).unwrap(), 1);
    }
}
