//! What a key can do: every action with its name, where it is valid, its description and its default chords.

use std::fmt;

/// Where an action's chords are listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// After the prefix key.
    Prefix,
    /// In scroll and copy mode, while its search prompt is closed.
    Copy,
    /// In the panel of providers.
    Providers,
    /// In the views of the journal and of the log.
    Journal,
    /// In lists, menus and prompts; the chords here never take a character away from what is typed.
    Dialog,
}

impl Context {
    /// In the order in which help shows them.
    pub const ALL: [Self; 5] = [
        Self::Prefix,
        Self::Copy,
        Self::Providers,
        Self::Journal,
        Self::Dialog,
    ];

    /// A heading for help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Prefix => "after the prefix",
            Self::Copy => "scroll and copy mode",
            Self::Providers => "the provider panel",
            Self::Journal => "usage, history and the log",
            Self::Dialog => "lists and prompts",
        }
    }
}

/// Defines [`Action`] from one table, in the order in which help lists them.
macro_rules! actions {
    ($($context:ident { $($variant:ident $name:literal $text:literal $chords:literal;)* })*) => {
        /// Something a key can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $($(#[doc = $text] $variant,)*)*
        }

        impl Action {
            /// Every action in the order in which help lists them.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The name in `[keys]` and in the palette.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// What it does, in a few words.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $($(Self::$variant => $text,)*)* }
            }

            /// Where its keys are valid.
            #[must_use]
            pub const fn context(self) -> Context {
                match self { $($(Self::$variant => Context::$context,)*)* }
            }

            /// The chords it has without configuration, separated by spaces.
            #[must_use]
            pub const fn default_chords(self) -> &'static str {
                match self { $($(Self::$variant => $chords,)*)* }
            }
        }
    };
}

