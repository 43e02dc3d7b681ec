//! What a batch of facts does to the database, in one transaction.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::{ContextV7, Uuid};

use super::backlog::{Backlog, TerminalTrace, UsageCount, UsageKey};
use super::database::Database;
use super::error::StoreError;
use super::outbox::{self, Table, usage_row_id};
use super::record::{EventRow, command_of, event_of, exit_of};
use crate::domain::fact::{Fact, Opened, What};
use crate::domain::id::TerminalId;
use crate::domain::terminal::Exit;

const ADD_USAGE: &str = "UPDATE usage_hour SET
    requests = requests + ?7,
    errors = errors + ?8,
    rate_limited = rate_limited + ?9,
    tokens_in = tokens_in + ?10,
    tokens_out = tokens_out + ?11,
    cache_read = cache_read + ?12,
    cache_write = cache_write + ?13,
    cost_micros = CASE WHEN ?14 IS NULL THEN cost_micros ELSE coalesce(cost_micros, 0) + ?14 END,
    estimated = estimated + ?15
  WHERE hour_ms = ?1 AND instance_id = ?2 AND profile = ?3 AND model = ?4 AND terminal_id = ?5 AND agent = ?6";
const NEW_USAGE: &str =
    "INSERT INTO usage_hour (hour_ms, instance_id, profile, model, terminal_id, agent, requests,
    errors, rate_limited, tokens_in, tokens_out, cache_read, cache_write, cost_micros, estimated)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

/// Who keeps the journal, and where.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    pub path: PathBuf,
    pub host: String,
    pub version: String,
    pub pid: u32,
    pub started_at: Timestamp,
    /// How long events are kept.
    pub retention: Duration,
    /// Whether rows are to be copied elsewhere.
    pub outbox: bool,
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub events: u64,
    pub usage_hours: u64,
    pub outbox: u64,
}

/// What a batch brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub milestones: u64,
}

/// Turns facts into rows of one instance.
pub struct Scribe {
    instance_id: String,
    has_outbox: bool,
    ids: ContextV7,
    /// Which agent runs in which terminal, as far as it was told.
    agents: HashMap<TerminalId, String>,
    /// Parts of a microdollar that are yet to become one.
    change: HashMap<UsageKey, u64>,
    counts: Counts,
    /// What the transaction under way adds to them.
    added: Counts,
}

impl Scribe {
    pub fn new(instance_id: &str, has_outbox: bool) -> Self {
        Self {
            instance_id: instance_id.to_owned(),
            has_outbox,
            ids: ContextV7::new(),
            agents: HashMap::new(),
            change: HashMap::new(),
            counts: Counts::default(),
            added: Counts::default(),
        }
    }

    pub const fn has_outbox(&self) -> bool {
        self.has_outbox
    }

    /// Whether rows are copied from the next opening on.
    pub const fn set_outbox(&mut self, wanted: bool) {
        self.has_outbox = wanted;
    }

    /// Begins or ends to keep an outbox.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where it cannot be written; it is as it was then.
    pub fn track(&mut self, database: &mut Database, wanted: bool) -> Result<(), StoreError> {
        outbox::track(&mut database.connection, wanted)?;
        self.has_outbox = wanted;
        Ok(self.recount(&database.connection)?)
    }

    /// Puts everything there is into the outbox.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where it cannot be written.
    pub fn enqueue_all(&mut self, database: &mut Database) -> Result<(), StoreError> {
        outbox::refill(&mut database.connection)?;
        Ok(self.recount(&database.connection)?)
    }

