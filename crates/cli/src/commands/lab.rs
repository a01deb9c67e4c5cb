//! `retake lab serve`: a tenant to practise on, with a live attacker in it.

use retake_lab::serve::{ClockMode, Options, Server};
use retake_lab::{Lab, Scenario, ScenarioError};
use retake_playbook::codes::{self, Exit};
use serde_json::json;

use crate::args::{Lab as LabCommand, LabCheck, LabClock, LabServe};
use crate::failure::Failure;
use crate::home::Home;
use crate::lab_link::LabAddress;
use crate::terminal::{OURS, STRONG, Terminal, safe};

pub(crate) fn run(command: &LabCommand, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    match command {
        LabCommand::Serve(serve) => serve_until_interrupted(serve, home, terminal),
        LabCommand::Check(check) => Ok(look_through(check, terminal)),
    }
}

/// The scenario of this name, or in this folder.
pub(crate) fn scenario(name: &str) -> Result<Scenario, Failure> {
    Scenario::find(name).map_err(|error| {
        Failure::new(
            codes::BAD_SCENARIO,
            format!(
                "The scenario `{}` cannot be used: {}",
                safe(name),
                safe(&error.to_string())
            ),
            "docs/scenario-format.md describes the format. `invoice-fraud` is embedded.",
        )
    })
}

/// Looks at every file before it answers: whoever wrote several wants all of what is wrong.
fn look_through(args: &LabCheck, terminal: &Terminal) -> Exit {
    let mut bad = false;
    let mut found = Vec::new();
    for name in &args.scenarios {
        let mut entry = json!({
            "asked": name, "usable": false, "id": null, "title": null,
            "file": null, "line": null, "reason": null,
        });
        match Scenario::find(name) {
            Ok(scenario) => {
                terminal.say(&format!(
                    "{STRONG}usable{STRONG:#}  {}  {}",
                    safe(scenario.id()),
                    safe(&scenario.title)
                ));
                entry["usable"] = json!(true);
                entry["id"] = json!(scenario.id());
                entry["title"] = json!(scenario.title);
            }
            Err(error) => {
                bad = true;
                terminal.say(&safe(&error.to_string()));
                entry["reason"] = json!(error.to_string());
                if let ScenarioError::Invalid { file, line, reason } = &error {
                    entry["file"] = json!(file.display().to_string());
                    entry["line"] = json!(line);
                    entry["reason"] = json!(reason);
                }
            }
        }
        found.push(entry);
    }
    if terminal.json() {
        terminal.document(&json!({"schema": "retake.scenarios/1", "scenarios": found}));
    }
    if bad {
        terminal.say(&format!(
            "\n{} docs/scenario-format.md describes the format; nothing was run.",
            codes::BAD_SCENARIO.id
        ));
        return codes::BAD_SCENARIO.exit;
    }
    Exit::Done
}

fn serve_until_interrupted(
    args: &LabServe,
    home: &Home,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let lab = Lab::new(&scenario(&args.scenario)?, args.seed).map_err(|error| {
        Failure::new(
            codes::BAD_SCENARIO,
            error.to_string(),
            "docs/scenario-format.md describes the format.",
        )
    })?;
    let briefing = lab.briefing().clone();
    let options = Options {
        clock: match args.clock {
            LabClock::Live => ClockMode::Live,
            LabClock::Stepped => ClockMode::Stepped,
        },
        ..Options::default()
    };
    let server = Server::start(lab, options).map_err(|error| {
        Failure::new(
            codes::INTERNAL,
            format!("The lab cannot be served: {error}."),
            "Another program may hold the port.",
        )
    })?;
    let address = LabAddress::of(&server);
    address.write(home)?;

    terminal.say(&format!(
        "{STRONG}lab{STRONG:#} {} (seed {}) at {}",
        safe(&args.scenario),
        args.seed,
        address.base
    ));
    terminal.say(&format!("  alert     {}", safe(&briefing.alert)));
    terminal.say(&format!("  account   {}", safe(&briefing.affected)));
    for person in &briefing.people {
        terminal.say(&format!("  {:<9} {}", person.role, safe(&person.name)));
    }
    terminal.say(&format!(
        "\nThe attacker is in. In another terminal:\n\n  {OURS}retake respond {} --tenant lab{OURS:#}\n\nCtrl-C ends the lab.",
        safe(&briefing.affected)
    ));
    if terminal.json() {
        // The address file has the secrets; what is printed has not.
        terminal.document(&json!({
            "schema": "retake.lab/1",
            "scenario": args.scenario,
            "seed": args.seed,
            "base": address.base,
            "tenant_id": briefing.tenant_id,
            "alert": briefing.alert,
            "account": briefing.affected,
            "people": briefing
                .people
                .iter()
                .map(|person| json!({"role": person.role, "name": person.name}))
                .collect::<Vec<_>>(),
        }));
    }
    // The server runs on its own threads until this process is interrupted. The
    // address that stays behind leads nowhere, and whoever follows it is told so.
    let _server = server;
    loop {
        std::thread::park();
    }
}
