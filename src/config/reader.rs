//! Reads typed values out of a parsed TOML document and collects every fault with its line.
//!
//! A serde type would stop at the first fault; this walk goes on, so that all of them are told at once.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Fault;
use super::units::{parse_duration, parse_size, show_duration};
use crate::domain::nearest::nearest;

/// The faults found so far in one document.
pub(super) struct Faults<'d> {
    file: &'d str,
    text: &'d str,
    list: RefCell<Vec<(usize, Fault)>>,
}

impl<'d> Faults<'d> {
    pub(super) fn new(file: &'d str, text: &'d str) -> Self {
        Self {
            file,
            text,
            list: RefCell::default(),
        }
    }

    /// Notes a fault at a byte offset of the document.
    pub(super) fn push(&self, offset: usize, key: &str, message: String) {
        let fault = Fault {
            file: self.file.to_owned(),
            line: self.line(offset),
            key: key.to_owned(),
            message,
        };
        self.list.borrow_mut().push((offset, fault));
    }

    /// The line, counted from 1, that holds a byte offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    /// All faults in the order of the document.
    pub(super) fn into_sorted(self) -> Vec<Fault> {
        let mut list = self.list.into_inner();
        list.sort_by_key(|(offset, _)| *offset);
        list.into_iter().map(|(_, fault)| fault).collect()
    }
}

/// A table whose keys are read one by one; what nobody asked for is unknown.
pub(super) struct Table<'d> {
    path: String,
    entries: &'d DeTable<'d>,
    asked: Vec<&'static str>,
    faults: &'d Faults<'d>,
}

impl<'d> Table<'d> {
    pub(super) fn root(table: &'d DeTable<'d>, faults: &'d Faults<'d>) -> Self {
        Self {
            path: String::new(),
            entries: table,
            asked: Vec::new(),
            faults,
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn item(&mut self, key: &'static str) -> Option<Item<'d>> {
        self.asked.push(key);
        self.items().find(|item| item.key == key)
    }

    /// Puts the value of a key into `slot`; a missing or a faulty one leaves it as it is.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        slot: &mut T,
        parse: impl FnOnce(&Item<'d>) -> Option<T>,
    ) {
        if let Some(value) = self.item(key).as_ref().and_then(parse) {
            *slot = value;
        }
    }

    /// Walks a section, where it is there, and then refuses its unknown keys.
    pub(super) fn section(&mut self, key: &'static str, read: impl FnOnce(&mut Table<'d>)) {
        if let Some(mut table) = self.item(key).as_ref().and_then(Item::table) {
            read(&mut table);
            table.refuse_unknown();
        }
    }

    /// Every entry, known or not.
    pub(super) fn items(&self) -> impl Iterator<Item = Item<'d>> + use<'d, '_> {
        self.entries.iter().map(|(key, value)| Item {
            key: key.get_ref().as_ref(),
            key_offset: key.span().start,
            path: if self.path.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{}.{}", self.path, key.get_ref())
            },
            value,
            faults: self.faults,
        })
    }

    /// Notes a fault for every key that was never asked for.
    pub(super) fn refuse_unknown(&self) {
        for item in self.items() {
            if self.asked.contains(&item.key) {
                continue;
            }
            let message = match nearest(item.key, &self.asked) {
                Some(known) => format!("unknown key, did you mean {known}?"),
                None => format!("unknown key, valid here: {}", self.asked.join(", ")),
            };
            self.faults.push(item.key_offset, &item.path, message);
        }
    }
}

/// One value of the document and where it stands.
pub(super) struct Item<'d> {
    pub(super) key: &'d str,
    key_offset: usize,
    path: String,
    value: &'d Spanned<DeValue<'d>>,
    faults: &'d Faults<'d>,
}

impl<'d> Item<'d> {
    /// Notes a fault at this value. Always none, so that a parser can end with it.
    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Option<T> {
        let offset = match self.value.get_ref() {
            // A table's span is its header's or its body's; the key is what the reader looks for.
            DeValue::Table(_) => self.key_offset,
            _ => self.value.span().start,
        };
        self.faults.push(offset, &self.path, message.into());
        None
    }

