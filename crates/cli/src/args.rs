//! What was typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Takes back a compromised Microsoft 365 account, from the alert to the closed case.
#[derive(Debug, Parser)]
#[command(
    name = "retake",
    version,
    about,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Args {
    /// Where cases, profiles and the lab's address are kept [env: RETAKE_HOME].
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// One JSON document for programs instead of words (docs/reference/schemas).
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Practise: a takeover in the lab, the response, and the score.
    Drill(Drill),
    /// Serve a lab tenant with a live attacker in it.
    #[command(subcommand)]
    Lab(Lab),
    /// Take an account back, from the alert to the closed case. The same command resumes.
    Respond(Respond),
    /// Block sign-in and revoke sessions, verified; the first ten seconds alone.
    Contain(Respond),
    /// Take a containment back.
    Release(Release),
    /// Write the present plan of a case to a file, to be read and approved elsewhere.
    Plan(PlanArgs),
    /// Answer the gate that waits, in your name. Nothing is carried out by it.
    Approve(Approve),
    /// Open a gate whose condition does not hold, with a reason that stays.
    Override(Override),
    /// Take actions of a case back, in any order, or all that can be.
    Undo(Undo),
    /// Look whether something came back; reopens the case if so.
    Watch(WatchArgs),
    /// Profiles of tenants: how each is reached, and what the responder may do there.
    #[command(subcommand)]
    Tenant(Tenant),
    /// Take away what Retake holds in a tenant and on this machine. Cases stay.
    Teardown(Teardown),
    /// Read, export and verify cases.
    #[command(subcommand)]
    Case(Case),
    /// Find out from exported logs what happened.
    Hunt(Hunt),
    /// Ask the table of events that a hunt left, in SQL.
    Sql(Sql),
    /// Explain a code of the error book, a step, a gate or an artefact.
    Explain(Explain),
    /// Print what makes a shell complete commands and options.
    Completions(Completions),
    /// Print a manual page, or write all of them.
    Man(Man),
    /// Print generated pages of the documentation.
    #[command(hide = true)]
    Docs(Docs),
    /// Read a transcript again, and compare a lab with it; what `cargo xtask replay` calls.
    #[command(hide = true)]
    Replay(Replay),
}

impl Command {
    /// The object that the command is about, as it was typed: what an error of it is
    /// about, too, where nothing closer is known.
    pub(crate) fn about(&self) -> Option<String> {
        match self {
            Self::Respond(args) | Self::Contain(args) => Some(args.user.clone()),
            Self::Release(args) => Some(args.user.clone()),
            Self::Tenant(Tenant::Add(args)) => Some(args.name.clone()),
            Self::Tenant(Tenant::Check(args)) => Some(args.name.clone()),
            Self::Tenant(Tenant::Remove { name }) => Some(name.clone()),
            Self::Teardown(args) => Some(args.name.clone()),
            Self::Case(
                Case::Show { case }
                | Case::Log { case }
                | Case::Export { case, .. }
                | Case::Report { case, .. },
            ) => Some(case.clone()),
            Self::Case(Case::Verify { file, .. }) => Some(file.display().to_string()),
            Self::Lab(Lab::Serve(args)) => Some(args.scenario.clone()),
            Self::Replay(args) => Some(args.file.display().to_string()),
            _ => None,
        }
    }
}

/// Arguments of `retake drill`.
#[derive(Debug, ClapArgs)]
pub struct Drill {
    /// Scenarios by name, or folders of scenarios.
    #[arg(default_value = "invoice-fraud")]
    pub scenarios: Vec<String>,
    /// Every scenario that is embedded.
    #[arg(long, conflicts_with = "scenarios")]
    pub all: bool,
    /// The seed: names, addresses, times, baits and the attacker's choices follow from it.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Seeds 1 to N, one run each.
    #[arg(long, value_name = "N", conflicts_with = "seed")]
    pub seeds: Option<u64>,
    /// The order of operations: `retake`, a control's name, or a sequence file.
    #[arg(long, value_name = "NAME-OR-PATH", default_value = "retake")]
    pub sequence: String,
    /// Run every embedded control beside `retake`.
    #[arg(long, conflicts_with = "sequence")]
    pub compare: bool,
    /// Write the lab's trace, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Keep the exported cases and their reports here.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Only the score, without the live view.
    #[arg(long, short)]
    pub quiet: bool,
}

