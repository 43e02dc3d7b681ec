//! What the settings mean for a front end.

use crate::config::Settings;
use crate::tui::model::{Options, OuterNotify};
use crate::tui::outer::Environment;
use crate::tui::theme::Theme;

pub(super) fn options_of(settings: &Settings) -> Options {
    Options {
        keymap: settings.keymap.clone(),
        shell: settings.general.shell_command(),
        mouse: settings.general.mouse,
        warn_at: settings.pty.warn_at,
        notify: OuterNotify {
            bell: settings.notify.bell,
            osc: settings.notify.osc,
        },
        zone: None,
    }
}

/// The theme for a terminal; `is_light` is what it answered about its background.
pub(super) fn theme_of(
    settings: &Settings,
    environment: &Environment,
    is_light: Option<bool>,
) -> Theme {
    let general = &settings.general;
    Theme::detect(general.theme, general.unicode, environment, is_light)
}
