//! One file per command.

mod case;
mod completions;
mod docs;
mod drill;
mod explain;
mod hunt;
mod lab;
mod man;
mod picture;
mod replay;
mod respond;
mod tenant;

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
        Command::Tenant(tenant) => tenant::run(&tenant, &home()?, terminal),
        Command::Teardown(teardown) => tenant::teardown(&teardown, &home()?, terminal),
        Command::Case(case) => case::run(&case, &home()?, terminal),
        Command::Hunt(hunt) => hunt::run(&hunt, terminal),
        Command::Explain(explain) => explain::run(&explain, terminal),
        Command::Completions(completions) => Ok(completions::run(&completions, terminal)),
        Command::Man(man) => man::run(&man, terminal),
        Command::Replay(replay) => replay::run(&replay, terminal),
        Command::Docs(docs) => Ok(docs::run(&docs, terminal)),
    }
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
