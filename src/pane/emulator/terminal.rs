//! Carries out what the parser tells: text and sequences to the screen, modes here, queries to `replies`.

use std::sync::Arc;

use super::feedback::{EmulatorEvent, Feedback};
use super::history::History;
use super::modes::Modes;
use super::osc::{self, Command};
use super::params::{Params, Sequence};
use super::parser::{Parser, Sink};
use super::replies::Replies;
use super::screen::Screen;
use super::state::State;
use crate::domain::screen::{Cursor, InputModes, ScreenSnapshot};
use crate::domain::size::Size;
use crate::pane::backdrop::SharedBackdrop;

/// How many titles a program may save.
const TITLE_STACK: usize = 16;
/// Longest notification put together from parts, in bytes.
const NOTIFICATION_BYTES: usize = 4000;

pub(super) struct Terminal {
    parser: Parser,
    state: State,
}

impl Terminal {
    pub fn new(size: Size, history: History) -> Self {
        Self {
            parser: Parser::new(),
            state: State::new(size, history),
        }
    }

    pub fn feed(&mut self, bytes: &[u8], feedback: &mut Feedback) {
        let mut performer = Performer {
            state: &mut self.state,
            feedback,
        };
        self.parser.advance(bytes, &mut performer);
    }

    pub fn screen(&self) -> &Screen {
        &self.state.screen
    }

    pub fn screen_mut(&mut self) -> &mut Screen {
        &mut self.state.screen
    }

    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    pub fn modes(&self) -> &Modes {
        &self.state.modes
    }

    /// The screen now; rows equal to those of `previous` are shared with it.
    pub fn snapshot(&mut self, previous: Option<&ScreenSnapshot>) -> ScreenSnapshot {
        let input = self.input_modes();
        let State {
            screen,
            modes,
            title,
            ..
        } = &mut self.state;
        let rows = screen.rows(previous.map_or(&[], |previous| &previous.rows));
        let (row, col) = screen.position();
        let (history_start, top, _) = screen.extent();
        ScreenSnapshot {
            size: screen.size(),
            rows,
            cursor: Cursor {
                row,
                col,
                visible: modes.cursor_visible,
                shape: modes.cursor_shape,
                blinking: modes.cursor_blinking,
            },
            title: Arc::clone(title),
            alternate_screen: screen.is_alternate(),
            reverse: modes.reverse,
            modes: input,
            history_start,
            top,
            rewraps: screen.rewraps().count(),
        }
    }

    pub fn backdrop(&self) -> &SharedBackdrop {
        self.state.palette.backdrop()
    }

    pub fn set_backdrop(&mut self, backdrop: SharedBackdrop) {
        self.state.palette.set_backdrop(backdrop);
    }

    pub fn title(&self) -> &Arc<str> {
        &self.state.title
    }

    /// The titles that the program saved, the oldest first.
    pub fn titles(&self) -> &[Arc<str>] {
        &self.state.titles
    }

    /// The modes that the program saved (XTSAVE).
    pub fn saved_modes(&self) -> &[(u16, bool)] {
        &self.state.saved_modes
    }

    /// Appends the beginning of a sequence or character whose rest has not come.
    pub fn write_unfinished(&self, out: &mut Vec<u8>) {
        self.parser.write_unfinished(out);
    }

    pub fn input_modes(&self) -> InputModes {
        let screen = &self.state.screen;
        self.state
            .modes
            .input(screen.is_alternate(), screen.placing().newline)
    }
}

/// The state while a chunk is read, and where its answers and events go.
struct Performer<'a> {
    state: &'a mut State,
    feedback: &'a mut Feedback,
}

