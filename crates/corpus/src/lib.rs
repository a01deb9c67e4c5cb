//! Export files of any size, with attack stories in them and the truth about each.
//!
//! For tests and benchmarks only. Records are written from the documented
//! shapes (reference §7), never from our own readers, so that the two can
//! disagree. The same options give the same bytes. A corpus is written hour by
//! hour: memory holds one hour of the tenant, some chunks of rows and the
//! stories, however large it grows (users grow with it, hours do not).

mod act;
mod audit;
pub mod check;
mod day;
mod dice;
mod entra;
mod sink;
pub mod soak;
mod story;
mod text;
mod world;

use std::io::{self, Write};

use serde::Serialize;

pub use story::{Kind, Truth};

use act::{Act, What};
use audit::Record;
use day::Stretch;
use sink::Sink;
use text::{quoted, row, time};
use world::World;

/// What the corpus shall be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything follows from it.
    pub seed: u64,
    /// About how many records the unified audit log has, without repeats.
    pub events: u64,
    /// Accounts.
    pub users: usize,
    /// Days that it spans.
    pub days: i64,
    /// Its first day, in seconds since 1970.
    pub start: i64,
    /// The tenant's domain; none: one is made up.
    pub domain: Option<String>,
    /// Zipf's exponent of who works how much.
    pub zipf: f64,
    /// Shares of mail reading, files, mail items, Teams, pages, service noise, alerts and the rest.
    pub mix: [f64; 8],
    /// Part of the rows that repeats another, from 0 to 0.9.
    pub repeats: f64,
    /// One row in so many is damaged; 0: none.
    pub damaged: u64,
    /// What happens, in that order, as far as there are accounts for it.
    pub stories: Vec<Kind>,
    /// Layout of the audit log.
    pub audit: AuditForm,
    /// Layout of the sign-ins.
    pub sign_ins: SignInForm,
}

impl Options {
    /// A tenant of the size that goes with so many audit records, without stories.
    pub fn new(seed: u64, events: u64) -> Self {
        Self {
            seed,
            events,
            users: usize::try_from(events / 600)
                .unwrap_or(usize::MAX)
                .clamp(12, 20_000),
            days: 30,
            start: 1_772_323_200,
            domain: None,
            zipf: 1.1,
            // The estimate of a working tenant's mix, less what the days themselves bring.
            mix: [30.0, 25.0, 8.0, 6.0, 5.0, 4.0, 1.0, 2.0],
            repeats: 0.05,
            damaged: 3_000,
            stories: Vec::new(),
            audit: AuditForm::Lines,
            sign_ins: SignInForm::Graph,
        }
    }

    /// The same with so many stories, drawn by the seed.
    #[must_use]
    pub fn with_stories(mut self, count: usize) -> Self {
        let mut dice = dice::Dice::of(&[self.seed, 90]);
        let mut kinds = Kind::ALL.to_vec();
        self.stories = (0..count)
            .map(|_| {
                if kinds.is_empty() {
                    kinds = Kind::ALL.to_vec();
                }
                kinds.swap_remove(dice.below(kinds.len() as u64) as usize)
            })
            .collect();
        self
    }
}

/// Layouts of the unified audit log (reference §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditForm {
    /// One `AuditData` a line.
    Lines,
    /// Purview portal CSV.
    Portal,
    /// `Search-UnifiedAuditLog` to CSV.
    Shell,
}

/// Layouts of the sign-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInForm {
    /// Graph objects, one a line.
    Graph,
    /// Log Analytics rows as JSON, one a line.
    Analytics,
}

/// Where each log goes; none: it is not written.
#[derive(Default)]
pub struct Logs<'a> {
    /// Unified audit log.
    pub audit: Option<&'a mut dyn Write>,
    /// Interactive sign-ins.
    pub interactive: Option<&'a mut dyn Write>,
    /// Non-interactive sign-ins.
    pub silent: Option<&'a mut dyn Write>,
    /// Directory audits.
    pub directory: Option<&'a mut dyn Write>,
    /// Message trace.
    pub trace: Option<&'a mut dyn Write>,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The organisation's own domain.
    pub domain: String,
    /// Every account, in lower case.
    pub users: Vec<String>,
    /// The accounts that were taken.
    pub truths: Vec<Truth>,
    /// Rows in each log, repeats and damaged ones among them: audit, interactive, silent, directory, trace.
    pub rows: [u64; 5],
    /// Repeats in each.
    pub repeated: [u64; 5],
    /// Damaged rows in each, repeats of them not counted.
    pub damaged: [u64; 5],
}

