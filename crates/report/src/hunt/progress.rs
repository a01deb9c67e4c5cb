//! How far a hunt is, in words. The clock is the caller's.

use std::time::Duration;

use retake_hunt::{Progress, Severity};

use super::layout::fit;
use crate::escape::visible_within;

/// How far it is, on one line of at most `width` columns: bytes done of all,
/// rate, remaining time, records.
pub fn line(progress: &Progress, elapsed: Duration, width: usize) -> String {
    let seconds = elapsed.as_secs_f64();
    let rate = if seconds > 0.0 {
        progress.bytes_done as f64 / seconds
    } else {
        0.0
    };
    let mut parts = Vec::new();
    match progress.bytes_total {
        Some(total) if total > 0 => {
            // What grew while it was read is no more than all.
            let done = progress.bytes_done.min(total);
            let share = done as f64 / total as f64;
            parts.push(format!(
                "{:>3.0} %  {} of {}",
                (share * 100.0).floor(),
                bytes(done as f64),
                bytes(total as f64)
            ));
        }
        _ => parts.push(bytes(progress.bytes_done as f64)),
    }
    // The first moments say nothing about the rest.
    if seconds >= 1.0 && rate > 0.0 {
        parts.push(format!("{}/s", bytes(rate)));
        if let Some(left) = progress
            .bytes_total
            .and_then(|total| total.checked_sub(progress.bytes_done))
            .filter(|left| *left > 0)
        {
            parts.push(format!("{} left", time(left as f64 / rate)));
        }
    }
    if progress.records > 0 {
        parts.push(format!(
            "{} {}",
            thousands(progress.records),
            if progress.records == 1 {
                "record"
            } else {
                "records"
            }
        ));
    }
    fit(&parts.join("  "), width)
}

/// A finding on one line of at most `width` columns, as soon as it is there.
pub fn finding(
    (severity, id, title, user): &(Severity, String, String, String),
    width: usize,
) -> String {
    let user = if user.is_empty() {
        "(no user named)"
    } else {
        user
    };
    fit(
        &format!(
            "{:<6} {}  {}  {}",
            severity.name(),
            visible_within(id, 20),
            visible_within(title, 80),
            visible_within(user, 80)
        ),
        width,
    )
}

fn bytes(number: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut number = number;
    let mut unit = 0;
    while number >= 999.5 && unit + 1 < units.len() {
        number /= 1000.0;
        unit += 1;
    }
    let unit_name = units.get(unit).copied().unwrap_or("B");
    if unit == 0 || number >= 99.5 {
        format!("{number:.0} {unit_name}")
    } else {
        format!("{number:.1} {unit_name}")
    }
}

fn time(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(done: u64, total: Option<u64>, records: u64, seconds: u64) -> String {
        let progress = Progress {
            bytes_done: done,
            bytes_total: total,
            records,
            new_findings: Vec::new(),
        };
        line(&progress, Duration::from_secs(seconds), 80)
    }

    #[test]
    fn rate_and_remaining_time_follow_from_bytes_and_time() {
        assert_eq!(
            at(2_400_000_000, Some(9_600_000_000), 1_204_551, 10),
            " 25 %  2.4 GB of 9.6 GB  240 MB/s  30 s left  1,204,551 records"
        );
        assert_eq!(
            at(1_000_000, Some(40_000_000_000), 1, 10),
            "  0 %  1.0 MB of 40.0 GB  100 kB/s  111 h 6 min left  1 record"
        );
        // Neither at the first moment nor at the end is there a time left.
        assert_eq!(at(0, Some(5_000), 0, 0), "  0 %  0 B of 5.0 kB");
        assert_eq!(
            at(5_000, Some(5_000), 10, 2),
            "100 %  5.0 kB of 5.0 kB  2.5 kB/s  10 records"
        );
    }

    #[test]
    fn a_stream_has_no_end_and_a_growing_file_no_more_than_all() {
        assert_eq!(at(999_600, None, 12, 4), "1.0 MB  250 kB/s  12 records");
        assert_eq!(at(12, Some(10), 1, 0), "100 %  10 B of 10 B  1 record");
        assert_eq!(at(12, Some(0), 1, 0), "12 B  1 record");
    }

    #[test]
    fn a_hostile_name_stays_on_its_line() {
        let told = finding(
            &(
                Severity::High,
                "D0107".to_owned(),
                "Mailbox\r\nforwards".to_owned(),
                "\u{1b}[2Jx@fabrikam.example".to_owned(),
            ),
            60,
        );
        assert_eq!(
            told,
            "high   D0107  Mailbox␍␊forwards  ␛[2Jx@fabrikam.example"
        );
        let narrow = line(
            &Progress {
                bytes_done: 1,
                records: 7,
                ..Progress::default()
            },
            Duration::ZERO,
            8,
        );
        assert_eq!(narrow, "1 B  7 …");
    }
}
