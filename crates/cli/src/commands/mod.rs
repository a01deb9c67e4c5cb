//! One file per command.

mod answer;
mod at_hand;
mod case;
mod completions;
mod docs;
mod drill;
mod explain;
mod hunt;
mod lab;
mod man;
mod picture;
mod plan;
mod replay;
mod respond;
mod sql;
mod tenant;
mod undo;
mod watch;

pub(crate) use explain::still_safe;
use retake_playbook::codes::Exit;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::home::Home;
use crate::terminal::Terminal;

/// Runs what was typed.
pub(crate) fn run(args: Args, terminal: &Terminal) -> Result<Exit, Failure> {
    let about = args.command.about();
    carry_out(args, terminal).map_err(|failure| match (&failure.object, about) {
        (None, Some(about)) => failure.about(about),
        _ => failure,
    })
}

fn carry_out(args: Args, terminal: &Terminal) -> Result<Exit, Failure> {
    let home = || Home::find(args.home.clone());
    match args.command {
        Command::Drill(drill) => drill::run(&drill, terminal),
        Command::Lab(lab) => lab::run(&lab, &home()?, terminal),
        Command::Respond(respond) => respond::respond(&respond, &home()?, terminal),
        Command::Contain(contain) => respond::contain(&contain, &home()?, terminal),
        Command::Release(release) => respond::release(&release, &home()?, terminal),
        Command::Plan(plan) => plan::run(&plan, &home()?, terminal),
        Command::Approve(approve) => answer::approve(&approve, &home()?, terminal),
        Command::Override(args) => answer::go_on_all_the_same(&args, &home()?, terminal),
        Command::Undo(undo) => undo::run(&undo, &home()?, terminal),
        Command::Watch(watch) => watch::run(&watch, &home()?, terminal),
        Command::Tenant(tenant) => tenant::run(&tenant, &home()?, terminal),
        Command::Teardown(teardown) => tenant::teardown(&teardown, &home()?, terminal),
        Command::Case(case) => case::run(&case, &home()?, terminal),
        Command::Hunt(hunt) => hunt::run(&hunt, terminal),
        Command::Sql(sql) => sql::run(&sql, terminal),
        Command::Explain(explain) => explain::run(&explain, terminal),
        Command::Completions(completions) => Ok(completions::run(&completions, terminal)),
        Command::Man(man) => man::run(&man, terminal),
        Command::Replay(replay) => replay::run(&replay, terminal),
        Command::Docs(docs) => Ok(docs::run(&docs, terminal)),
    }
}

/// Whether a case is of this tenant: nothing is read of another, and nothing changed.
fn same_tenant(
    state: &retake_playbook::State,
    tenant: &retake_tenant::Tenant,
) -> Result<(), Failure> {
    let of = state
        .opened
        .as_ref()
        .map_or("", |(_, opened)| opened.tenant.as_str());
    if of.eq_ignore_ascii_case(&tenant.profile().tenant_id) {
        return Ok(());
    }
    Err(Failure::new(
        retake_playbook::codes::WRONG_TENANT,
        format!(
            "The case is of the tenant {of}, and `{}` is {}. Nothing was sent.",
            tenant.profile().name,
            tenant.profile().tenant_id
        ),
        "Name the tenant that the case was opened in with --tenant.",
    ))
}

/// The runtime for everything that waits for sockets.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                retake_playbook::codes::INTERNAL,
                format!("The program cannot start its runtime: {error}."),
                "The machine may be out of threads or files.",
            )
        })
}