/// Writes a corpus.
pub fn generate(options: &Options, logs: Logs<'_>) -> io::Result<Told> {
    let world = World::new(options);
    let (told, truths) = story::tell(&world, &options.stories);
    let header = match options.audit {
        AuditForm::Lines => "",
        AuditForm::Portal => PORTAL_HEADER,
        AuditForm::Shell => SHELL_HEADER,
    };
    let mut sinks = [
        Sink::new(logs.audit, header, 0, options)?,
        Sink::new(logs.interactive, "", 1, options)?,
        Sink::new(logs.silent, "", 2, options)?,
        Sink::new(logs.directory, "", 3, options)?,
        Sink::new(logs.trace, entra::TRACE_HEADER, 4, options)?,
    ];
    let volume = volume(&world, options, told.len());
    let mut stories = told.into_iter().peekable();
    let mut line = 0;
    for day in 0..world.days {
        let plan = Plan::of(&world, day);
        for hour in day * 24..(day + 1) * 24 {
            let (from, to) = (world.start + hour * 3600, world.start + (hour + 1) * 3600);
            let mut acts = plan.hour(&world, options, volume, (from, to));
            while let Some(act) = stories.next_if(|act| act.time < to) {
                acts.push(act);
            }
            acts.sort_by_key(|act| (act.time, act.id));
            for act in &acts {
                write(&world, options, act, &mut sinks, &mut line)?;
            }
        }
    }
    for act in stories {
        write(&world, options, &act, &mut sinks, &mut line)?;
    }
    for sink in &mut sinks {
        sink.finish()?;
    }
    let each = |of: &dyn Fn(&Sink<'_>) -> u64| {
        let mut all = [0; 5];
        for (slot, sink) in all.iter_mut().zip(&sinks) {
            *slot = of(sink);
        }
        all
    };
    Ok(Told {
        domain: world.domain.clone(),
        users: world.users.iter().map(|user| user.upn.clone()).collect(),
        truths,
        rows: each(&|sink| sink.rows),
        repeated: each(&|sink| sink.repeated),
        damaged: each(&|sink| sink.damaged),
    })
}

/// How many acts a second of work brings, for a user with all the tenant's work.
fn volume(world: &World, options: &Options, told: usize) -> f64 {
    let (mut own, mut seconds) = (told as u64, 0.0);
    let mut acts = Vec::new();
    for day in 0..world.days {
        for user in 0..world.users.len() {
            world.routine(user, day, &mut acts);
            own += acts.len() as u64;
            acts.clear();
            for stretch in world.stretches(user, day) {
                seconds += (stretch.end - stretch.begin) as f64 * share(world, user, &stretch);
            }
        }
    }
    options.events.saturating_sub(own) as f64 / f64::max(seconds, 1.0)
}

/// Servers do little but sign in.
fn share(world: &World, user: usize, stretch: &Stretch) -> f64 {
    let user = &world.users[user];
    if stretch.machine == world::Machine::Server {
        user.weight * 0.1
    } else {
        user.weight
    }
}

/// A day of the whole tenant: what belongs to it anyway, and who is where.
struct Plan {
    day: i64,
    routine: Vec<Act>,
    stretches: Vec<(usize, Stretch)>,
}

impl Plan {
    fn of(world: &World, day: i64) -> Self {
        let (mut routine, mut stretches) = (Vec::new(), Vec::new());
        for user in 0..world.users.len() {
            world.routine(user, day, &mut routine);
            stretches.extend(
                world
                    .stretches(user, day)
                    .into_iter()
                    .map(|stretch| (user, stretch)),
            );
        }
        world.knocking(day, &mut routine);
        Self {
            day,
            routine,
            stretches,
        }
    }

    fn hour(
        &self,
        world: &World,
        options: &Options,
        volume: f64,
        (from, to): (i64, i64),
    ) -> Vec<Act> {
        let first = from == world.midnight(self.day);
        let last = to == world.midnight(self.day + 1);
        // What reaches over midnight stays with its day.
        let mut acts: Vec<Act> = self
            .routine
            .iter()
            .filter(|act| (act.time >= from || first) && (act.time < to || last))
            .cloned()
            .collect();
        for (user, stretch) in &self.stretches {
            let part = Stretch {
                begin: stretch.begin.max(from),
                end: stretch.end.min(to),
                ..stretch.clone()
            };
            if part.begin < part.end {
                let mut dice = world.dice(&[100, *user as u64, part.begin as u64]);
                let count = dice
                    .about((part.end - part.begin) as f64 * share(world, *user, &part) * volume);
                world.work(
                    *user,
                    self.day,
                    &part,
                    (count, options),
                    &mut dice,
                    &mut acts,
                );
            }
        }
        acts
    }
}