impl Performer<'_> {
    fn replies(&mut self) -> Replies<'_> {
        Replies::new(&mut self.feedback.replies)
    }

    fn set_title(&mut self, title: Arc<str>) {
        if self.state.title != title {
            self.feedback.tell(EmulatorEvent::Title(title.to_string()));
            self.state.title = title;
        }
    }

    fn window_operation(&mut self, params: &Params) {
        match params.get(0) {
            22 if params.get(1) != 1 => {
                if self.state.titles.len() >= TITLE_STACK {
                    self.state.titles.remove(0);
                }
                self.state.titles.push(Arc::clone(&self.state.title));
            }
            23 if params.get(1) != 1 => {
                if let Some(title) = self.state.titles.pop() {
                    self.set_title(title);
                }
            }
            request => {
                let size = self.state.screen.size();
                self.replies().window(request, size);
            }
        }
    }

    fn command(&mut self, command: Command, bell: bool) {
        let palette = &mut self.state.palette;
        match command {
            Command::Title(title) => self.set_title(Arc::from(title)),
            Command::WorkingDirectory(path) => {
                self.feedback.tell(EmulatorEvent::WorkingDirectory(path));
            }
            Command::Link(target) => self.state.screen.set_link(target.map(Arc::from)),
            Command::Notification(text) => {
                let text = self.joined_notification(&text);
                self.state.notification.clear();
                if !text.is_empty() {
                    self.feedback.tell(EmulatorEvent::Notification(text));
                }
            }
            Command::NotificationPart(text) => {
                self.state.notification = self.joined_notification(&text);
            }
            Command::Progress(state) => self.feedback.tell(EmulatorEvent::Progress(state)),
            Command::Clipboard(text) => self.feedback.tell(EmulatorEvent::Clipboard(text)),
            Command::PromptMark(letter) => self.feedback.tell(EmulatorEvent::PromptMark(letter)),
            Command::SetColor(slot, color) => palette.set(slot, color),
            Command::AskColor(slot) => {
                let color = palette.get(slot);
                self.replies().color(slot, color, bell);
            }
            Command::ResetColor(slot) => palette.reset(slot),
            Command::ResetPalette => palette.reset_indexed(),
        }
    }

    fn joined_notification(&self, text: &str) -> String {
        let so_far = &self.state.notification;
        if so_far.is_empty() || so_far.len() > NOTIFICATION_BYTES {
            return text.to_owned();
        }
        format!("{so_far} {text}")
    }

    fn private_sequence(&mut self, sequence: &Sequence) {
        let params = &sequence.params;
        let alternate = self.state.screen.is_alternate();
        match (sequence.private, sequence.intermediate, sequence.last) {
            (b'?', 0, b'h' | b'l') => {
                for group in params.groups() {
                    self.state.set_private_mode(group[0], sequence.last == b'h');
                }
            }
            (b'?', 0, b's') => self.state.save_modes(params),
            (b'?', 0, b'r') => self.state.restore_modes(params),
            (b'?', 0, b'J') if params.get(0) < 3 => {
                self.state.screen.edit().erase_screen(params.get(0), true);
            }
            (b'?', 0, b'K') if params.get(0) < 3 => {
                self.state.screen.edit().erase_line(params.get(0), true);
            }
            (b'?', 0, b'W') if params.get(0) == 5 => self.state.screen.tabs.reset(),
            (b'?', 0, b'n') if params.get(0) == 996 => {
                let is_light = self.state.palette.is_light();
                self.replies().color_scheme(is_light);
            }
            (b'?', 0, b'n') => {
                Replies::new(&mut self.feedback.replies).status(
                    params.get(0),
                    true,
                    &self.state.screen,
                );
            }
            (b'?', b'$', b'p') => {
                let state = self.state.private_mode(params.get(0)).code();
                self.replies().mode(params.get(0), true, state);
            }
            (b'?', 0, b'u') => {
                let flags = self.state.modes.keyboard_flags(alternate);
                self.replies().keyboard_flags(flags);
            }
            (b'?', 0, b'm') if params.get(0) == 4 => {
                let level = self.state.modes.modify_other_keys();
                self.replies().modify_other_keys(level);
            }
            (b'>', 0, b'u') => self.state.modes.push_keyboard(alternate, params.get(0)),
            (b'<', 0, b'u') => self.state.modes.pop_keyboard(alternate, params.count(0)),
            (b'=', 0, b'u') => {
                self.state
                    .modes
                    .set_keyboard(alternate, params.get(0), params.count(1));
            }
            (b'>', 0, b'm') if params.is_empty() || params.get(0) == 4 => {
                self.state.modes.set_modify_other_keys(params.get(1));
            }
            (b'>', 0, b'n') if params.get(0) == 4 => self.state.modes.set_modify_other_keys(0),
            (b'>', 0, b'c') if params.get(0) == 0 => self.replies().secondary_attributes(),
            (b'=', 0, b'c') if params.get(0) == 0 => self.replies().tertiary_attributes(),
            (b'>', 0, b'q') if params.get(0) == 0 => self.replies().version(),
            _ => {}
        }
    }

    fn intermediate_sequence(&mut self, sequence: &Sequence) {
        let params = &sequence.params;
        let screen = &mut self.state.screen;
        match (sequence.intermediate, sequence.last) {
            (b' ', b'q') => self.state.modes.set_cursor_style(params.get(0)),
            (b' ', b'@') => screen.edit().shift_columns(params.count(0), false, false),
            (b' ', b'A') => screen.edit().shift_columns(params.count(0), true, false),
            (b'\'', b'}') => screen.edit().shift_columns(params.count(0), true, true),
            (b'\'', b'~') => screen.edit().shift_columns(params.count(0), false, true),
            (b'"', b'q') => screen.set_protected(params.get(0) == 1),
            (b'!', b'p') => {
                screen.soft_reset();
                self.state.modes.soft_reset();
            }
            (b'$', b'p') => {
                let state = self.state.ansi_mode(params.get(0)).code();
                self.replies().mode(params.get(0), false, state);
            }
            _ => {}
        }
    }

    fn query(&mut self, sequence: &Sequence) {
        let request = sequence.params.get(0);
        let mut replies = Replies::new(&mut self.feedback.replies);
        match sequence.last {
            b'c' if request == 0 => replies.primary_attributes(),
            b'n' => replies.status(request, false, &self.state.screen),
            b'x' => replies.terminal_parameters(request),
            _ => {}
        }
    }
}

