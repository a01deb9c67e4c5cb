//! `retake watch`: looking whether something came back.

use jiff::{SignedDuration, Timestamp};
use retake_casefile::CaseId;
use retake_playbook::State;
use retake_playbook::codes::{self, Code, Exit};
use retake_playbook::machine::{WATCH_DAYS, WATCH_HOURS};
use retake_responder::Watched;
use serde_json::json;

use super::at_hand::TakenUp;
use crate::args::WatchArgs;
use crate::failure::Failure;
use crate::home::Home;
use crate::terminal::{OURS, Terminal, WARN, safe_at_length};

pub(crate) fn run(args: &WatchArgs, home: &Home, terminal: &Terminal) -> Result<Exit, Failure> {
    let case = CaseId::parse(&args.case)?;
    super::runtime()?.block_on(async {
        let taken = TakenUp::find(home, case, &args.tenant, &args.recording, terminal)?;
        let connection = &taken.connection;
        let _told = connection
            .tape
            .as_ref()
            .map(|tape| tape.told_at_the_end(terminal));
        let responder = taken.responder(args.name.as_deref())?;
        connection.sign_in(terminal).await?;
        let watched = Box::pin(responder.watch(args.until_end)).await?;
        tell(
            args,
            &watched,
            &responder.state(),
            connection.clock.now(),
            terminal,
        )
    })
}

/// Since when and until when.
struct Span {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    daily_until: Option<Timestamp>,
}

impl Span {
    fn of(state: &State) -> Self {
        let later = |hours: i64| {
            state
                .watch_from
                .and_then(|from| from.checked_add(SignedDuration::from_hours(hours)).ok())
        };
        Self {
            since: state.watch_from,
            until: later(WATCH_HOURS),
            daily_until: later(WATCH_DAYS * 24),
        }
    }

    fn words(&self, now: Timestamp) -> String {
        let at = |moment: Option<Timestamp>| {
            moment.map_or_else(
                || "unknown".to_owned(),
                |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            )
        };
        let daily = match self.daily_until {
            Some(end) if now > end => format!("the 30 days ended {}", at(self.daily_until)),
            _ => format!("daily until {}", at(self.daily_until)),
        };
        format!(
            "Watched since {}, closely until {}, then {daily}.",
            at(self.since),
            at(self.until)
        )
    }
}

fn tell(
    args: &WatchArgs,
    watched: &Watched,
    state: &State,
    now: Timestamp,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let span = Span::of(state);
    let (result, why, code): (&str, Option<&str>, Option<Code>) = match watched {
        Watched::Quiet => ("quiet", None, None),
        Watched::Ended => ("ended", None, None),
        Watched::Reopened { why } => ("reopened", Some(why), Some(codes::RE_ENTRY)),
        Watched::Unclear { why } => ("unclear", Some(why), Some(codes::FINDINGS)),
        Watched::NotWatching { phase } => {
            return Err(Failure::new(
                codes::GATE_NOT_WAITING,
                format!(
                    "The watch of the case {} has not begun or is over: it stands at {phase:?}. Nothing was read and nothing was changed.",
                    args.case
                ),
                "`retake respond` goes on; the watch begins when sign-in has been given back.",
            ));
        }
    };
    if terminal.json() {
        terminal.document(
            &json!({"schema": "retake.watch/1", "case": args.case, "result": result, "why": why,
                "code": code.map(|code| code.id), "looked_at": now, "since": span.since,
                "until": span.until, "daily_until": span.daily_until, "reopened": state.reopened}),
        );
    } else {
        let line = match (watched, why) {
            (Watched::Ended, _) => format!(
                "{OURS}the watch is over{OURS:#}, nothing came back. `retake case close {} --as NAME` closes the case.",
                args.case
            ),
            (Watched::Reopened { .. }, Some(why)) => format!(
                "{WARN}something came back (RT1012){WARN:#}: {}. The case stands at containment: `retake respond` goes on.",
                safe_at_length(why)
            ),
            (_, Some(why)) => format!(
                "{WARN}it cannot be told (RT1005){WARN:#}: {}",
                safe_at_length(why)
            ),
            _ => format!("{OURS}quiet{OURS:#}: nothing came back."),
        };
        terminal.data(&line);
        terminal.say(&span.words(now));
    }
    Ok(code.map_or(Exit::Done, |code| code.exit))
}