    /// Notes that this table lacks a key. Always none.
    pub(super) fn missing<T>(&self, key: &str, message: &str) -> Option<T> {
        let path = format!("{}.{key}", self.path);
        self.faults.push(self.key_offset, &path, message.to_owned());
        None
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.fault(format!("must be {wanted}, not {found}"))
    }

    pub(super) fn table(&self) -> Option<Table<'d>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Table {
                path: self.path.clone(),
                entries: table,
                asked: Vec::new(),
                faults: self.faults,
            }),
            // One of several, which stand below their common name.
            _ if self.path.ends_with(']') => {
                self.wrong_type(&format!("a table: write [[{}]]", self.key))
            }
            _ => self.wrong_type(&format!("a table: write [{}]", self.path)),
        }
    }

    /// The entries of an array, each with its index in its path.
    pub(super) fn elements(&self, wanted: &str) -> Option<Vec<Item<'d>>> {
        let DeValue::Array(array) = self.value.get_ref() else {
            return self.wrong_type(wanted);
        };
        let element = |(index, value): (usize, &'d Spanned<DeValue<'d>>)| Item {
            key: self.key,
            key_offset: value.span().start,
            path: format!("{}[{index}]", self.path),
            value,
            faults: self.faults,
        };
        Some(array.iter().enumerate().map(element).collect())
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("true or false"),
        }
    }

    pub(super) fn string(&self) -> Option<&'d str> {
        match self.value.get_ref() {
            DeValue::String(value) => Some(value.as_ref()),
            _ => self.wrong_type("a string"),
        }
    }

    pub(super) fn is_string(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    /// A whole number within a range.
    pub(super) fn integer<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Option<T> {
        let DeValue::Integer(value) = self.value.get_ref() else {
            return self.wrong_type("a whole number");
        };
        let number = i64::from_str_radix(value.as_str(), value.radix()).unwrap_or_else(|_| {
            // Only the sign matters for which bound is told.
            if value.as_str().starts_with('-') {
                i64::MIN
            } else {
                i64::MAX
            }
        });
        if number < *range.start() {
            return self.fault(format!("must be at least {}", range.start()));
        }
        if number > *range.end() {
            return self.fault(format!("must be at most {}", range.end()));
        }
        T::try_from(number).ok()
    }

    /// A number; a whole one will do.
    pub(super) fn number(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Float(value) => value.as_str().parse().ok(),
            DeValue::Integer(value) if value.radix() == 10 => value.as_str().parse().ok(),
            _ => self.wrong_type("a number"),
        }
    }

    pub(super) fn duration(&self, max: Duration) -> Option<Duration> {
        let wanted = "a duration with its unit, such as \"500ms\", \"30s\" or \"5m\"";
        if !self.is_string() {
            return self.wrong_type(wanted);
        }
        match parse_duration(self.string()?) {
            Some(duration) if duration <= max => Some(duration),
            Some(_) => self.fault(format!("must be at most {}", show_duration(max))),
            None => self.fault(format!("must be {wanted}")),
        }
    }

    /// A number of bytes within a range.
    pub(super) fn size(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let wanted = "a size with its unit, such as \"10MiB\"";
        if !self.is_string() {
            return self.wrong_type(wanted);
        }
        match parse_size(self.string()?) {
            Some(size) if size < *range.start() => {
                self.fault(format!("must be at least {}", show_size(*range.start())))
            }
            Some(size) if size > *range.end() => {
                self.fault(format!("must be at most {}", show_size(*range.end())))
            }
            Some(size) => Some(size),
            None => self.fault(format!("must be {wanted}")),
        }
    }

    /// One of some names.
    pub(super) fn one_of<T: Clone>(&self, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<String> = choices
            .iter()
            .map(|(name, _)| format!("{name:?}"))
            .collect();
        let wanted = match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        if !self.is_string() {
            return self.wrong_type(&wanted);
        }
        let given = self.string()?;
        match choices.iter().find(|(name, _)| *name == given) {
            Some((_, choice)) => Some(choice.clone()),
            None => self.fault(format!("must be {wanted}")),
        }
    }
}

fn show_size(bytes: u64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if bytes >> shift > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}B")
}