/// `retake lab …`
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Serve a scenario over TLS on this machine until interrupted.
    Serve(LabServe),
    /// Say whether scenarios can be used: file, line and reason of what is wrong.
    Check(LabCheck),
}

/// Arguments of `retake lab check`.
#[derive(Debug, ClapArgs)]
pub struct LabCheck {
    /// Folders with a scenario.toml, files, or names of embedded scenarios.
    #[arg(required = true, value_name = "PATH")]
    pub scenarios: Vec<String>,
}

/// Arguments of `retake lab serve`.
#[derive(Debug, ClapArgs)]
pub struct LabServe {
    /// A scenario by name, or its folder.
    #[arg(default_value = "invoice-fraud")]
    pub scenario: String,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How its time goes.
    #[arg(long, value_enum, default_value_t = LabClock::Live)]
    pub clock: LabClock,
}

/// How the lab's time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LabClock {
    /// One second a second; a responder that waits makes it jump.
    Live,
    /// It stands still between requests.
    Stepped,
}

/// Arguments of `retake respond` and `retake contain`.
#[derive(Debug, ClapArgs)]
pub struct Respond {
    /// The account: user principal name or object id.
    pub user: String,
    /// Another account in the same attacker's hands: contained in the same approval, with a
    /// case of its own. May be given several times.
    #[arg(long, value_name = "USER")]
    pub also: Vec<String>,
    /// The tenant: `lab`, or the name of a profile.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// Your name, as it stands in the record.
    #[arg(long = "as", value_name = "NAME")]
    pub responder: Option<String>,
    /// What raised the case.
    #[arg(long, value_name = "TEXT", default_value = "reported to the responder")]
    pub alert: String,
    /// Approve every gate in your name, without asking. Needs `--as`.
    #[arg(long, requires = "responder")]
    pub yes: bool,
    /// Go on although somebody else should respond or nobody should touch the account;
    /// the reason stays in the record. Needs `--as`.
    #[arg(long, value_name = "REASON", requires = "responder")]
    pub despite: Option<String>,
    /// What goes over the wire.
    #[command(flatten)]
    pub recording: Recording,
}

/// Where calls and answers are written down.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Recording {
    /// Write a redacted transcript of all calls and answers to this file (docs/tape-format.md).
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Replace the transcript if it is there.
    #[arg(long, requires = "record")]
    pub replace_record: bool,
}

/// Arguments of `retake release`.
#[derive(Debug, ClapArgs)]
pub struct Release {
    /// The account: user principal name or object id.
    pub user: String,
    /// The tenant: `lab`, or the name of a profile.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// Your name, as it stands in the record.
    #[arg(long = "as", value_name = "NAME")]
    pub responder: String,
    /// Why the containment is taken back.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What goes over the wire.
    #[command(flatten)]
    pub recording: Recording,
}

/// Arguments of `retake plan`.
#[derive(Debug, ClapArgs)]
pub struct PlanArgs {
    /// The case's id.
    pub case: String,
    /// Write the plan file here; without it, the plan is shown.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file if it is there.
    #[arg(long, requires = "out")]
    pub replace: bool,
}

/// Arguments of `retake approve`.
#[derive(Debug, ClapArgs)]
pub struct Approve {
    /// The case's id.
    pub case: String,
    /// The gate: `retake case show` says which one waits.
    pub gate: String,
    /// Your name, as it stands in the record.
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// The answer, where the gate asks a question: yes, no, not known.
    #[arg(long, value_name = "TEXT")]
    pub answer: Option<String>,
    /// Refuse instead.
    #[arg(long, conflicts_with_all = ["answer", "plan"])]
    pub refuse: bool,
    /// Approve exactly the plan in this file, and no other.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
}

