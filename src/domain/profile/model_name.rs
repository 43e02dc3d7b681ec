//! Names of models: the vendor that a bare one belongs to, and patterns over them.

/// `OpenRouter`'s prefix for a bare model name (openrouter.ai/models).
pub(super) fn vendor_of(model: &str) -> Option<&'static str> {
    const VENDORS: [(&str, &str); 13] = [
        ("claude-", "anthropic"),
        ("gpt-", "openai"),
        ("chatgpt-", "openai"),
        ("codex-", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4", "openai"),
        ("gemini-", "google"),
        ("grok-", "x-ai"),
        ("deepseek-", "deepseek"),
        ("mistral-", "mistralai"),
        ("llama-", "meta-llama"),
        ("qwen", "qwen"),
    ];
    VENDORS
        .into_iter()
        .find_map(|(prefix, vendor)| model.starts_with(prefix).then_some(vendor))
}

/// Whether `text` has the shape of `pattern`, in which `*` stands for any run of characters.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    text.strip_prefix(head).is_some_and(|tail| {
        tail.char_indices()
            .map(|(at, _)| at)
            .chain([tail.len()])
            .any(|at| tail.get(at..).is_some_and(|tail| matches(rest, tail)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_whole_names_alone() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abcb", false),
            ("a*b*", "axxbyy", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