actions! {
    Prefix {
        NewPane "new-pane" "open a new pane in a tab of its own" "c";
        AgentOverview "agent-overview" "show all agents in one look" "v";
        LaunchAgent "launch-agent" "open a pane with an agent" "a";
        SplitRight "split-right" "split the pane, new one to the right" "| %";
        SplitDown "split-down" "split the pane, new one below" "- \"";
        FocusLeft "focus-left" "go to the pane on the left" "left h";
        FocusDown "focus-down" "go to the pane below" "down j";
        FocusUp "focus-up" "go to the pane above" "up k";
        FocusRight "focus-right" "go to the pane on the right" "right l";
        NextPane "next-pane" "go to the next pane of the tab" "o";
        LastPane "last-pane" "go back to the pane before this one" ";";
        NextWaiting "next-waiting" "go to the next pane that waits for you, or rang" "w";
        ZoomPane "zoom-pane" "show this pane alone, or all again" "z";
        KillPane "kill-pane" "end what runs in the pane" "x";
        RenamePane "rename-pane" "give the pane a name" ",";
        ResizeLeft "resize-left" "move the pane's border left" "H ctrl-left alt-left";
        ResizeDown "resize-down" "move the pane's border down" "J ctrl-down alt-down";
        ResizeUp "resize-up" "move the pane's border up" "K ctrl-up alt-up";
        ResizeRight "resize-right" "move the pane's border right" "R ctrl-right alt-right";
        EvenPanes "even-panes" "give all panes of the tab the same room" "= E";
        SwapPrevious "swap-previous" "swap the pane with the one before it" "{";
        SwapNext "swap-next" "swap the pane with the one after it" "}";
        BreakPane "break-pane" "move the pane to a tab of its own" "!";
        MovePane "move-pane" "move the pane to another tab" "@";
        NextTab "next-tab" "go to the next tab" "n";
        PreviousTab "previous-tab" "go to the previous tab" "p";
        LastTab "last-tab" "go back to the tab before this one" "tab";
        GoToTab "go-to-tab" "go to a tab by its number" "'";
        Tab1 "tab-1" "go to tab 1" "1";
        Tab2 "tab-2" "go to tab 2" "2";
        Tab3 "tab-3" "go to tab 3" "3";
        Tab4 "tab-4" "go to tab 4" "4";
        Tab5 "tab-5" "go to tab 5" "5";
        Tab6 "tab-6" "go to tab 6" "6";
        Tab7 "tab-7" "go to tab 7" "7";
        Tab8 "tab-8" "go to tab 8" "8";
        Tab9 "tab-9" "go to tab 9" "9";
        RenameTab "rename-tab" "give the tab a name" "T";
        MoveTabLeft "move-tab-left" "move the tab to the left" "<";
        MoveTabRight "move-tab-right" "move the tab to the right" ">";
        PaneList "pane-list" "list all panes" "s";
        CopyMode "copy-mode" "scroll and copy" "[ pageup";
        Search "search" "search the pane's history" "/";
        EditHistory "edit-history" "open the pane's history in an editor" "e";
        RunWaiting "run-waiting" "run again everything that waits to be" "none";
        PasteBuffer "paste-buffer" "paste what was copied last" "]";
        ProviderPanel "provider-panel" "show the providers" "P";
        Usage "usage" "show what was asked of whom, and what it cost" "U";
        History "history" "show what happened" "Y";
        Log "log" "show the log" "L";
        FailOver "fail-over" "send requests to the next provider" "f";
        RestartProvider "restart-provider" "start afresh with a provider" "r";
        BrowserAddress "browser-address" "show the address for a browser" "u";
        RunCommand "run-command" "run a command in a new pane" "$";
        Palette "palette" "find an action or a pane by typing" ":";
        MessageLog "message-log" "show past messages" "m";
        Explain "explain" "explain what went wrong last" "X";
        Doctor "doctor" "check everything that could be wrong" "D";
        ToggleSidebar "toggle-sidebar" "show or hide the list beside the panes" "b";
        ToggleProviders "toggle-providers" "show or hide the providers below the panes" "B";
        ToggleMouse "toggle-mouse" "turn the mouse on or off" "M";
        Redraw "redraw" "draw the whole screen again" "ctrl-l";
        Help "help" "show the keys" "?";
        Suspend "suspend" "suspend tundra to the shell" "ctrl-z";
        Detach "detach" "leave this terminal; all goes on" "d";
        Quit "quit" "end tundra and all that runs in it" "q";
    }
    Copy {
        CopyLeft "copy-left" "one column left" "h left";
        CopyDown "copy-down" "one line down" "j down ctrl-n";
        CopyUp "copy-up" "one line up" "k up ctrl-p";
        CopyRight "copy-right" "one column right" "l right";
        CopyWordForward "copy-word-forward" "to the next word" "w";
        CopyWordBack "copy-word-back" "to the word before" "b";
        CopyWordEnd "copy-word-end" "to the end of the word" "e";
        CopyLineStart "copy-line-start" "to the start of the line" "0 home";
        CopyLineText "copy-line-text" "to the first character of the line" "^";
        CopyLineEnd "copy-line-end" "to the end of the line" "$ end";
        CopyTop "copy-top" "to the oldest line" "g";
        CopyBottom "copy-bottom" "to the newest line" "G";
        CopyScreenTop "copy-screen-top" "to the top of the view" "H";
        CopyScreenMiddle "copy-screen-middle" "to the middle of the view" "M";
        CopyScreenBottom "copy-screen-bottom" "to the bottom of the view" "L";
        CopyHalfUp "copy-half-up" "half a page up" "ctrl-u";
        CopyHalfDown "copy-half-down" "half a page down" "ctrl-d";
        CopyPageUp "copy-page-up" "a page up" "ctrl-b pageup";
        CopyPageDown "copy-page-down" "a page down" "ctrl-f pagedown";
        CopyScrollUp "copy-scroll-up" "scroll one line up" "ctrl-y ctrl-up";
        CopyScrollDown "copy-scroll-down" "scroll one line down" "ctrl-e ctrl-down";
        CopySelect "copy-select" "begin or drop a selection" "v space";
        CopySelectLines "copy-select-lines" "select whole lines" "V";
        CopySelectBlock "copy-select-block" "select a block" "ctrl-v";
        CopyOtherEnd "copy-other-end" "go to the other end of the selection" "o";
        CopyYank "copy-yank" "copy the selection and leave" "y enter";
        CopySearchForward "copy-search-forward" "search downwards" "/";
        CopySearchBack "copy-search-back" "search upwards" "?";
        CopySearchNext "copy-search-next" "to the next match" "n";
        CopySearchPrevious "copy-search-previous" "to the match before" "N";
        CopyLeave "copy-leave" "drop the selection, or leave" "esc";
        CopyQuit "copy-quit" "leave scroll and copy mode" "q ctrl-c";
    }
    Providers {
        PanelNext "panel-next" "next provider, or a line down" "j down ctrl-n tab";
        PanelPrevious "panel-previous" "provider before, or a line up" "k up ctrl-p shift-tab";
        PanelPageDown "panel-page-down" "a page down" "pagedown";
        PanelPageUp "panel-page-up" "a page up" "pageup";
        PanelDetails "panel-details" "all about it, with its last attempts" "enter";
        PanelFailOver "panel-fail-over" "fail over from it" "f";
        PanelRestart "panel-restart" "start afresh: connections, key, breaker and its server" "r";
        PanelReset "panel-reset" "close its breaker, end its cooldown and hold" "R";
        PanelToggle "panel-toggle" "enable or disable it" "e";
        PanelPin "panel-pin" "prefer it, or no longer" "p";
        PanelOutput "panel-output" "what its server has written" "l";
        PanelBack "panel-back" "back, or close the panel" "esc q ctrl-c";
    }
    Journal {
        JournalNext "journal-next" "a line down" "j down ctrl-n";
        JournalPrevious "journal-previous" "a line up" "k up ctrl-p";
        JournalPageDown "journal-page-down" "a page down" "pagedown space";
        JournalPageUp "journal-page-up" "a page up" "pageup";
        JournalFirst "journal-first" "to the first line" "g home";
        JournalLast "journal-last" "to the last line" "G end";
        JournalSince "journal-since" "from another time on" "s";
        JournalBy "journal-by" "usage by something else" "b";
        JournalKind "journal-kind" "events of another kind" "e";
        JournalSwitch "journal-switch" "from usage to history, and back" "tab";
        LogLevel "log-level" "lines of another level and above" "l";
        LogTarget "log-target" "lines of a target" "t";
        LogText "log-text" "lines that hold a text" "/";
        JournalBack "journal-back" "close" "esc q ctrl-c";
    }
    Dialog {
        DialogAccept "dialog-accept" "take the choice" "enter";
        DialogCancel "dialog-cancel" "close without a choice" "esc ctrl-c";
        DialogNext "dialog-next" "next entry" "down ctrl-n tab";
        DialogPrevious "dialog-previous" "previous entry" "up ctrl-p shift-tab";
        DialogPageDown "dialog-page-down" "a page down" "pagedown";
        DialogPageUp "dialog-page-up" "a page up" "pageup";
        DialogFirst "dialog-first" "first entry" "ctrl-home";
        DialogLast "dialog-last" "last entry" "ctrl-end";
    }
}