impl Sink for Performer<'_> {
    fn text(&mut self, run: &str) {
        self.state.screen.text(run);
    }

    fn control(&mut self, byte: u8) {
        self.state.screen.end_repetition();
        let screen = &mut self.state.screen;
        match byte {
            0x07 => self.feedback.tell(EmulatorEvent::Bell),
            0x08 => screen.motion().left(1),
            0x09 => screen.tab(1),
            0x0a..=0x0c => screen.line_feed(),
            0x0d => screen.carriage_return(),
            0x0e => screen.charsets.shift(1),
            0x0f => screen.charsets.shift(0),
            _ => {}
        }
    }

    fn escape(&mut self, intermediate: u8, last: u8) {
        self.state.screen.end_repetition();
        let screen = &mut self.state.screen;
        match (intermediate, last) {
            (0, b'7') => screen.save_cursor(),
            (0, b'8') => screen.restore_cursor(),
            (0, b'D') => screen.index(),
            (0, b'E') => screen.next_line(),
            (0, b'H') => screen.set_tab(true),
            (0, b'M') => screen.edit().reverse_index(),
            (0, b'N') => screen.charsets.single_shift(2),
            (0, b'O') => screen.charsets.single_shift(3),
            (0, b'n') => screen.charsets.shift(2),
            (0, b'o') => screen.charsets.shift(3),
            (0, b'V') => screen.set_protected(true),
            (0, b'W') => screen.set_protected(false),
            (0, b'6') => screen.edit().back_index(),
            (0, b'9') => screen.edit().forward_index(),
            (0, b'=') => self.state.modes.set_keypad(true),
            (0, b'>') => self.state.modes.set_keypad(false),
            (0, b'Z') => self.replies().primary_attributes(),
            (0, b'c') => self.state.reset(),
            (b'#', b'8') => screen.edit().align(),
            (b'(' | b')' | b'*' | b'+' | b'-' | b'.' | b'/', _) => {
                screen.charsets.designate(intermediate, last);
            }
            _ => {}
        }
    }

    fn csi(&mut self, sequence: &Sequence) {
        if sequence.last != b'b' {
            self.state.screen.end_repetition();
        }
        if sequence.private != 0 {
            return self.private_sequence(sequence);
        }
        if sequence.intermediate != 0 {
            return self.intermediate_sequence(sequence);
        }
        let params = &sequence.params;
        let count = params.count(0);
        let screen = &mut self.state.screen;
        match sequence.last {
            b'm' => screen.apply_sgr(params),
            b'H' | b'f' => screen.motion().go_to(count - 1, params.count(1) - 1),
            b'A' => screen.motion().up(count),
            b'B' | b'e' => screen.motion().down(count),
            b'C' | b'a' => screen.motion().right(count),
            b'D' => screen.motion().left(count),
            b'E' => {
                screen.motion().down(count);
                screen.carriage_return();
            }
            b'F' => {
                screen.motion().up(count);
                screen.carriage_return();
            }
            b'G' | b'`' => screen.motion().go_to_col(count - 1),
            b'd' => screen.motion().go_to_row(count - 1),
            b'I' => screen.tab(count),
            b'Z' => screen.back_tab(count),
            b'J' if params.get(0) == 3 => screen.erase_history(),
            b'J' if params.get(0) < 3 => screen.edit().erase_screen(params.get(0), false),
            b'K' if params.get(0) < 3 => screen.erase_line(params.get(0)),
            b'X' => screen.edit().erase_chars(count),
            b'@' => screen.edit().insert_chars(count),
            b'P' => screen.edit().delete_chars(count),
            b'L' => screen.edit().insert_lines(count),
            b'M' => screen.edit().delete_lines(count),
            b'S' => screen.edit().scroll(count, true),
            // With more parameters it is xterm's mouse highlighting.
            b'T' | b'^' if params.groups().count() < 2 => screen.edit().scroll(count, false),
            b'b' => screen.repeat(count),
            b'r' => {
                let bottom = if params.get(1) == 0 {
                    screen.size().rows()
                } else {
                    params.get(1)
                };
                screen.set_row_margins(count - 1, bottom - 1);
            }
            b's' if screen.placing().side_margins => {
                let right = if params.get(1) == 0 {
                    screen.size().cols()
                } else {
                    params.get(1)
                };
                screen.set_col_margins(count - 1, right - 1);
            }
            b's' => screen.save_cursor(),
            b'u' => screen.restore_cursor(),
            b'g' if params.get(0) == 0 => screen.set_tab(false),
            b'g' if params.get(0) == 3 => screen.tabs.clear(),
            b'h' | b'l' => {
                for group in params.groups() {
                    self.state.set_ansi_mode(group[0], sequence.last == b'h');
                }
            }
            b't' => self.window_operation(params),
            b'c' | b'n' | b'x' => self.query(sequence),
            _ => {}
        }
    }

    fn osc(&mut self, payload: &[u8], bell: bool) {
        for command in osc::parse(payload) {
            self.command(command, bell);
        }
    }

    fn dcs(&mut self, sequence: &Sequence, payload: &[u8]) {
        let style = self.state.modes.cursor_style();
        let mut replies = Replies::new(&mut self.feedback.replies);
        match (sequence.private, sequence.intermediate, sequence.last) {
            (0, b'$', b'q') => replies.setting(payload, &self.state.screen, style),
            (0, b'+', b'q') => replies.capabilities(payload),
            (b'=', 0, b's') if sequence.params.get(0) == 1 => {
                self.state.modes.update_open = true;
            }
            (b'=', 0, b's') if sequence.params.get(0) == 2 => {
                self.state.modes.update_open = false;
            }
            _ => {}
        }
    }
}