fn write(
    world: &World,
    options: &Options,
    act: &Act,
    sinks: &mut [Sink<'_>; 5],
    line: &mut u64,
) -> io::Result<()> {
    let [audit, interactive, silent, directory, trace] = sinks;
    let half = |text: &str| {
        let cut = (text.len() / 2..=text.len())
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        format!("{}\n", text[..cut].trim_end())
    };
    // What a story needs is not damaged: its truth must be there to be found.
    let cut: Option<&dyn Fn(&str) -> String> = if act.told { None } else { Some(&half) };
    if audit.wanted()
        && let Some(record) = audit::record(world, act)
    {
        *line += 1;
        match options.audit {
            AuditForm::Lines => audit.row(record.json + "\n", cut)?,
            form => {
                // In a table the cell is cut, and the row is whole.
                let short = Record {
                    json: record.json[..record.json.len() / 2].to_owned(),
                    ..copy(&record)
                };
                let cell = |_: &str| cells(&short, form, *line);
                let cut: Option<&dyn Fn(&str) -> String> =
                    if act.told { None } else { Some(&cell) };
                audit.row(cells(&record, form, *line), cut)?;
            }
        }
    }
    if let What::SignIn(sign_in) = &act.what {
        let sink = if sign_in.interactive {
            interactive
        } else {
            silent
        };
        if sink.wanted() {
            let text = match options.sign_ins {
                SignInForm::Graph => entra::graph_sign_in(world, act),
                SignInForm::Analytics => entra::analytics_sign_in(world, act),
            };
            if let Some(text) = text {
                sink.row(text + "\n", cut)?;
            }
        }
    }
    if directory.wanted()
        && let Some(text) = entra::directory_audit(world, act)
    {
        directory.row(text + "\n", cut)?;
    }
    if trace.wanted() {
        for row in entra::trace(world, act) {
            trace.row(row, None)?;
        }
    }
    Ok(())
}

const PORTAL_HEADER: &str = "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames\r\n";
const SHELL_HEADER: &str = "\"PSComputerName\",\"RunspaceId\",\"PSShowComputerName\",\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\",\"IsValid\",\"ObjectState\"\r\n";

fn cells(record: &Record, form: AuditForm, line: u64) -> String {
    let kind = record.kind.to_string();
    if form == AuditForm::Portal {
        let at = time(record.time) + ".0000000Z ";
        return row(&[
            &record.id,
            &at,
            &kind,
            &record.operation,
            &record.user,
            &record.json,
            "",
            "",
        ]);
    }
    let at = us_time(record.time);
    let name = match record.kind {
        1 => "ExchangeAdmin",
        2 => "ExchangeItem",
        3 => "ExchangeItemGroup",
        4 => "SharePoint",
        6 => "SharePointFileOperation",
        8 => "AzureActiveDirectory",
        14 => "SharePointSharingOperation",
        15 => "AzureActiveDirectoryStsLogon",
        25 => "MicrosoftTeams",
        50 => "ExchangeItemAggregated",
        _ => &kind,
    };
    let index = (line % 5000).to_string();
    row(&[
        "outlook.office365.com",
        "00000000-0000-0000-0000-000000000000",
        "False",
        name,
        &at,
        &record.user,
        &record.operation,
        &record.json,
        &index,
        "5000",
        &record.id,
        "True",
        "Unchanged",
    ])
}

/// `9/20/2023 4:05:03 AM`, in UTC.
fn us_time(seconds: i64) -> String {
    let iso = time(seconds);
    let number = |from: usize, to: usize| iso[from..to].parse::<u32>().unwrap_or(0);
    let hour = number(11, 13);
    format!(
        "{}/{}/{} {}:{} {}",
        number(5, 7),
        number(8, 10),
        number(0, 4),
        if hour % 12 == 0 { 12 } else { hour % 12 },
        &iso[14..19],
        if hour < 12 { "AM" } else { "PM" }
    )
}

fn copy(record: &Record) -> Record {
    Record {
        id: record.id.clone(),
        operation: record.operation.clone(),
        user: record.user.clone(),
        json: String::new(),
        ..*record
    }
}

/// The truths as JSON, for a file beside the corpus.
pub fn truths_as_json(told: &Told) -> String {
    serde_json::to_string_pretty(told).unwrap_or_else(|error| quoted(&error.to_string()))
}