/// Arguments of `retake override`.
#[derive(Debug, ClapArgs)]
pub struct Override {
    /// The case's id.
    pub case: String,
    /// The gate: `retake case show` says which one waits.
    pub gate: String,
    /// Your name, as it stands in the record.
    #[arg(long = "as", value_name = "NAME")]
    pub name: String,
    /// Why you go on all the same; it stays in the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Arguments of `retake undo`.
#[derive(Debug, ClapArgs)]
pub struct Undo {
    /// The case's id.
    pub case: String,
    /// The tenant: `lab`, or the name of a profile.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// An action by its number; repeatable, taken back in this order.
    #[arg(long, value_name = "N", required_unless_present = "all")]
    pub action: Vec<u32>,
    /// Everything that can be, the latest first.
    #[arg(long, conflicts_with = "action")]
    pub all: bool,
    /// Your name, as it stands in the record.
    #[arg(long = "as", value_name = "NAME", required_unless_present = "dry_run")]
    pub name: Option<String>,
    /// Why; it stays in the record, and what comes back is kept for it.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub reason: Option<String>,
    /// Show what would be sent and what cannot be undone, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// What goes over the wire.
    #[command(flatten)]
    pub recording: Recording,
}

/// Arguments of `retake watch`.
#[derive(Debug, ClapArgs)]
pub struct WatchArgs {
    /// The case's id.
    pub case: String,
    /// The tenant: `lab`, or the name of a profile.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// Your name, as it stands in the record.
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Go on looking until the watch is over or something came back.
    #[arg(long)]
    pub until_end: bool,
    /// What goes over the wire.
    #[command(flatten)]
    pub recording: Recording,
}

/// `retake tenant …`
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Make a profile, with the registration that it needs; asks for what is not given.
    Add(Box<TenantAdd>),
    /// List the profiles.
    List,
    /// Prove each permission and role, and say for each step whether it can run.
    Check(TenantCheck),
    /// Remove a profile. The registration and the cases stay.
    Remove {
        /// The profile.
        name: String,
    },
}

/// Arguments of `retake tenant add`.
#[derive(Debug, ClapArgs)]
pub struct TenantAdd {
    /// The profile's name.
    pub name: String,
    /// The tenant's id.
    #[arg(long, value_name = "ID")]
    pub tenant_id: Option<String>,
    /// The cloud that it is in; `lab` is the lab that is being served.
    #[arg(long, value_name = "CLOUD")]
    pub cloud: Option<String>,
    /// secret, certificate, device-code, browser, managed-identity, workload-identity or azure-cli.
    #[arg(long, value_name = "WAY")]
    pub sign_in: Option<String>,
    /// The app registration's application (client) id.
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// A file with the client secret, that only you can read.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// A PEM file with certificate and private key, that only you can read.
    #[arg(long, value_name = "FILE")]
    pub certificate_file: Option<PathBuf>,
    /// The token file of a workload identity.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Client id of a user-assigned managed identity.
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,
    /// A PEM file with certificate authorities to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy, or `none`.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// An account for emergencies, which is never touched without a reason; repeatable.
    #[arg(long, value_name = "ACCOUNT")]
    pub break_glass: Vec<String>,
    /// The partner's profile, whose sign-in is used for this customer.
    #[arg(long, value_name = "NAME")]
    pub partner_of: Option<String>,
    /// What the registration is for.
    #[arg(long, value_enum, default_value_t = RightsSet::Response)]
    pub set: RightsSet,
    /// Write the registration's manifest here.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Replace the profile if it is there.
    #[arg(long)]
    pub replace: bool,
    /// Leave the check at the end out.
    #[arg(long)]
    pub no_check: bool,
}

/// Arguments of `retake tenant check`.
#[derive(Debug, ClapArgs)]
pub struct TenantCheck {
    /// The profile, or `lab`.
    pub name: String,
    /// For which set.
    #[arg(long, value_enum, default_value_t = RightsSet::Response)]
    pub set: RightsSet,
    /// The account on which readings are tried; without one, the first that is listed.
    #[arg(long, value_name = "USER")]
    pub on: Option<String>,
    /// What goes over the wire.
    #[command(flatten)]
    pub recording: Recording,
}

/// What a registration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RightsSet {
    /// Looking and reporting.
    ReadOnly,
    /// The whole playbook.
    Response,
}

/// Arguments of `retake teardown`.
#[derive(Debug, ClapArgs)]
pub struct Teardown {
    /// The profile.
    pub name: String,
    /// Without asking.
    #[arg(long)]
    pub yes: bool,
}

