//! The store: one SQLite file, plain enough to read with `sqlite3`.
//!
//! ```text
//! <dir>/              0700
//!   cases.db          0600  cases, records, evidence
//!   signing.key       0600  made with the first export
//!   leases/<case>.lock
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use retake_playbook::{Digest, Event};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::canonical::digest;
use crate::error::StoreError;
use crate::key::{SigningKey32, key_of_file};
use crate::lease::{Held, Lease};
use crate::place::{inspect_file, make_folder};
use crate::record::{CaseId, Link, Record, no_hash};

/// The version of the tables.
const VERSION: u32 = 1;

/// Marks a SQLite file as ours: `Retk` in ASCII.
const APPLICATION: i32 = 0x5265_746b;

const TABLES: &str = "
CREATE TABLE cases (
    case_id     TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    account_key TEXT NOT NULL,
    opened_at   TEXT NOT NULL
) STRICT;
CREATE INDEX cases_by_account ON cases (tenant, account_key);
CREATE TABLE records (
    case_id TEXT NOT NULL REFERENCES cases,
    seq     INTEGER NOT NULL,
    body    TEXT NOT NULL,
    hash    TEXT NOT NULL,
    at      TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.at') END),
    event   TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.event.event') END),
    PRIMARY KEY (case_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence (
    case_id TEXT NOT NULL REFERENCES cases,
    digest  TEXT NOT NULL,
    bytes   BLOB NOT NULL,
    PRIMARY KEY (case_id, digest)
) STRICT;
";

/// How a store is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The size that the store's file may reach, in bytes; the disk's otherwise.
    pub max_bytes: Option<u64>,
}

/// One case in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseSummary {
    /// Its id.
    pub id: CaseId,
    /// The tenant's id.
    pub tenant: String,
    /// The account, as given when the case was created.
    pub account_key: String,
    /// When it was created.
    pub opened_at: Timestamp,
    /// How many records its journal has.
    pub records: u64,
    /// When the last one was written.
    pub last_at: Option<Timestamp>,
    /// Whether it was closed and not reopened since.
    pub closed: bool,
}

/// The cases of one responder or team. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Memory {
        held: Held,
        key: Mutex<Option<SigningKey32>>,
    },
}

