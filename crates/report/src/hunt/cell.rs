//! One cell of a table that somebody opens in a spreadsheet.

use crate::escape::visible_within;

/// The longest cell, in characters: more does not fit into a cell of the
/// spreadsheets in use (32,767), marks included.
const LONGEST: usize = 32_000;

/// A text of anybody's as a cell. What a spreadsheet would calculate has an
/// apostrophe before it; line ends and control characters become visible, so
/// that a row stays a line. Numbers and times are not made by this: they are
/// ours.
pub fn text(text: &str) -> String {
    let shown = visible_within(text, LONGEST);
    if calculates(text) || calculates(&shown) {
        format!("'{shown}")
    } else {
        shown.into_owned()
    }
}

/// Whether a spreadsheet might take the text for a formula. Blanks before it
/// do not help everywhere, and in some languages the wide signs are signs too.
pub fn calculates(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n'])
        || text
            .trim_start()
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_sheet_would_calculate_is_text_and_can_still_be_read() {
        for (given, made) in [
            ("=1+1", "'=1+1"),
            ("+49 89 1234", "'+49 89 1234"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=x", "'␉=x"),
            ("\r\n=x", "'␍␊=x"),
            ("  =x", "'  =x"),
            ("＝x", "'＝x"),
            ("a\r\nb,\"c\"", "a␍␊b,\"c\""),
            ("RE: a = b", "RE: a = b"),
            ("", ""),
        ] {
            assert_eq!(text(given), made);
        }
    }

    /// Texts of anything, often with a sign where it matters.
    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[=+@\\-\t\r\n \"',;＝]{0,4}\\PC{0,20}",
            "[\\x00-\\x7f]{0,30}",
        ]
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_one_cell_and_never_begins_a_formula(given in any_text()) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let cell = text(&given);
            writer.write_record([cell.as_str(), "after"]).unwrap();
            writer.write_record(["next", "row"]).unwrap();
            let bytes = writer.into_inner().unwrap();
            let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
            prop_assert_eq!(lines, 2, "a row is a line");
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(bytes.as_slice());
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 2);
            prop_assert_eq!(rows[0].len(), 2);
            prop_assert_eq!(&rows[0][0], cell.as_str());
            prop_assert!(!calculates(&rows[0][0]));
            prop_assert!(!rows[0][0].chars().any(char::is_control));
            // Nothing but the mark was added.
            let shown = visible_within(&given, LONGEST);
            let marked = format!("'{shown}");
            prop_assert!(rows[0][0] == *shown || rows[0][0] == *marked);
        }
    }
}
