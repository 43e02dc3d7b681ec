//! The user's shell, and command lines as people write them in a file.

use std::env;
use std::fs;
use std::path::Path;

/// The shell of a user who configured none: `$SHELL`, else the account's, else `/bin/sh`.
pub(super) fn user_shell() -> String {
    let usable = |shell: &String| Path::new(shell).is_absolute() && Path::new(shell).exists();
    env::var("SHELL")
        .ok()
        .filter(usable)
        .or_else(|| account_shell().filter(usable))
        .unwrap_or_else(|| "/bin/sh".to_owned())
}

fn account_shell() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    shell_of(&accounts, &uid).map(str::to_owned)
}

/// The last of the seven fields of passwd(5).
fn shell_of<'a>(accounts: &'a str, uid: &str) -> Option<&'a str> {
    accounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [_, _, id, _, _, _, shell] if *id == uid && !shell.is_empty() => Some(*shell),
            _ => None,
        }
    })
}

/// Splits a command line of plain and quoted words as a shell does (POSIX, 2.2); None where it holds anything that only a
/// shell understands.
pub(super) fn plain_words(line: &str) -> Option<Vec<String>> {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let (text, after) = chars.as_str().split_once(c)?;
                if c == '"' && text.contains(['$', '`', '\\', '!']) {
                    return None;
                }
                word.get_or_insert_default().push_str(text);
                chars = after.chars();
            }
            c if plain(c) => word.get_or_insert_default().push(c),
            _ => return None,
        }
    }
    words.extend(word);
    let program = words.first()?;
    (!program.is_empty() && !program.contains('=')).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accounts_shell_is_found_by_user_id() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/usr/bin/fish\nbroken\n";
        assert_eq!(shell_of(accounts, "1000"), Some("/usr/bin/fish"));
        assert_eq!(shell_of(accounts, "1"), None);
    }

    #[test]
    fn only_plain_words_are_split() {
        assert_eq!(
            plain_words("npm run dev:web"),
            Some(vec![
                "npm".to_owned(),
                "run".to_owned(),
                "dev:web".to_owned()
            ])
        );
        let quoted = plain_words("claude  --say 'a \\ \"b\" $c' \"it's\" pre'x y'post ''");
        assert_eq!(
            quoted.unwrap(),
            ["claude", "--say", "a \\ \"b\" $c", "it's", "prex ypost", ""]
        );
        for line in [
            "a && b",
            "echo $HOME",
            "echo \"$HOME\"",
            "echo \"a\\\"b\"",
            "echo 'a b",
            "'' b",
            "a 'b c' | d",
            "a\nb",
            "X=1 make",
            "~/bin/x",
            "",
        ] {
            assert_eq!(plain_words(line), None, "{line:?}");
        }
    }
}