impl Store {
    /// The store in this directory, made if there is none.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] for a file that is not ours or not whole,
    /// [`StoreError::NewerVersion`] for one of a newer program; neither is touched.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, &Options::default())
    }

    /// The same with options.
    pub fn open_with(dir: &Path, options: &Options) -> Result<Self, StoreError> {
        let path = dir.join("cases.db");
        make_folder(dir)?;
        inspect_file(&path)?;
        let failed = |error| StoreError::database(&path, error);
        let connection = Connection::open(&path).map_err(failed)?;
        connection
            .busy_timeout(Duration::from_secs(5))
            .map_err(failed)?;
        let store = Self {
            connection: Mutex::new(connection),
            place: Place::Folder(dir.to_owned()),
        };
        store.prepare(options)?;
        Ok(store)
    }

    /// A store that lives and dies with this process, for drills.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        let failed = |error| StoreError::database(Path::new("the store in memory"), error);
        let store = Self {
            connection: Mutex::new(Connection::open_in_memory().map_err(failed)?),
            place: Place::Memory {
                held: Held::default(),
                key: Mutex::default(),
            },
        };
        store.prepare(&Options::default())?;
        Ok(store)
    }

    /// Creates a case without records. `account_key` is what [`Store::find_open`]
    /// will be asked for; an account has one open case at most.
    pub fn create_case(
        &self,
        tenant: &str,
        account_key: &str,
        case_id: &str,
        at: Timestamp,
    ) -> Result<CaseId, StoreError> {
        let case = CaseId::parse(case_id)?;
        self.write(|store, transaction| {
            if let Some(open) = store.open_case(transaction, tenant, account_key)? {
                return Err(StoreError::AlreadyOpen { case: open });
            }
            let inserted = transaction
                .execute(
                    "INSERT INTO cases (case_id, tenant, account_key, opened_at)
                     VALUES (?1, ?2, ?3, ?4) ON CONFLICT (case_id) DO NOTHING",
                    params![case.as_str(), tenant, account_key, at.to_string()],
                )
                .map_err(|error| store.failed(error))?;
            if inserted == 0 {
                return Err(StoreError::CaseExists { case: case.clone() });
            }
            Ok(())
        })?;
        Ok(case)
    }

    /// Every case, in the order in which they were created.
    pub fn cases(&self) -> Result<Vec<CaseSummary>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached(&format!(
                "SELECT case_id, tenant, account_key, opened_at,
                        (SELECT count(*) FROM records WHERE records.case_id = cases.case_id),
                        (SELECT at FROM records WHERE records.case_id = cases.case_id
                         ORDER BY seq DESC LIMIT 1),
                        {CLOSED}
                 FROM cases ORDER BY rowid"
            ))
            .map_err(|error| self.failed(error))?;
        let rows = statement
            .query_map([], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, i64>(4)?,
                    row.get::<_, Option<String>>(5)?,
                    row.get::<_, bool>(6)?,
                ))
            })
            .map_err(|error| self.failed(error))?;
        rows.map(|row| {
            let (id, tenant, account_key, opened_at, records, last_at, closed) =
                row.map_err(|error| self.failed(error))?;
            Ok(CaseSummary {
                id: CaseId::parse(id)?,
                tenant,
                account_key,
                opened_at: opened_at.parse().map_err(|_| self.foreign("opened_at"))?,
                records: records.cast_unsigned(),
                last_at: last_at.and_then(|at| at.parse().ok()),
                closed,
            })
        })
        .collect()
    }

    /// The account's case that is not closed, if there is one.
    pub fn find_open(&self, tenant: &str, account_key: &str) -> Result<Option<CaseId>, StoreError> {
        self.open_case(&self.lock(), tenant, account_key)
    }

    /// Appends one event if the journal still has exactly `expected` records, and
    /// returns when it is on the disk. The new record has the number `expected + 1`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else appended in between. After every
    /// error the journal is as it was before.
    pub fn append(
        &self,
        case: &CaseId,
        expected: u64,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        self.write(|store, transaction| {
            store.must_exist(transaction, case)?;
            let last: Option<(i64, String)> = transaction
                .prepare_cached(
                    "SELECT seq, hash FROM records WHERE case_id = ?1 ORDER BY seq DESC LIMIT 1",
                )
                .and_then(|mut statement| {
                    statement
                        .query_row([case.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
                        .optional()
                })
                .map_err(|error| store.failed(error))?;
            let (found, previous) = match last {
                None => (0, no_hash()),
                Some((seq, hash)) => (
                    seq.cast_unsigned(),
                    Digest::parse(hash).map_err(|error| StoreError::Integrity {
                        case: case.clone(),
                        seq: seq.cast_unsigned(),
                        why: error.to_string(),
                    })?,
                ),
            };
            if found != expected {
                return Err(StoreError::Conflict {
                    case: case.clone(),
                    expected,
                    found,
                });
            }
            let record = Record::seal(case, found + 1, at, event, previous)?;
            transaction
                .prepare_cached(
                    "INSERT INTO records (case_id, seq, body, hash) VALUES (?1, ?2, ?3, ?4)",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        case.as_str(),
                        record.seq.cast_signed(),
                        record.body(),
                        record.hash.as_str()
                    ])
                })
                .map_err(|error| store.failed(error))?;
            Ok(record)
        })
    }

    /// The whole journal, its chain verified.
    ///
    /// A store cannot know of records cut off at the end; an exported case can.
    ///
    /// # Errors
    /// [`StoreError::Integrity`] names the first record that is wrong,
    /// [`StoreError::NewerVersion`] one that this program does not know.
    pub fn records(&self, case: &CaseId) -> Result<Vec<Record>, StoreError> {
        let connection = self.lock();
        self.must_exist(&connection, case)?;
        let mut statement = connection
            .prepare_cached("SELECT seq, body, hash FROM records WHERE case_id = ?1 ORDER BY seq")
            .map_err(|error| self.failed(error))?;
        let mut rows = statement
            .query([case.as_str()])
            .map_err(|error| self.failed(error))?;
        let mut records: Vec<Record> = Vec::new();
        let mut previous = no_hash();
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let seq = records.len() as u64 + 1;
            let altered = |why| StoreError::Integrity {
                case: case.clone(),
                seq,
                why,
            };
            let read = || Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?));
            let (at_seq, body, hash): (i64, String, String) =
                read().map_err(|error: rusqlite::Error| altered(error.to_string()))?;
            if at_seq.cast_unsigned() != seq {
                return Err(altered(format!("record {at_seq} stands in its place")));
            }
            let record = Link::check(&body, &hash, case.as_str(), seq, &previous)
                .map_err(altered)?
                .read(case)?;
            previous = record.hash.clone();
            records.push(record);
        }
        Ok(records)
    }

    /// Keeps bytes unchanged under their SHA-256; on the disk when it returns.
    /// Keeping the same bytes again changes nothing.
    pub fn keep(&self, case: &CaseId, bytes: &[u8]) -> Result<Digest, StoreError> {
        let kept = digest(bytes);
        self.write(|store, transaction| {
            store.must_exist(transaction, case)?;
            transaction
                .prepare_cached(
                    "INSERT INTO evidence (case_id, digest, bytes) VALUES (?1, ?2, ?3)
                     ON CONFLICT (case_id, digest) DO NOTHING",
                )
                .and_then(|mut statement| {
                    statement.execute(params![case.as_str(), kept.as_str(), bytes])
                })
                .map_err(|error| store.failed(error))?;
            Ok(())
        })?;
        Ok(kept)
    }

    /// The bytes kept under this digest, hashed again.
    pub fn evidence(&self, case: &CaseId, kept: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let connection = self.lock();
        let bytes: Option<Vec<u8>> = connection
            .prepare_cached("SELECT bytes FROM evidence WHERE case_id = ?1 AND digest = ?2")
            .and_then(|mut statement| {
                statement
                    .query_row([case.as_str(), kept.as_str()], |row| row.get(0))
                    .optional()
            })
            .map_err(|error| self.failed(error))?;
        match bytes {
            Some(bytes) if digest(&bytes) != *kept => Err(StoreError::EvidenceDamaged {
                case: case.clone(),
                digest: kept.clone(),
            }),
            bytes => Ok(bytes),
        }
    }

    /// The digests of everything kept for a case, sorted.
    pub fn evidence_digests(&self, case: &CaseId) -> Result<Vec<Digest>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT digest FROM evidence WHERE case_id = ?1 ORDER BY digest")
            .map_err(|error| self.failed(error))?;
        let rows = statement
            .query_map([case.as_str()], |row| row.get::<_, String>(0))
            .map_err(|error| self.failed(error))?;
        rows.map(|row| {
            let text = row.map_err(|error| self.failed(error))?;
            Digest::parse(text).map_err(|_| self.foreign("evidence.digest"))
        })
        .collect()
    }

    /// Claims a case for `owner` (who and where, for the message that another
    /// responder gets) until the lease is dropped or its process ends.
    ///
    /// # Errors
    /// [`StoreError::Leased`] when another process, or this one, holds it.
    pub fn lease(&self, case: &CaseId, owner: &str) -> Result<Lease, StoreError> {
        self.must_exist(&self.lock(), case)?;
        // One line, so that it cannot be taken for two.
        let owner: String = owner
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(200)
            .collect();
        match &self.place {
            Place::Folder(dir) => Lease::on_file(&dir.join("leases"), case, &owner),
            Place::Memory { held, .. } => Lease::in_memory(held, case, &owner),
        }
    }

    /// The key that signs this store's exports; made from `entropy` once.
    pub fn signing_key(
        &self,
        entropy: &mut dyn FnMut(&mut [u8]),
    ) -> Result<SigningKey32, StoreError> {
        match &self.place {
            Place::Folder(dir) => key_of_file(&dir.join("signing.key"), entropy),
            Place::Memory { key, .. } => Ok(key
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| SigningKey32::generate(entropy))
                .clone()),
        }
    }

    fn prepare(&self, options: &Options) -> Result<(), StoreError> {
        // Before the first change: a store of a newer program stays untouched.
        let known = self.version()?;
        self.lock()
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 PRAGMA foreign_keys = ON;
                 PRAGMA trusted_schema = OFF;",
            )
            .map_err(|error| self.failed(error))?;
        if let Some(bytes) = options.max_bytes {
            let connection = self.lock();
            let page: i64 = connection
                .query_row("PRAGMA page_size", [], |row| row.get(0))
                .map_err(|error| self.failed(error))?;
            let pages = bytes.cast_signed() / page.max(1);
            connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
                .map_err(|error| self.failed(error))?;
        }
        if known.is_none() {
            self.write(|store, transaction| {
                // Another process may have made the tables meanwhile.
                let made: bool = transaction
                    .query_row(
                        "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'cases'",
                        [],
                        |row| row.get(0),
                    )
                    .map_err(|error| store.failed(error))?;
                if made {
                    return Ok(());
                }
                transaction
                    .execute_batch(&format!(
                        "{TABLES}
                         PRAGMA application_id = {APPLICATION};
                         PRAGMA user_version = {VERSION};"
                    ))
                    .map_err(|error| store.failed(error))
            })?;
        }
        Ok(())
    }

    /// The version of the tables, nothing for an empty file.
    fn version(&self) -> Result<Option<u32>, StoreError> {
        let connection = self.lock();
        let number = |pragma: &str| {
            connection
                .query_row(pragma, [], |row| row.get::<_, i32>(0))
                .map_err(|error| self.failed(error))
        };
        let (application, version) = (
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
        );
        let tables = number("SELECT count(*) FROM sqlite_schema")?;
        if application == 0 && version == 0 && tables == 0 {
            return Ok(None);
        }
        if application != APPLICATION {
            return Err(self.foreign("it is the database of another program"));
        }
        let found = version.cast_unsigned();
        if found > VERSION {
            return Err(StoreError::NewerVersion {
                what: format!("The case store {}", self.path().display()),
                found,
                known: VERSION,
            });
        }
        Ok(Some(found))
    }

    fn open_case(
        &self,
        connection: &Connection,
        tenant: &str,
        account_key: &str,
    ) -> Result<Option<CaseId>, StoreError> {
        connection
            .query_row(
                &format!(
                    "SELECT case_id FROM cases
                     WHERE tenant = ?1 AND account_key = ?2 AND NOT {CLOSED}
                     ORDER BY rowid DESC LIMIT 1"
                ),
                [tenant, account_key],
                |row| row.get::<_, String>(0),
            )
            .optional()
            .map_err(|error| self.failed(error))?
            .map(CaseId::parse)
            .transpose()
    }

    fn must_exist(&self, connection: &Connection, case: &CaseId) -> Result<(), StoreError> {
        let there: bool = connection
            .prepare_cached("SELECT count(*) > 0 FROM cases WHERE case_id = ?1")
            .and_then(|mut statement| statement.query_row([case.as_str()], |row| row.get(0)))
            .map_err(|error| self.failed(error))?;
        if there {
            Ok(())
        } else {
            Err(StoreError::NotFound { case: case.clone() })
        }
    }

    /// One durable transaction, or nothing.
    fn write<T>(
        &self,
        work: impl FnOnce(&Self, &Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        // Immediate: what is compared cannot change before it is appended to.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| self.failed(error))?;
        let result = work(self, &transaction)?;
        transaction.commit().map_err(|error| self.failed(error))?;
        Ok(result)
    }

    /// A panic of another thread leaves the connection usable: its transaction was
    /// rolled back when it was dropped.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self) -> PathBuf {
        match &self.place {
            Place::Folder(dir) => dir.join("cases.db"),
            Place::Memory { .. } => PathBuf::from("the store in memory"),
        }
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::database(&self.path(), error)
    }

    fn foreign(&self, why: &str) -> StoreError {
        StoreError::Foreign {
            path: self.path(),
            why: why.to_owned(),
        }
    }
}

/// A case is closed when it was closed and nothing reopened it since.
const CLOSED: &str = "(coalesce((SELECT max(seq) FROM records
        WHERE records.case_id = cases.case_id AND event = 'closed'), 0)
    > coalesce((SELECT max(seq) FROM records
        WHERE records.case_id = cases.case_id AND event = 'reopened'), 0))";