impl Action {
    /// The action that the configuration calls `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.name() == name)
    }

    /// The tab it goes to, counted from 1, for `tab-1` to `tab-9`.
    #[must_use]
    pub const fn tab_number(self) -> Option<usize> {
        Some(match self {
            Self::Tab1 => 1,
            Self::Tab2 => 2,
            Self::Tab3 => 3,
            Self::Tab4 => 4,
            Self::Tab5 => 5,
            Self::Tab6 => 6,
            Self::Tab7 => 7,
            Self::Tab8 => 8,
            Self::Tab9 => 9,
            _ => return None,
        })
    }

    /// Whether the key may be struck again for a moment without another prefix, since one rarely does it only once.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(
            self,
            Self::ResizeLeft
                | Self::ResizeDown
                | Self::ResizeUp
                | Self::ResizeRight
                | Self::MoveTabLeft
                | Self::MoveTabRight
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_kebab_case_and_belongs_to_one_action() {
        let names: BTreeSet<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        assert_eq!(names.len(), Action::ALL.len());
        for name in names {
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{name}"
            );
            assert!(Action::named(name).is_some());
        }
        assert_eq!(Action::named("frobnicate"), None);
    }

    #[test]
    fn tabs_are_numbered_as_they_are_named() {
        for action in Action::ALL {
            let number = action
                .name()
                .strip_prefix("tab-")
                .and_then(|n| n.parse().ok());
            assert_eq!(action.tab_number(), number);
        }
    }

    #[test]
    fn each_context_has_its_heading() {
        assert_eq!(
            Context::ALL.map(Context::title),
            [
                "after the prefix",
                "scroll and copy mode",
                "the provider panel",
                "usage, history and the log",
                "lists and prompts"
            ]
        );
    }

    #[test]
    fn what_resizes_or_moves_tabs_repeats_and_nothing_else() {
        let repeating = Action::ALL.iter().filter(|action| action.repeats());
        let names: Vec<&str> = repeating.map(|action| action.name()).collect();
        assert_eq!(
            names,
            [
                "resize-left",
                "resize-down",
                "resize-up",
                "resize-right",
                "move-tab-left",
                "move-tab-right"
            ]
        );
    }
}
