//! Facts of the documentation that the lab holds to, one story each; the page
//! `docs/fidelity.md` says which story holds which fact.

mod accounts;
mod app_roles;
mod around;
mod delays;
mod delegation;
mod folders;
mod limits;
mod page;
mod records;
mod rights;
mod roles;
mod settings;
mod sign_in;
mod silent;
mod tokens;

use retake_lab::{Lab, Scenario};
use toml::{Table, Value as Toml};

use crate::support::Story;

const INVOICE_FRAUD: &str = include_str!("../../../../../scenarios/invoice-fraud/scenario.toml");

/// The default scenario with these tables set: name of the table, and its text.
pub(crate) fn scenario(tables: &[(&str, &str)]) -> Scenario {
    Scenario::parse("variant.toml".as_ref(), &text(tables)).unwrap()
}

/// The same as text.
pub(crate) fn text(tables: &[(&str, &str)]) -> String {
    let mut all: Table = INVOICE_FRAUD.parse().unwrap();
    for (name, text) in tables {
        let given: Table = text.parse().unwrap();
        let table = all
            .entry(*name)
            .or_insert_with(|| Toml::Table(Table::new()));
        table.as_table_mut().unwrap().extend(given);
    }
    all.to_string()
}

/// A lab of that scenario with a responder in front of it.
pub(crate) fn story(tables: &[(&str, &str)], seed: u64) -> Story {
    Story::with(Lab::new(&scenario(tables), seed).unwrap())
}
