//! The known name that a mistyped one is nearest to.

/// Finds the candidate that differs from `given` by few enough single-character edits to be a likely slip.
#[must_use]
pub fn nearest<'a>(given: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let given = simplified(given);
    // A third of the letters wrong is a slip, more is another word.
    let limit = (given.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|candidate| {
            // A swapped pair of letters is one slip.
            let distance = strsim::osa_distance(&given, &simplified(candidate));
            (distance, *candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

fn simplified(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_finds_none() {
        let names = ["max_ptys", "scrollback_lines", "kill_grace"];
        assert_eq!(nearest("max_pty", &names), Some("max_ptys"));
        assert_eq!(nearest("max-ptys", &names), Some("max_ptys"));
        assert_eq!(nearest("amx_ptys", &names), Some("max_ptys"));
        assert_eq!(nearest("scrolback_line", &names), Some("scrollback_lines"));
        assert_eq!(nearest("colour", &names), None);
        assert_eq!(nearest("", &names), None);
    }
}
