//! The page and what it loads, held in the binary.

use std::sync::LazyLock;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http_body_util::Full;

use super::answer::{Answer, bare};
use super::auth::{hash, hex};

struct Asset {
    path: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

macro_rules! asset {
    ($path:literal, $kind:expr, $file:literal) => {
        Asset {
            path: $path,
            kind: $kind,
            content: include_bytes!(concat!("../../assets/", $file)),
        }
    };
}

static ASSETS: &[Asset] = &[
    asset!("/", HTML, "index.html"),
    asset!("/assets/icon.svg", IMAGE, "icon.svg"),
    asset!("/assets/page.css", STYLE, "page.css"),
    asset!("/assets/agents.js", SCRIPT, "agents.js"),
    asset!("/assets/api.js", SCRIPT, "api.js"),
    asset!("/assets/app.js", SCRIPT, "app.js"),
    asset!("/assets/journal.js", SCRIPT, "journal.js"),
    asset!("/assets/requests.js", SCRIPT, "requests.js"),
    asset!("/assets/keys.js", SCRIPT, "keys.js"),
    asset!("/assets/link.js", SCRIPT, "link.js"),
    asset!("/assets/list.js", SCRIPT, "list.js"),
    asset!("/assets/overview.js", SCRIPT, "overview.js"),
    asset!("/assets/preferences.js", SCRIPT, "preferences.js"),
    asset!("/assets/providers.js", SCRIPT, "providers.js"),
    asset!("/assets/push.js", SCRIPT, "push.js"),
    // At the root, since a worker serves what lies below it.
    asset!("/sw.js", SCRIPT, "sw.js"),
    asset!("/assets/dialogs.js", SCRIPT, "dialogs.js"),
    asset!("/assets/terminal.js", SCRIPT, "terminal.js"),
    asset!("/assets/touch.js", SCRIPT, "touch.js"),
    asset!("/assets/view.js", SCRIPT, "view.js"),
    asset!("/assets/wcwidth.js", SCRIPT, "wcwidth.js"),
    asset!("/assets/protocol.js", SCRIPT, "protocol.js"),
    asset!("/assets/vendor/LICENSE", TEXT, "vendor/LICENSE"),
    asset!("/assets/vendor/VERSIONS", TEXT, "vendor/VERSIONS"),
    asset!(
        "/assets/vendor/addon-fit.mjs",
        SCRIPT,
        "vendor/addon-fit.mjs"
    ),
    asset!(
        "/assets/vendor/addon-search.mjs",
        SCRIPT,
        "vendor/addon-search.mjs"
    ),
    asset!(
        "/assets/vendor/addon-web-links.mjs",
        SCRIPT,
        "vendor/addon-web-links.mjs"
    ),
    asset!("/assets/vendor/xterm.css", STYLE, "vendor/xterm.css"),
    asset!("/assets/vendor/xterm.mjs", SCRIPT, "vendor/xterm.mjs"),
];

/// One tag for each asset, in their order.
static TAGS: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| {
    let tag = |asset: &Asset| {
        let digest = hash(asset.content);
        let short = hex(digest.get(..12).unwrap_or_default());
        HeaderValue::from_str(&format!("\"{short}\"")).unwrap_or(HeaderValue::from_static("\"\""))
    };
    ASSETS.iter().map(tag).collect()
});

pub(super) fn exists(path: &str) -> bool {
    ASSETS.iter().any(|asset| asset.path == path)
}

/// Answers with an asset, or that the browser has it already.
pub(super) fn answer(path: &str, headers: &HeaderMap) -> Answer {
    let Some((asset, tag)) = ASSETS.iter().zip(TAGS.iter()).find(|(a, _)| a.path == path) else {
        return bare(StatusCode::NOT_FOUND);
    };
    let known = headers.get(header::IF_NONE_MATCH) == Some(tag);
    let mut answer = if known {
        bare(StatusCode::NOT_MODIFIED)
    } else {
        let mut answer = bare(StatusCode::OK);
        *answer.body_mut() = Full::new(Bytes::from_static(asset.content));
        answer
    };
    let headers = answer.headers_mut();
    if !known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    }
    headers.insert(header::ETAG, tag.clone());
    if asset.path != "/" {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
    }

    #[test]
    fn vendored_files_are_those_whose_checksums_are_kept() {
        let sums = fs::read_to_string(folder().join("vendor/SHA256SUMS")).unwrap();
        let mut checked = BTreeSet::new();
        for line in sums.lines() {
            let (sum, name) = line.split_once("  ").unwrap();
            let content = fs::read(folder().join("vendor").join(name)).unwrap();
            assert_eq!(hex(&hash(&content)), sum, "{name}");
            checked.insert(name.to_owned());
        }
        let code = fs::read_dir(folder().join("vendor")).unwrap().flatten();
        let code: BTreeSet<String> = code
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| {
                matches!(
                    Path::new(name)
                        .extension()
                        .and_then(std::ffi::OsStr::to_str),
                    Some("mjs" | "css")
                )
            })
            .collect();
        assert_eq!(checked, code);
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let served: BTreeSet<&[u8]> = ASSETS.iter().map(|asset| asset.content).collect();
        let files = fs::read_dir(folder()).unwrap().flatten();
        let of_the_page = |path: &Path| {
            let kind = path.extension().and_then(std::ffi::OsStr::to_str);
            matches!(kind, Some("html" | "js" | "css"))
        };
        for entry in files.filter(|entry| of_the_page(&entry.path())) {
            let content = fs::read(entry.path()).unwrap();
            assert!(
                served.contains(content.as_slice()),
                "{}",
                entry.path().display()
            );
        }
    }

    #[test]
    fn every_address_of_the_page_is_relative_to_it() {
        for asset in ASSETS
            .iter()
            .filter(|asset| !asset.path.contains("/vendor/"))
        {
            let text = std::str::from_utf8(asset.content).unwrap();
            for absolute in [
                "\"/assets",
                "\"/api",
                "`/api",
                "\"/ws",
                "/ws/terminal",
                "url(/",
            ] {
                let found = text.contains(absolute);
                assert!(!found, "{} holds {absolute}", asset.path);
            }
        }
    }

    #[test]
    fn nothing_is_asked_of_anywhere_else() {
        for asset in ASSETS
            .iter()
            .filter(|asset| !asset.path.contains("/vendor/"))
        {
            let text = std::str::from_utf8(asset.content).unwrap();
            let outside = text
                .match_indices("://")
                .map(|(at, _)| text.get(at..at + 24).unwrap_or_default())
                .find(|rest| !rest.starts_with("://www.w3.org/2000/svg"));
            assert_eq!(outside, None, "{}", asset.path);
        }
    }
}
