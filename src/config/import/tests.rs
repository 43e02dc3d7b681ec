use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const PROFILES: &str = r#"{"profiles": [
  {"id": "1", "name": "anthropic-primary", "provider": "anthropic", "base_url": "https://api.anthropic.com",
   "api_key_env": "ANTHROPIC_API_KEY", "default_model": "claude-sonnet-4-20250514", "priority": 0, "enabled": true,
   "rate_limit_rpm": 50, "rate_limit_tpm": 0, "custom_headers": {"x-team": "a", "X-Api-Key": "sk-secret"}},
  {"name": "openrouter-backup", "provider": "OpenRouter", "api_key": "sk-or-secret", "priority": 1},
  {"name": "local-fallback", "priority": 2, "enabled": false, "api_key_env": "LOCAL_API_KEY"},
  {"name": "mine", "provider": "custom", "base_url": "http://localhost:8080"},
  {"name": "g", "provider": "google"}
]}"#;

const HARNESS: &str = r#"
[[profile]]
name = "anthropic-primary"
rate_limit_rpm = 45
rate_limit_tpm = 90000

[circuit_breaker]
failure_threshold = 5
success_threshold = 2
timeout_secs = 60

[rate_limit.global]
requests_per_minute = 100
"#;

#[test]
fn profiles_limits_breaker_and_use_are_taken_over_and_no_key_is() {
    let folder = self::folder(&[
        ("config/api_profiles.json", PROFILES),
        ("config/harness.toml", HARNESS),
        (
            "data/profile_usage.json",
            r#"[{"profile_id": "1", "total_requests": 12, "total_rate_limits": 3, "estimated_spend_usd": 1.5}]"#,
        ),
    ]);
    let import = import(folder.path(), "[gateway]\nmax_wait = \"5s\"\n").unwrap();
    assert_eq!(
        import.text,
        r#"
# Imported from the files of the predecessor.

[circuit_breaker]
failure_threshold = 5
success_threshold = 2
open_for = "60s"

# used so far: 12 requests, 0 errors, 3 rate limits, $1.50
[[profile]]
name = "anthropic-primary"
provider = "anthropic"
base_url = "https://api.anthropic.com"
api_key_env = "ANTHROPIC_API_KEY"
default_model = "claude-sonnet-4-20250514"
priority = 0
enabled = true
rate_limit_rpm = 45
rate_limit_tpm = 90000
headers = { "x-team" = "a" }

[[profile]]
name = "openrouter-backup"
provider = "openrouter"
priority = 1

[[profile]]
name = "local-fallback"
provider = "local"
priority = 2
enabled = false

[[profile]]
name = "mine"
provider = "local"
dialect = ["chat"]
base_url = "http://localhost:8080"
"#
    );
    assert_eq!(
        import.profiles,
        [
            "anthropic-primary",
            "openrouter-backup",
            "local-fallback",
            "mine"
        ]
    );
    assert!(!import.text.contains("secret"));
    assert_eq!(
        import.remarks,
        [
            "harness.toml: [rate_limit] has no counterpart: limits belong to profiles",
            "profile anthropic-primary: the header X-Api-Key may hold a secret and was not copied",
            "profile openrouter-backup: its key was not copied; set it in a variable",
            "profile local-fallback: no provider was given, local is taken from its name",
            "profile g was left out: there is no provider \"google\" here",
        ]
    );
}

#[test]
fn a_name_that_exists_is_refused() {
    let folder = self::folder(&[("api_profiles.json", PROFILES)]);
    let present = "[[profile]]\nname = \"mine\"\nprovider = \"local\"\n";
    let error = import(folder.path(), present).unwrap_err();
    assert_eq!(
        error.to_string(),
        "these profiles are configured already: mine; rename or remove them first"
    );
}

#[test]
fn what_is_missing_or_broken_is_named() {
    let empty = folder(&[("other", "")]);
    assert!(matches!(
        import(empty.path(), ""),
        Err(ImportError::Nothing(_))
    ));
    let broken = folder(&[("api_profiles.json", "{")]);
    let error = import(broken.path(), "").unwrap_err().to_string();
    assert!(error.contains("api_profiles.json: EOF"), "{error}");
    let wrong = folder(&[(
        "api_profiles.json",
        r#"[{"name": "a", "provider": "openai", "base_url": "nowhere"}]"#,
    )]);
    let error = import(wrong.path(), "").unwrap_err().to_string();
    assert!(
        error.contains("profile[0].base_url: must be an address"),
        "{error}"
    );
}

#[test]
fn only_files_of_a_bounded_size_are_read() {
    let folder = self::folder(&[("harness.toml", "")]);
    let pipe = folder.path().join("api_profiles.json");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let error = import(folder.path(), "").unwrap_err().to_string();
    assert!(error.ends_with("it is no file"), "{error}");
    fs::remove_file(&pipe).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &pipe).unwrap();
    let error = import(folder.path(), "").unwrap_err().to_string();
    assert!(error.ends_with("it is no file"), "{error}");
    fs::remove_file(&pipe).unwrap();
    fs::write(&pipe, " ".repeat((4 << 20) + 1)).unwrap();
    let error = import(folder.path(), "").unwrap_err().to_string();
    assert!(error.ends_with("it is larger than 4MiB"), "{error}");
}

#[test]
fn a_strange_variable_and_an_address_in_the_clear_are_doubtful() {
    let profile = |url: &str, variable: &str| {
        format!(
            r#"[{{"name": "x", "provider": "openai", "base_url": "{url}", "api_key_env": "{variable}"}}]"#
        )
    };
    let doubts = |url: &str, variable: &str| {
        let text = profile(url, variable);
        let folder = self::folder(&[("api_profiles.json", text.as_str())]);
        import(folder.path(), "").unwrap().doubts
    };
    assert_eq!(doubts("https://proxy.example", "OPENAI_API_KEY"), [""; 0]);
    assert_eq!(doubts("http://127.0.0.1:8080", "OPENAI_API_KEY"), [""; 0]);
    assert_eq!(doubts("http://[::1]:8080", "OPENAI_API_KEY"), [""; 0]);
    assert_eq!(
        doubts("https://evil.example", "AWS_SECRET_ACCESS_KEY"),
        [
            "profile x: the value of AWS_SECRET_ACCESS_KEY, a variable of no known provider, would be sent to \
             https://evil.example"
        ]
    );
    assert_eq!(
        doubts("http://localhost.evil.example", "OPENAI_API_KEY"),
        [
            "profile x: http://localhost.evil.example is in the clear: key and prompts can be read on the way"
        ]
    );
}
