CREATE TABLE instance (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  host VARCHAR(255) NOT NULL,
  version VARCHAR(64) NOT NULL,
  pid BIGINT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT,
  `end` VARCHAR(64) NOT NULL DEFAULT ''
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE terminal (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  instance_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(255) NOT NULL,
  command LONGTEXT NOT NULL,
  cwd LONGTEXT NOT NULL,
  agent VARCHAR(64) NOT NULL DEFAULT '',
  opened_ms BIGINT NOT NULL,
  exited_ms BIGINT,
  exit_code BIGINT,
  exit_signal BIGINT
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE event (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  instance_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(64) NOT NULL,
  terminal_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  profile VARCHAR(255) NOT NULL DEFAULT '',
  `by` VARCHAR(64) NOT NULL DEFAULT '',
  text LONGTEXT NOT NULL,
  data LONGTEXT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE usage_hour (
  hour_ms BIGINT NOT NULL,
  instance_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  profile VARCHAR(255) NOT NULL,
  model VARCHAR(255) NOT NULL,
  terminal_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  agent VARCHAR(64) NOT NULL DEFAULT '',
  requests BIGINT NOT NULL DEFAULT 0,
  errors BIGINT NOT NULL DEFAULT 0,
  rate_limited BIGINT NOT NULL DEFAULT 0,
  tokens_in BIGINT NOT NULL DEFAULT 0,
  tokens_out BIGINT NOT NULL DEFAULT 0,
  cache_read BIGINT NOT NULL DEFAULT 0,
  cache_write BIGINT NOT NULL DEFAULT 0,
  cost_micros BIGINT,
  estimated BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (hour_ms, instance_id, profile, model, terminal_id, agent)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE VIEW instance_view AS SELECT
  id, host, version, pid,
  from_unixtime(started_ms / 1000) AS started,
  from_unixtime(ended_ms / 1000) AS ended,
  `end`
FROM instance;
CREATE VIEW terminal_view AS SELECT
  id, instance_id, name, command, cwd, agent,
  from_unixtime(opened_ms / 1000) AS opened,
  from_unixtime(exited_ms / 1000) AS exited,
  exit_code, exit_signal
FROM terminal;
CREATE VIEW event_view AS SELECT
  id, from_unixtime(at_ms / 1000) AS at,
  instance_id, kind, terminal_id, profile, `by`, text, data
FROM event;
CREATE VIEW usage_view AS SELECT
  from_unixtime(hour_ms / 1000) AS hour,
  instance_id, profile, model, terminal_id, agent, requests, errors, rate_limited, tokens_in, tokens_out,
  cache_read, cache_write, cost_micros / 1000000 AS cost_usd, estimated
FROM usage_hour