/// `retake case …`
#[derive(Debug, Subcommand)]
pub enum Case {
    /// List the cases of the store.
    List,
    /// Show where a case stands.
    Show {
        /// The case's id.
        case: String,
    },
    /// Show a case's journal; with `--json` one record a line, as it is hashed.
    Log {
        /// The case's id.
        case: String,
    },
    /// Agree that a case is closed: first access, persistence and impact are explained.
    Close {
        /// The case's id.
        case: String,
        /// Your name, as it stands in the record.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Close it although something is not explained; the reason stays in the record.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Write a case as one signed file.
    Export {
        /// The case's id.
        case: String,
        /// The file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Replace the file if it is there.
        #[arg(long)]
        replace: bool,
    },
    /// Write a case's report, its attestation and its documents.
    Report {
        /// The case's id.
        case: String,
        /// The directory.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Prove that an exported case is whole and unaltered.
    Verify {
        /// The exported file.
        file: PathBuf,
        /// The fingerprint that was shown when the case was closed or exported.
        #[arg(long, value_name = "FINGERPRINT")]
        key: Option<String>,
        /// An attestation that `case report` wrote: whether it follows from this case.
        #[arg(long, value_name = "FILE")]
        attestation: Option<PathBuf>,
    },
}

/// Arguments of `retake hunt`.
#[derive(Debug, ClapArgs)]
pub struct Hunt {
    /// Files or directories of exported logs; zip and gz are opened; `-` is standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Keep the table of events in this directory, as Parquet files, for `retake sql` and
    /// other tools; an earlier table there is replaced. Records that could not be read are
    /// put beside it, in DIR.damaged.jsonl.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Everything of this account, also where nothing stands out; repeatable.
    #[arg(long, value_name = "UPN")]
    pub user: Vec<String>,
    /// Everything of every account that stands out, after the answer.
    #[arg(long)]
    pub details: bool,
    /// Write a report for people: one HTML file that loads nothing and runs nothing.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write every event, in order (with `--user` those of these accounts), to this file.
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// The timeline's form; without it, the file's ending says which: .txt, .jsonl, .csv.
    /// For Timesketch, the ending says which of its two forms, .csv or .jsonl.
    #[arg(long, value_name = "FORM", requires = "timeline", value_enum)]
    pub timeline_form: Option<TimelineForm>,
    /// Replace files that are there.
    #[arg(long)]
    pub replace: bool,
    /// A detection of your own, or a folder of them: each is added, or takes the place of
    /// the one with its id.
    #[arg(long, value_name = "PATH")]
    pub detections: Vec<PathBuf>,
    /// A Sigma rule, or a folder of them, to run on the same events.
    #[arg(long, value_name = "PATH")]
    pub sigma: Vec<PathBuf>,
}

/// The form of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TimelineForm {
    /// Columns of text, for reading.
    Table,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated; what a spreadsheet would calculate is made text.
    Csv,
    /// What Timesketch imports.
    Timesketch,
}

/// Arguments of `retake sql`.
#[derive(Debug, ClapArgs)]
pub struct Sql {
    /// The directory that `retake hunt --to` wrote.
    pub directory: PathBuf,
    /// The question, to the table `events`; a name with a dot stands in double quotes.
    /// Nothing can be changed by it.
    #[arg(required_unless_present = "columns", conflicts_with = "columns")]
    pub question: Option<String>,
    /// List the columns and what they hold.
    #[arg(long)]
    pub columns: bool,
    /// Write the answer to this file for a spreadsheet; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Take the place of a file that is there already.
    #[arg(long, requires = "csv")]
    pub replace: bool,
    /// Show long texts to their end.
    #[arg(long)]
    pub whole: bool,
}

/// Arguments of `retake explain`.
#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// A code such as RT3001, a step (S3.5), an artefact (A09) or a gate (`return`);
    /// without one, the list of all.
    pub about: Option<String>,
}

/// Arguments of `retake replay`.
#[derive(Debug, ClapArgs)]
pub struct Replay {
    /// The transcript that `--record` wrote.
    pub file: PathBuf,
    /// The lab that is compared: a scenario by name, or its folder.
    #[arg(long, default_value = "invoice-fraud")]
    pub scenario: String,
    /// The lab's seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Arguments of `retake completions`.
#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Arguments of `retake man`.
#[derive(Debug, ClapArgs)]
pub struct Man {
    /// The command, such as `case verify`; without one, `retake` itself.
    pub command: Vec<String>,
    /// Write every page into this directory, one file each.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

/// Arguments of `retake docs`.
#[derive(Debug, ClapArgs)]
pub struct Docs {
    /// Which page.
    #[arg(value_enum)]
    pub page: Page,
}

/// A generated page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Page {
    /// docs/reference/catalogue.md
    Catalogue,
    /// docs/reference/playbook.md
    Playbook,
    /// docs/reference/permissions.md
    Permissions,
    /// docs/reference/commands.md
    Commands,
    /// docs/errors/README.md
    Errors,
    /// docs/reference/faults.md
    Faults,
    /// docs/reference/score.md
    Score,
    /// docs/reference/schemas/README.md
    Schemas,
    /// docs/drill.svg
    Drill,
}
