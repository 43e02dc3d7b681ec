//! The address for a browser, whole at any width: what does not fit into a line goes on in the next.

use ratatui::buffer::Buffer;

use super::text::{Line, wrap};
use crate::domain::layout::Rect;
use crate::tui::client::Address;
use crate::tui::model::Model;
use crate::tui::theme::Role;

pub(super) fn draw(model: &Model, address: &Address, inner: Rect, buffer: &mut Buffer) {
    let lines = lines(address, inner.width);
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let shown = lines.iter().skip(address.scroll.min(last));
    for (row, (text, role)) in (0..inner.height).zip(shown) {
        Line::new(buffer, inner, row).put(text, model.client.theme.style(*role));
    }
}

/// Lines at a width.
pub(super) fn count(address: &Address, width: u16) -> usize {
    lines(address, width).len()
}

fn lines(address: &Address, width: u16) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    for (text, role) in paragraphs(address) {
        let wrapped = wrap(&text, width, usize::MAX, "");
        lines.extend(wrapped.into_iter().map(|line| (line, role)));
    }
    lines
}

fn paragraphs(address: &Address) -> Vec<(String, Role)> {
    let given = match &address.result {
        Ok(given) => given,
        Err(why) => return vec![(why.clone(), Role::Warning)],
    };
    let shows = match &address.pane {
        Some(pane) => format!("Open it in a browser: it shows {pane}."),
        None => "Open it in a browser: it lists the panes.".to_owned(),
    };
    let good_for = given.good_for.as_secs() / 60;
    let mut paragraphs = vec![
        (given.url.clone(), Role::Key),
        (String::new(), Role::Text),
        (
            format!("{shows} Good for one login within {good_for} minutes."),
            Role::Text,
        ),
        (
            "Copied to the clipboard (OSC 52), if your terminal allows it; `tundra url` prints one in a line.".to_owned(),
            Role::Text,
        ),
    ];
    if let Some(fingerprint) = &given.fingerprint {
        paragraphs.extend([
            (String::new(), Role::Text),
            (
                "The certificate is self-signed, so that the browser asks. Compare its fingerprint:"
                    .to_owned(),
                Role::Warning,
            ),
            (fingerprint.clone(), Role::Text),
        ]);
    }
    paragraphs
}