    /// Enters the instance, and ends those that could not do so themselves.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where the database takes nothing; nothing has changed then.
    pub fn begin(
        &mut self,
        database: &mut Database,
        options: &JournalOptions,
    ) -> Result<(), StoreError> {
        let connection = &mut database.connection;
        outbox::track(connection, self.has_outbox)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for id in unended(&transaction, &self.instance_id)? {
            // The home has one instance, and it is this one: whoever did not say how it ended was killed.
            transaction.execute(
                r#"UPDATE instance SET "end" = 'killed', ended_ms = coalesce(
                     (SELECT max(at_ms) FROM event WHERE instance_id = ?1), started_ms) WHERE id = ?1"#,
                [&id],
            )?;
            self.enqueue(&transaction, Table::Instance, &id)?;
        }
        transaction.execute(
            "INSERT OR IGNORE INTO instance (id, host, version, pid, started_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                self.instance_id,
                options.host,
                options.version,
                options.pid,
                options.started_at.as_millisecond()
            ],
        )?;
        let own = self.instance_id.clone();
        self.enqueue(&transaction, Table::Instance, &own)?;
        transaction.commit()?;
        self.agents = agents_of(connection, &own)?;
        self.recount(connection)?;
        Ok(())
    }

    /// Writes a batch whole, or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where the database takes nothing.
    pub fn write(
        &mut self,
        database: &mut Database,
        backlog: &Backlog,
    ) -> Result<Written, StoreError> {
        let transaction = database
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut written = Written::default();
        self.added = Counts::default();
        for fact in &backlog.facts {
            self.change_rows(&transaction, fact)?;
            if let Some(event) = event_of(fact) {
                self.insert(&transaction, fact, &event)?;
            }
            written.milestones += u64::from(fact.what.is_milestone());
        }
        for (id, trace) in &backlog.terminals {
            self.restore(&transaction, *id, trace)?;
        }
        let mut change = Vec::with_capacity(backlog.usage.len());
        for (key, count) in &backlog.usage {
            change.push((key.clone(), self.add_usage(&transaction, key, count)?));
        }
        transaction.commit()?;
        self.counts.events += self.added.events;
        self.counts.usage_hours += self.added.usage_hours;
        self.counts.outbox += self.added.outbox;
        if !change.is_empty() {
            self.keep_change(change);
        }
        Ok(written)
    }

    /// Notes what has arrived in the copy.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where it cannot be noted.
    pub fn arrived(&mut self, database: &mut Database, places: &[i64]) -> Result<(), StoreError> {
        let freed = outbox::arrived(&mut database.connection, places)?;
        self.counts.outbox = self.counts.outbox.saturating_sub(freed);
        Ok(())
    }

    /// Notes that old events are gone.
    pub const fn removed(&mut self, events: u64) {
        self.counts.events = self.counts.events.saturating_sub(events);
    }

    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn change_rows(&mut self, transaction: &Transaction<'_>, fact: &Fact) -> rusqlite::Result<()> {
        let at_ms = fact.at.as_millisecond();
        match &fact.what {
            What::TerminalOpened(opened) => self.open(transaction, at_ms, opened),
            What::TerminalRenamed { id, name } => self.rename(transaction, *id, name),
            What::TerminalExited { id, exit } => {
                self.exit(transaction, *id, at_ms, *exit)?;
                self.agents.remove(id);
                Ok(())
            }
            What::AgentChanged { id, agent, .. } => self.agent(transaction, *id, agent),
            What::InstanceStopped { end } => {
                transaction
                    .prepare_cached(
                        r#"UPDATE instance SET ended_ms = ?2, "end" = ?3 WHERE id = ?1"#,
                    )?
                    .execute(params![self.instance_id, at_ms, end.to_string()])?;
                let own = self.instance_id.clone();
                self.enqueue(transaction, Table::Instance, &own)
            }
            // Events alone.
            What::InstanceStarted { .. }
            | What::ViewerAttached { .. }
            | What::ViewerDetached { .. }
            | What::ViewerRefused { .. }
            | What::Routed { .. }
            | What::Attempted { .. }
            | What::ConfigReloaded { .. }
            | What::ConfigRefused { .. }
            | What::FrontAttached { .. }
            | What::FrontDetached { .. }
            | What::StoreChanged { .. } => Ok(()),
        }
    }

    fn open(
        &mut self,
        transaction: &Transaction<'_>,
        at_ms: i64,
        opened: &Opened,
    ) -> rusqlite::Result<()> {
        if !opened.agent.is_empty() {
            self.agents.insert(opened.id, opened.agent.clone());
        }
        let id = opened.id.to_string();
        transaction
            .prepare_cached(
                "INSERT INTO terminal (id, instance_id, name, command, cwd, agent, opened_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![
                id,
                self.instance_id,
                opened.name,
                command_of(opened),
                opened.cwd.to_string_lossy(),
                opened.agent,
                at_ms
            ])?;
        self.enqueue(transaction, Table::Terminal, &id)
    }

    fn rename(
        &mut self,
        transaction: &Transaction<'_>,
        id: TerminalId,
        name: &str,
    ) -> rusqlite::Result<()> {
        let id = id.to_string();
        transaction
            .prepare_cached("UPDATE terminal SET name = ?2 WHERE id = ?1")?
            .execute(params![id, name])?;
        self.enqueue(transaction, Table::Terminal, &id)
    }

    fn exit(
        &mut self,
        transaction: &Transaction<'_>,
        id: TerminalId,
        at_ms: i64,
        exit: Exit,
    ) -> rusqlite::Result<()> {
        let id = id.to_string();
        let (code, signal) = exit_of(exit);
        transaction
            .prepare_cached(
                "UPDATE terminal SET exited_ms = ?2, exit_code = ?3, exit_signal = ?4 WHERE id = ?1",
            )?
            .execute(params![id, at_ms, code, signal])?;
        self.enqueue(transaction, Table::Terminal, &id)
    }

    /// An agent may be found in a terminal that was opened without one.
    fn agent(
        &mut self,
        transaction: &Transaction<'_>,
        id: TerminalId,
        agent: &str,
    ) -> rusqlite::Result<()> {
        if self.agents.get(&id).is_some_and(|known| known == agent) {
            return Ok(());
        }
        self.agents.insert(id, agent.to_owned());
        let id = id.to_string();
        transaction
            .prepare_cached("UPDATE terminal SET agent = ?2 WHERE id = ?1")?
            .execute(params![id, agent])?;
        self.enqueue(transaction, Table::Terminal, &id)
    }

    /// A terminal whose events were given up for want of memory.
    fn restore(
        &mut self,
        transaction: &Transaction<'_>,
        id: TerminalId,
        trace: &TerminalTrace,
    ) -> rusqlite::Result<()> {
        if let Some((at, opened)) = &trace.opened {
            self.open(transaction, at.as_millisecond(), opened)?;
        }
        if let Some(name) = &trace.name {
            self.rename(transaction, id, name)?;
        }
        if let Some((at, exit)) = &trace.exited {
            self.exit(transaction, id, at.as_millisecond(), *exit)?;
        }
        Ok(())
    }

    fn insert(
        &mut self,
        transaction: &Transaction<'_>,
        fact: &Fact,
        event: &EventRow,
    ) -> rusqlite::Result<()> {
        let id = self.event_id(fact);
        transaction
            .prepare_cached(
                r#"INSERT INTO event (id, at_ms, instance_id, kind, terminal_id, profile, "by", text, data)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"#,
            )?
            .execute(params![
                id,
                event.at_ms,
                self.instance_id,
                event.kind,
                event.terminal_id,
                event.profile,
                event.by,
                event.text,
                event.data
            ])?;
        self.added.events += 1;
        self.enqueue(transaction, Table::Event, &id)
    }

    /// Of the fact's time, and above every id before it.
    fn event_id(&self, fact: &Fact) -> String {
        let seconds = u64::try_from(fact.at.as_second()).unwrap_or_default();
        let nanos = u32::try_from(fact.at.subsec_nanosecond()).unwrap_or_default();
        let time = uuid::Timestamp::from_unix(&self.ids, seconds, nanos);
        Uuid::new_v7(time).to_string()
    }

    /// Adds to a row of usage; tells the nanodollars that are left over.
    fn add_usage(
        &mut self,
        transaction: &Transaction<'_>,
        key: &UsageKey,
        count: &UsageCount,
    ) -> rusqlite::Result<u64> {
        let terminal = key.terminal.map_or_else(String::new, |id| id.to_string());
        let agent = match key.terminal {
            Some(id) => self.agent_of(transaction, id)?,
            None => String::new(),
        };
        let carried = self.change.get(key).copied().unwrap_or_default();
        let nanodollars = count.nanodollars.map(|known| known.saturating_add(carried));
        let (micros, left) = match nanodollars {
            Some(known) => (Some(known / 1000), known % 1000),
            None => (None, carried),
        };
        let values = params![
            key.hour_ms,
            self.instance_id,
            key.profile.as_str(),
            &*key.model,
            terminal,
            agent,
            signed(count.requests),
            signed(count.errors),
            signed(count.rate_limited),
            signed(count.tokens.input),
            signed(count.tokens.output),
            signed(count.tokens.cache_read),
            signed(count.tokens.cache_write),
            micros.map(signed),
            signed(count.estimated),
        ];
        let changed = transaction.prepare_cached(ADD_USAGE)?.execute(values)?;
        if changed == 0 {
            transaction.prepare_cached(NEW_USAGE)?.execute(values)?;
            self.added.usage_hours += 1;
        }
        if self.has_outbox {
            let row = usage_row_id(&(
                key.hour_ms,
                &self.instance_id,
                key.profile.as_str(),
                &key.model,
                &terminal,
                &agent,
            ));
            self.enqueue(transaction, Table::UsageHour, &row)?;
        }
        Ok(left)
    }

    /// The agent of a terminal, which may have ended before its last usage is written.
    fn agent_of(&self, transaction: &Transaction<'_>, id: TerminalId) -> rusqlite::Result<String> {
        if let Some(agent) = self.agents.get(&id) {
            return Ok(agent.clone());
        }
        let known: Option<String> = transaction
            .prepare_cached("SELECT agent FROM terminal WHERE id = ?1")?
            .query_row([id.to_string()], |row| row.get(0))
            .optional()?;
        Ok(known.unwrap_or_default())
    }

    /// Keeps what is less than a microdollar; that of hours gone by is forgotten.
    fn keep_change(&mut self, change: Vec<(UsageKey, u64)>) {
        let newest = change.iter().map(|(key, _)| key.hour_ms).max();
        self.change.extend(change);
        self.change
            .retain(|key, left| *left > 0 && Some(key.hour_ms) >= newest);
    }

    fn enqueue(
        &mut self,
        transaction: &Transaction<'_>,
        table: Table,
        row_id: &str,
    ) -> rusqlite::Result<()> {
        if self.has_outbox && outbox::enqueue(transaction, table, row_id)? {
            self.added.outbox += 1;
        }
        Ok(())
    }

    fn recount(&mut self, database: &Connection) -> rusqlite::Result<()> {
        self.counts.events = count(database, "SELECT count(*) FROM event")?;
        self.counts.usage_hours = count(database, "SELECT count(*) FROM usage_hour")?;
        self.counts.outbox = count(database, "SELECT count(*) FROM outbox")?;
        Ok(())
    }
}

/// Which agents run in the terminals that an instance has opened so far: it may go on from another program.
fn agents_of(
    connection: &Connection,
    instance_id: &str,
) -> Result<HashMap<TerminalId, String>, StoreError> {
    let sql = "SELECT id, agent FROM terminal WHERE instance_id = ?1 AND agent <> ''";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([instance_id], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut agents = HashMap::new();
    for row in rows {
        let (id, agent) = row?;
        if let Ok(id) = id.parse() {
            agents.insert(id, agent);
        }
    }
    Ok(agents)
}

/// The instances that have not told their end, but for one.
fn unended(database: &Connection, but: &str) -> rusqlite::Result<Vec<String>> {
    let mut query =
        database.prepare("SELECT id FROM instance WHERE ended_ms IS NULL AND id <> ?1")?;
    let ids = query.query_map([but], |row| row.get(0))?;
    ids.collect()
}

fn count(database: &Connection, query: &str) -> rusqlite::Result<u64> {
    let count: i64 = database
        .prepare_cached(query)?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
