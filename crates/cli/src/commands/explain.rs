//! `retake explain`: the error book.

use retake_playbook::codes::{Code, Exit};

use crate::args::Explain;
use crate::failure::Failure;
use crate::terminal::{Terminal, safe};

macro_rules! pages {
    ($($id:literal)*) => {
        /// The pages of the error book, by code.
        pub(crate) const PAGES: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../../../../docs/errors/", $id, ".md")))),*
        ];
    };
}

pages! {
    "RT1001" "RT1002" "RT1003" "RT1004" "RT1005" "RT1006"
    "RT1011" "RT1012" "RT1013" "RT1014" "RT1015"
    "RT2001" "RT2002" "RT2003" "RT2004" "RT2005" "RT2006" "RT2007" "RT2008" "RT2009" "RT2010"
    "RT2011" "RT2012"
    "RT3001" "RT3002" "RT3003" "RT3004" "RT3005" "RT3006" "RT3007" "RT3008" "RT3009"
    "RT4001" "RT4002" "RT4003" "RT4004" "RT4005"
    "RT5001" "RT5002" "RT5003"
    "RT7001" "RT7002" "RT7003"
}

pub(crate) fn run(explain: &Explain, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(asked) = &explain.code else {
        terminal.data(&super::docs::errors());
        return Ok(Exit::Done);
    };
    let page = Code::by_id(asked)
        .and_then(|code| PAGES.iter().find(|(id, _)| *id == code.id))
        .map(|(_, page)| *page);
    match page {
        Some(page) => {
            terminal.data(page.trim_end());
            Ok(Exit::Done)
        }
        None => Err(Failure::usage(
            format!("The error book has no code `{}`.", safe(asked)),
            "`retake explain` without a code prints its index.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retake_playbook::codes::CODES;

    #[test]
    fn every_code_has_a_page_that_says_what_is_safe_and_what_to_do() {
        assert_eq!(PAGES.len(), CODES.len());
        for code in CODES {
            let page = PAGES
                .iter()
                .find(|(id, _)| *id == code.id)
                .map(|(_, page)| *page);
            let page = page.unwrap_or_default();
            assert!(
                page.starts_with(&format!("# {}: {}\n", code.id, code.title)),
                "{}",
                code.id
            );
            for heading in ["## What happened", "## What is still safe", "## What to do"] {
                assert!(page.contains(heading), "{} {heading}", code.id);
            }
        }
    }
}
