CREATE TABLE tundra_meta (
  store_id TEXT NOT NULL,
  schema_version INTEGER NOT NULL
);
CREATE TABLE instance (
  id TEXT NOT NULL PRIMARY KEY,
  host TEXT NOT NULL,
  version TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  "end" TEXT NOT NULL DEFAULT ''
);
CREATE TABLE terminal (
  id TEXT NOT NULL PRIMARY KEY,
  instance_id TEXT NOT NULL,
  name TEXT NOT NULL,
  command TEXT NOT NULL,
  cwd TEXT NOT NULL,
  agent TEXT NOT NULL DEFAULT '',
  opened_ms INTEGER NOT NULL,
  exited_ms INTEGER,
  exit_code INTEGER,
  exit_signal INTEGER
);
CREATE TABLE event (
  id TEXT NOT NULL PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  instance_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  terminal_id TEXT NOT NULL DEFAULT '',
  profile TEXT NOT NULL DEFAULT '',
  "by" TEXT NOT NULL DEFAULT '',
  text TEXT NOT NULL,
  data TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX event_at ON event (at_ms);
CREATE INDEX event_kind_at ON event (kind, at_ms);
CREATE TABLE usage_hour (
  hour_ms INTEGER NOT NULL,
  instance_id TEXT NOT NULL,
  profile TEXT NOT NULL,
  model TEXT NOT NULL,
  terminal_id TEXT NOT NULL DEFAULT '',
  agent TEXT NOT NULL DEFAULT '',
  requests INTEGER NOT NULL DEFAULT 0,
  errors INTEGER NOT NULL DEFAULT 0,
  rate_limited INTEGER NOT NULL DEFAULT 0,
  tokens_in INTEGER NOT NULL DEFAULT 0,
  tokens_out INTEGER NOT NULL DEFAULT 0,
  cache_read INTEGER NOT NULL DEFAULT 0,
  cache_write INTEGER NOT NULL DEFAULT 0,
  cost_micros INTEGER,
  estimated INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hour_ms, instance_id, profile, model, terminal_id, agent)
) WITHOUT ROWID;
-- Usage per hour without instances and terminals, so that a month's sum reads thousands of rows where usage_hour has a
-- million. Kept by triggers: whatever writes usage_hour, the sums are those of its rows.
CREATE TABLE usage_sum (
  hour_ms INTEGER NOT NULL,
  profile TEXT NOT NULL,
  model TEXT NOT NULL,
  agent TEXT NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  errors INTEGER NOT NULL DEFAULT 0,
  rate_limited INTEGER NOT NULL DEFAULT 0,
  tokens_in INTEGER NOT NULL DEFAULT 0,
  tokens_out INTEGER NOT NULL DEFAULT 0,
  cache_read INTEGER NOT NULL DEFAULT 0,
  cache_write INTEGER NOT NULL DEFAULT 0,
  cost_micros INTEGER,
  estimated INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (hour_ms, profile, model, agent)
) WITHOUT ROWID;
CREATE TRIGGER usage_hour_added AFTER INSERT ON usage_hour BEGIN
  INSERT INTO usage_sum VALUES (new.hour_ms, new.profile, new.model, new.agent, new.requests, new.errors,
    new.rate_limited, new.tokens_in, new.tokens_out, new.cache_read, new.cache_write, new.cost_micros, new.estimated)
  ON CONFLICT DO UPDATE SET
    requests = requests + excluded.requests,
    errors = errors + excluded.errors,
    rate_limited = rate_limited + excluded.rate_limited,
    tokens_in = tokens_in + excluded.tokens_in,
    tokens_out = tokens_out + excluded.tokens_out,
    cache_read = cache_read + excluded.cache_read,
    cache_write = cache_write + excluded.cache_write,
    cost_micros = CASE WHEN excluded.cost_micros IS NULL THEN cost_micros
      ELSE coalesce(cost_micros, 0) + excluded.cost_micros END,
    estimated = estimated + excluded.estimated;
END;
CREATE TRIGGER usage_hour_changed AFTER UPDATE ON usage_hour BEGIN
  UPDATE usage_sum SET
    requests = requests + new.requests - old.requests,
    errors = errors + new.errors - old.errors,
    rate_limited = rate_limited + new.rate_limited - old.rate_limited,
    tokens_in = tokens_in + new.tokens_in - old.tokens_in,
    tokens_out = tokens_out + new.tokens_out - old.tokens_out,
    cache_read = cache_read + new.cache_read - old.cache_read,
    cache_write = cache_write + new.cache_write - old.cache_write,
    cost_micros = CASE WHEN new.cost_micros IS NULL AND old.cost_micros IS NULL THEN cost_micros
      ELSE coalesce(cost_micros, 0) + coalesce(new.cost_micros, 0) - coalesce(old.cost_micros, 0) END,
    estimated = estimated + new.estimated - old.estimated
  WHERE hour_ms = new.hour_ms AND profile = new.profile AND model = new.model AND agent = new.agent;
END;
CREATE TRIGGER usage_hour_gone AFTER DELETE ON usage_hour BEGIN
  UPDATE usage_sum SET
    requests = requests - old.requests,
    errors = errors - old.errors,
    rate_limited = rate_limited - old.rate_limited,
    tokens_in = tokens_in - old.tokens_in,
    tokens_out = tokens_out - old.tokens_out,
    cache_read = cache_read - old.cache_read,
    cache_write = cache_write - old.cache_write,
    cost_micros = CASE WHEN old.cost_micros IS NULL THEN cost_micros
      ELSE coalesce(cost_micros, 0) - old.cost_micros END,
    estimated = estimated - old.estimated
  WHERE hour_ms = old.hour_ms AND profile = old.profile AND model = old.model AND agent = old.agent;
END;
-- Rows that wait for Dolt. A row that changes again while it waits takes a new place; AUTOINCREMENT never gives a
-- place twice, so that acknowledging what was shipped cannot acknowledge what changed since.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tbl TEXT NOT NULL,
  row_id TEXT NOT NULL,
  UNIQUE (tbl, row_id)
);
CREATE TABLE sink_state (
  sink TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (sink, name)
) WITHOUT ROWID;
CREATE VIEW instance_view AS SELECT
  id, host, version, pid,
  strftime('%Y-%m-%dT%H:%M:%fZ', started_ms / 1000.0, 'unixepoch') AS started,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ms / 1000.0, 'unixepoch') AS ended,
  "end"
FROM instance;
CREATE VIEW terminal_view AS SELECT
  id, instance_id, name, command, cwd, agent,
  strftime('%Y-%m-%dT%H:%M:%fZ', opened_ms / 1000.0, 'unixepoch') AS opened,
  strftime('%Y-%m-%dT%H:%M:%fZ', exited_ms / 1000.0, 'unixepoch') AS exited,
  exit_code, exit_signal
FROM terminal;
CREATE VIEW event_view AS SELECT
  id, strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at,
  instance_id, kind, terminal_id, profile, "by", text, data
FROM event;
CREATE VIEW usage_view AS SELECT
  strftime('%Y-%m-%dT%H:00:00Z', hour_ms / 1000, 'unixepoch') AS hour,
  instance_id, profile, model, terminal_id, agent, requests, errors, rate_limited, tokens_in, tokens_out,
  cache_read, cache_write, cost_micros / 1000000.0 AS cost_usd, estimated
FROM usage_hour;
