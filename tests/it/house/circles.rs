//! Files of a room that import each other in a circle.
//!
//! An import is a `use` of a path or a path in the code, followed through re-exports to the file that has the item. What
//! a file re-exports and does not use itself is no import of it. Tests are left out: nothing imports them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A path of modules below the crate, such as `["pane", "pool"]`.
type Module = Vec<String>;

/// How many re-exports a path may go through.
const CHAIN: usize = 8;

#[derive(Debug)]
struct Source {
    place: String,
    uses: Vec<Use>,
    /// The words of the code outside of `use`, with `::` between those of one path.
    paths: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Use {
    exported: bool,
    path: Vec<String>,
    name: String,
}

/// The circles of one room, each with its files in order, without those that `aside` names.
pub fn circles(src: &Path, room: &str, aside: &[&str]) -> Vec<Vec<String>> {
    let sources = read(src, room, aside);
    let modules: Vec<&Module> = sources.keys().collect();
    let index = |module: &Module| modules.iter().position(|other| *other == module);
    let mut reaches = vec![vec![false; modules.len()]; modules.len()];
    for (from, (module, source)) in sources.iter().enumerate() {
        for target in imports(&sources, module, source) {
            if let Some(to) = index(&target).filter(|to| *to != from) {
                reaches[from][to] = true;
            }
        }
    }
    for through in 0..modules.len() {
        let beyond = reaches[through].clone();
        for row in &mut reaches {
            if row[through] {
                row.iter_mut().zip(&beyond).for_each(|(to, via)| *to |= via);
            }
        }
    }
    let mut circles = BTreeSet::new();
    for (from, row) in reaches.iter().enumerate() {
        let members = (0..modules.len()).filter(|to| row[*to] && reaches[*to][from]);
        let circle: Vec<String> = members
            .map(|member| sources[modules[member]].place.clone())
            .collect();
        if !circle.is_empty() {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

fn read(src: &Path, room: &str, aside: &[&str]) -> BTreeMap<Module, Source> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![src.join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                let place = path.strip_prefix(src).unwrap().display().to_string();
                if !aside.contains(&place.as_str()) {
                    let module = module_of(path.strip_prefix(src).unwrap());
                    sources.insert(module, parse(place, &fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    sources
}

fn module_of(path: &Path) -> Module {
    let path: PathBuf = path.with_extension("");
    let mut module: Module = path
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

fn parse(place: String, text: &str) -> Source {
    let mut code = String::new();
    for line in text.lines() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    let mut uses = Vec::new();
    let mut rest = String::new();
    let mut statement: Option<(bool, String)> = None;
    for line in code.lines() {
        let (exported, after) = after_use(line);
        match (&mut statement, after) {
            (Some((_, tree)), _) => tree.push_str(line),
            (None, Some(after)) => statement = Some((exported, after.to_owned())),
            // A file's name in its declaration is no use of an item of that name.
            (None, None) if line.trim_end().ends_with(';') && declares(line) => {}
            (None, None) => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        if let Some((exported, tree)) = statement.take_if(|(_, tree)| tree.contains(';')) {
            let tree: String = tree.chars().take_while(|c| *c != ';').collect();
            flatten(&[], &tree, exported, &mut uses);
        }
    }
    Source {
        place,
        uses,
        paths: paths(&rest),
    }
}

/// Whether a line that ends in a semicolon declares a module in a file of its own.
fn declares(line: &str) -> bool {
    line.split_whitespace().rev().nth(1) == Some("mod")
}

/// What follows `use` where the line begins one, and whether it is seen outside of the file.
fn after_use(line: &str) -> (bool, Option<&str>) {
    let line = line.trim_start();
    match line.strip_prefix("pub") {
        Some(rest) => {
            let rest = rest.trim_start();
            let rest = match rest.strip_prefix('(') {
                Some(scope) => scope.split_once(')').map_or("", |(_, rest)| rest),
                None => rest,
            };
            (true, rest.trim_start().strip_prefix("use "))
        }
        None => (false, line.strip_prefix("use ")),
    }
}

fn flatten(prefix: &[String], tree: &str, exported: bool, uses: &mut Vec<Use>) {
    let tree = tree.trim();
    if tree.is_empty() {
        return;
    }
    if let Some((head, inner)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(
            head.split("::")
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned),
        );
        let inner = inner.trim_end().trim_end_matches('}');
        // The outermost brace alone was to be taken off.
        let lost = inner.matches('{').count() - inner.matches('}').count();
        let inner = format!("{inner}{}", "}".repeat(lost));
        let mut depth = 0;
        let parts = inner.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        for part in parts {
            flatten(&prefix, part, exported, uses);
        }
        return;
    }
    let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
    let mut path: Vec<String> = prefix
        .iter()
        .cloned()
        .chain(path.split("::").map(|part| part.trim().to_owned()))
        .collect();
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = match alias.trim() {
        "" => path.last().cloned().unwrap_or_default(),
        alias => alias.to_owned(),
    };
    uses.push(Use {
        exported,
        path,
        name,
    });
}

fn paths(code: &str) -> BTreeSet<String> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .map(|word| word.trim_matches(':').to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

fn imports(
    sources: &BTreeMap<Module, Source>,
    module: &Module,
    source: &Source,
) -> BTreeSet<Module> {
    let words: BTreeSet<&str> = source
        .paths
        .iter()
        .flat_map(|path| path.split("::"))
        .collect();
    let used = source
        .uses
        .iter()
        .filter(|used| !used.exported || words.contains(used.name.as_str()))
        .map(|used| used.path.clone());
    let written = source
        .paths
        .iter()
        .filter(|path| path.contains("::"))
        .map(|path| path.split("::").map(str::to_owned).collect());
    used.chain(written)
        .filter_map(|path: Vec<String>| absolute(sources, module, &path))
        .filter_map(|path| resolve(sources, &path, CHAIN))
        .collect()
}

/// The path from the crate's root; None for what is not of this crate.
fn absolute(
    sources: &BTreeMap<Module, Source>,
    module: &Module,
    path: &[String],
) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        child => {
            base.push(child.to_owned());
            rest = &rest[1..];
            if !sources.contains_key(&base) {
                return None;
            }
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The file that has what the path names.
fn resolve(sources: &BTreeMap<Module, Source>, path: &[String], chain: usize) -> Option<Module> {
    let length = (1..=path.len())
        .rev()
        .find(|length| sources.contains_key(&path[..*length]))?;
    let module = path[..length].to_vec();
    let Some(name) = path.get(length).filter(|_| chain > 0) else {
        return Some(module);
    };
    let elsewhere = sources[&module]
        .uses
        .iter()
        .find(|used| used.name == *name)
        .and_then(|used| absolute(sources, &module, &used.path))
        .and_then(|path| resolve(sources, &path, chain - 1));
    Some(elsewhere.unwrap_or(module))
}
