//! Rows as statements that may be carried out twice.

use mysql_async::Value;
use rusqlite::types::Value as Kept;

use super::connect::quoted;
use crate::store::outbox::{Row, Table};

/// The statements that write these rows: a row that is there is brought up to date, so that one that arrives twice
/// arrives once.
#[must_use]
pub(super) fn statements(rows: &[Row], most_bytes: usize) -> Vec<String> {
    let mut statements = Vec::new();
    for table in Table::ALL {
        let mut open: Option<String> = None;
        for row in rows.iter().filter(|row| row.table == table) {
            let values = literal(row);
            match &mut open {
                Some(statement) if statement.len() + values.len() < most_bytes => {
                    statement.push_str(", ");
                    statement.push_str(&values);
                }
                _ => {
                    statements.extend(open.take().map(|statement| statement + &update(table)));
                    open = Some(format!("{}{values}", insert(table)));
                }
            }
        }
        statements.extend(open.map(|statement| statement + &update(table)));
    }
    statements
}

fn insert(table: Table) -> String {
    let columns: Vec<String> = table.columns().iter().map(|name| quoted(name)).collect();
    format!(
        "INSERT INTO {} ({}) VALUES ",
        table.name(),
        columns.join(", ")
    )
}

fn update(table: Table) -> String {
    let updates: Vec<String> = table
        .columns()
        .iter()
        .filter(|column| !table.key().contains(column))
        .map(|column| {
            let column = quoted(column);
            format!("{column} = VALUES({column})")
        })
        .collect();
    format!(" ON DUPLICATE KEY UPDATE {}", updates.join(", "))
}

fn literal(row: &Row) -> String {
    let columns = row.table.columns().iter().zip(&row.values);
    let values: Vec<String> = columns
        .map(|(column, value)| {
            let value = match value {
                Kept::Null => Value::NULL,
                Kept::Integer(number) => Value::Int(*number),
                Kept::Real(number) => Value::Double(*number),
                Kept::Text(text) => Value::Bytes(clipped(text, longest(column)).into()),
                Kept::Blob(bytes) => Value::Bytes(bytes.clone()),
            };
            value.as_sql(false)
        })
        .collect();
    format!("({})", values.join(", "))
}

/// Characters that a column of the copy holds; a longer text would be refused for ever.
fn longest(column: &str) -> usize {
    match column {
        "id" | "instance_id" | "terminal_id" => 36,
        "version" | "end" | "agent" | "kind" | "by" => 64,
        "host" | "name" | "profile" | "model" => 255,
        _ => usize::MAX,
    }
}

fn clipped(text: &str, longest: usize) -> &str {
    match text.char_indices().nth(longest) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str, version: &str) -> Row {
        let text = |text: &str| Kept::Text(text.to_owned());
        Row {
            table: Table::Instance,
            values: vec![
                text(id),
                text("it's"),
                text(version),
                Kept::Integer(7),
                Kept::Integer(1),
                Kept::Null,
                text(""),
            ],
        }
    }

    #[test]
    fn rows_of_one_table_are_one_statement_that_may_be_repeated() {
        let statements = statements(&[instance("a", "1"), instance("b", "2")], 10_000);
        assert_eq!(
            statements,
            [
                "INSERT INTO instance (`id`, `host`, `version`, `pid`, `started_ms`, `ended_ms`, `end`) VALUES \
              ('a', 'it\\'s', '1', 7, 1, NULL, ''), ('b', 'it\\'s', '2', 7, 1, NULL, '') ON DUPLICATE KEY UPDATE \
              `host` = VALUES(`host`), `version` = VALUES(`version`), `pid` = VALUES(`pid`), \
              `started_ms` = VALUES(`started_ms`), `ended_ms` = VALUES(`ended_ms`), `end` = VALUES(`end`)"
            ]
        );
    }

    #[test]
    fn a_statement_does_not_grow_past_its_bytes_and_no_text_past_its_column() {
        let long = "é".repeat(70);
        let statements = statements(&[instance("a", &long), instance("b", "2")], 10);
        assert_eq!(statements.len(), 2);
        assert!(statements[0].contains(&format!("'{}'", "é".repeat(64))));
    }
}
