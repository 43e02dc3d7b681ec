use std::fmt::Write as _;

use super::*;
use crate::config;
use crate::domain::caller::Caller;
use crate::domain::fact::Forgetful;
use crate::domain::login::{KeptPlan, LoginId};
use crate::domain::moment::Moment;
use crate::domain::outcome::CallError;
use crate::domain::outcome::ErrorKind;
use crate::domain::plan::UsedUp;
use crate::domain::profile::{Capabilities, Dialect, ProfileName};
use crate::domain::route::{By, Call, RouterCommand, RouterEvent, Run};
use crate::providers::{GatewayEndpoint, ProviderEvent, Providers, Setup};
use crate::runtime::tasks::Tasks;
use crate::tui::client::Overlay;
use crate::tui::notice::Severity;

pub(super) const TWO: &str = "\
[[profile]]
name = \"claude\"
provider = \"anthropic\"
priority = 1
rate_limit_rpm = 50
rate_limit_tpm = 90000
[[profile]]
name = \"router\"
provider = \"openrouter\"
priority = 2
";

/// A front end beside providers that nobody asks anything.
pub(super) struct Panel {
    pub rig: Rig,
    providers: Providers,
}

impl Panel {
    pub fn new(cols: u16, rows: u16, text: &str) -> Self {
        let settings = config::parse("", text).unwrap();
        let setup = Setup {
            settings: &settings,
            endpoint: Some(GatewayEndpoint {
                url: "http://127.0.0.1:3100".to_owned(),
                key_file: "/key".into(),
            }),
            logs: std::env::temp_dir(),
            plans: std::path::PathBuf::new(),
            tasks: Tasks::default(),
            recorder: Arc::new(Forgetful),
        };
        let providers = Providers::start(setup, Arc::new(|_| Some("key".to_owned())));
        let mut panel = Self {
            rig: Rig::with_shell(cols, rows),
            providers,
        };
        panel.look();
        panel.rig.take();
        panel
    }

    /// What the runner does when something has changed.
    fn look(&mut self) {
        let details = self.rig.model.details_of().cloned();
        let requests = details.map(|name| {
            let requests = self.providers.requests(&name);
            (name, requests)
        });
        let status = Arc::new(self.providers.status());
        self.rig.tell(Msg::Providers(status, requests));
    }

    /// Carries out what was asked for, as the runner does.
    async fn carry_out(&mut self) -> Vec<RouterCommand> {
        let mut commands = Vec::new();
        for effect in self.rig.take() {
            match effect {
                Effect::Steer(command) => {
                    let result = self.providers.command(command.clone(), By::Key).await;
                    self.rig.tell(Msg::Steered(command.clone(), result));
                    commands.push(command);
                }
                Effect::ServerOutput(name) => {
                    let log = self.providers.server_log(&name, 10);
                    self.rig.tell(Msg::ServerOutput(name, log));
                }
                _ => {}
            }
        }
        self.look();
        commands
    }

    /// Five calls in a row that are refused.
    pub async fn open_breaker(&mut self, name: &str) {
        for _ in 0..5 {
            let router = self.providers.gateway().router();
            let call = router.admit(&call(Some(name)), &mut Run::default()).await;
            let error = CallError::Http("connection refused".to_owned());
            call.unwrap().fail(&error);
        }
        self.look();
    }

    /// One request that fails at the first provider and is answered by the next.
    async fn fail_over(&mut self) {
        let mut run = Run::default();
        let error = CallError::Http("connection reset".to_owned());
        let router = self.providers.gateway().router();
        let first = router.admit(&call(None), &mut run).await.unwrap();
        first.fail(&error);
        run.failed(&error);
        let mut second = router.admit(&call(None), &mut run).await.unwrap();
        second.leaving_out(&["web_search".to_owned()]);
        second.succeed();
        self.look();
    }

    fn row(&self, row: usize) -> String {
        self.rig.text().lines().nth(row).unwrap().to_owned()
    }
}

/// A call of the first pane's, to one profile or to whom it is the turn of.
fn call(only: Option<&str>) -> Call {
    Call {
        caller: Caller::Terminal(id(1)),
        model: "m".into(),
        dialect: Dialect::Messages,
        capabilities: Capabilities::NONE,
        tokens: 0,
        only: only.map(ProfileName::from),
        foreign: crate::domain::route::Foreign::Never,
        login: None,
        conversation: None,
    }
}

fn named(name: &str) -> ProfileName {
    ProfileName::from(name)
}

#[tokio::test]
async fn the_strip_tells_each_provider_and_takes_its_rows_from_the_panes() {
    let mut panel = Panel::new(80, 24, TWO);
    let size = panel.rig.model.session.panes.get(&id(1)).unwrap().size;
    assert_eq!((size.cols(), size.rows()), (80, 20));
    assert_eq!(
        panel.row(21).trim_end(),
        "▸claude      ready         closed    rpm ███ 50 tpm ███ 90k - 0 req 0 err"
    );
    assert_eq!(
        panel.row(22).trim_end(),
        " router      ready         closed    rpm - tpm - - 0 req 0 err"
    );
    panel.open_breaker("claude").await;
    assert!(
        panel
            .row(21)
            .starts_with(" claude      failing       open 3"),
        "{}",
        panel.row(21)
    );
    assert!(panel.row(21).contains("5 req 5 err"), "{}", panel.row(21));
    assert!(panel.row(22).starts_with("▸router"), "{}", panel.row(22));
}

#[tokio::test]
async fn the_panel_tells_how_the_store_stands() {
    let mut panel = Panel::new(80, 24, TWO);
    panel.rig.command("P");
    let looks = |effect: &Effect| matches!(effect, Effect::LookAtStore);
    assert!(panel.rig.take().iter().any(looks));
    panel.rig.tell(Msg::Store(Box::new(journal::status())));
    let told = "store ready, 12k events  dolt ready, 3 rows wait";
    assert!(panel.rig.shows(told), "{}", panel.rig.text());
}

#[tokio::test]
async fn the_strip_hides_and_comes_back() {
    let mut panel = Panel::new(80, 24, TWO);
    let rows = |panel: &Panel| {
        panel
            .rig
            .model
            .session
            .panes
            .get(&id(1))
            .unwrap()
            .size
            .rows()
    };
    panel.rig.command("B");
    assert!(
        panel.rig.shows("the list of providers is hidden"),
        "{}",
        panel.rig.text()
    );
    assert!(!panel.rig.shows("▸claude"), "{}", panel.rig.text());
    assert_eq!(rows(&panel), 22);
    // What is hidden is still there to be steered.
    panel.rig.command("P");
    assert!(panel.rig.shows("claude"), "{}", panel.rig.text());
    panel.rig.keys("esc").command("B");
    assert!(panel.row(21).starts_with("▸claude"), "{}", panel.row(21));
    assert_eq!(rows(&panel), 20);
}

#[tokio::test]
async fn a_low_screen_keeps_its_panes_and_more_providers_than_rows_share_the_last() {
    let mut many = String::new();
    for number in 1..=7 {
        let _ = writeln!(
            many,
            "[[profile]]\nname = \"p{number}\"\nprovider = \"anthropic\""
        );
    }
    let mut panel = Panel::new(80, 24, &many);
    let starts = |panel: &Panel| {
        let start = |row| panel.row(row)[..6].trim_end().to_owned();
        [19, 20, 21].map(start)
    };
    assert_eq!(starts(&panel), ["▸p1", " p2", " p3"]);
    assert_eq!(
        panel.row(22).trim_end(),
        " p4 ready  p5 ready  p6 ready  p7 ready"
    );
    // Whom requests go to is told in full.
    for name in ["p1", "p2", "p3", "p4"] {
        let command = RouterCommand::Disable(named(name));
        panel.providers.command(command, By::Key).await.unwrap();
    }
    panel.look();
    assert_eq!(starts(&panel), [" p1", " p2", "▸p5"]);
    assert!(
        panel
            .row(22)
            .starts_with(" p3 disabled  p4 disabled  p6 ready")
    );
    let panel = Panel::new(80, 15, TWO);
    assert_eq!(panel.row(13).trim_end(), "▸claude ready  router ready");
    let panel = Panel::new(80, 9, TWO);
    assert!(!panel.rig.shows("claude"));
}

#[tokio::test]
async fn a_countdown_is_looked_at_again_when_its_second_is_over_and_only_then() {
    let mut panel = Panel::new(80, 24, TWO);
    assert_eq!(panel.rig.model.providers.next_change(), None);
    assert_eq!(panel.rig.model.next_deadline(), None);
    panel.open_breaker("router").await;
    let due = panel.rig.model.next_deadline().unwrap();
    let now = panel.rig.instant;
    assert!(due > now && due <= now + Duration::from_millis(1_002));
    panel.rig.take();
    panel.rig.tell(Msg::Tick);
    assert!(panel.rig.take().is_empty());
    panel.rig.wait(1_100);
    assert!(matches!(panel.rig.take()[..], [Effect::LookAtProviders]));
}

#[tokio::test]
async fn f_moves_the_route_on_and_says_so_and_says_when_nobody_is_left() {
    let mut panel = Panel::new(100, 30, TWO);
    panel.rig.command("f");
    panel.carry_out().await;
    assert!(
        panel
            .rig
            .shows("claude is held for 10m; requests go to router")
    );
    assert!(panel.rig.shows("held 10m") || panel.rig.shows("held 9m5"));
    panel.rig.command("f");
    panel.carry_out().await;
    assert!(panel.rig.shows("no other profile can take over"));
}

#[tokio::test]
async fn r_restarts_the_one_that_is_stuck() {
    let mut panel = Panel::new(100, 30, TWO);
    panel.open_breaker("claude").await;
    panel.rig.command("r");
    assert_eq!(
        panel.carry_out().await,
        [RouterCommand::Restart(named("claude"))]
    );
    assert!(panel.row(27).contains("closed"), "{}", panel.row(27));
    // With all of them well, the user chooses.
    panel.rig.command("r");
    assert!(panel.carry_out().await.is_empty());
    assert!(matches!(
        panel.rig.model.client.overlay,
        Some(Overlay::Providers(_))
    ));
}

#[tokio::test]
async fn the_panels_keys_do_what_the_hint_line_says() {
    let mut panel = Panel::new(120, 40, TWO);
    panel.rig.command("P");
    panel.carry_out().await;
    assert!(panel.rig.shows("gateway http://127.0.0.1:3100: 0 requests"));
    assert!(panel.rig.shows("enter more"));
    // Neither has a server of tundra's.
    assert!(!panel.rig.shows("l output"), "{}", panel.rig.text());
    panel.rig.keys("j");
    let router = named("router");
    for (key, expected) in [
        ("e", RouterCommand::Disable(router.clone())),
        ("e", RouterCommand::Enable(router.clone())),
        ("p", RouterCommand::Pin(router.clone())),
        ("p", RouterCommand::Unpin),
        ("R", RouterCommand::Reset(router.clone())),
        ("r", RouterCommand::Restart(router.clone())),
    ] {
        panel.rig.keys(key);
        assert_eq!(panel.carry_out().await, [expected]);
    }
    panel.rig.keys("f");
    let commands = panel.carry_out().await;
    assert!(
        matches!(&commands[..], [RouterCommand::Failover { from: Some(from), .. }] if *from == router)
    );
    panel.rig.keys("l");
    panel.carry_out().await;
    assert!(panel.rig.shows("router: tundra runs no server for it"));
    panel.rig.keys("esc");
    assert!(panel.rig.model.client.overlay.is_none());
}

#[tokio::test]
async fn the_strip_marks_where_the_next_request_goes_who_answered_the_last_one_and_who_is_pinned() {
    let mut panel = Panel::new(80, 24, TWO);
    panel.fail_over().await;
    assert!(panel.row(21).starts_with("▸claude "), "{}", panel.row(21));
    assert!(panel.row(22).starts_with("←router "), "{}", panel.row(22));
    assert!(panel.row(21).contains("1 err"), "{}", panel.row(21));
    let pin = RouterCommand::Pin(named("router"));
    panel.providers.command(pin, By::Key).await.unwrap();
    panel.look();
    assert!(panel.row(21).starts_with("  claude "), "{}", panel.row(21));
    assert!(panel.row(22).starts_with("p▸router "), "{}", panel.row(22));
    panel.rig.command("P");
    panel.carry_out().await;
    assert!(panel.rig.shows("active  pinned"), "{}", panel.rig.text());
}

#[tokio::test]
async fn the_words_of_an_error_stand_beside_its_provider_for_a_minute() {
    let mut panel = Panel::new(120, 24, TWO);
    panel.fail_over().await;
    let row = panel.row(21);
    assert!(row.contains("HTTP error: connection reset"), "{row}");
    // Looked at again when it has been there for long enough.
    let due = panel.rig.model.next_deadline().unwrap() - panel.rig.instant;
    assert!(due <= Duration::from_secs(61), "{due:?}");
}

#[tokio::test]
async fn a_narrow_row_shortens_its_bars_and_cuts_no_number() {
    let text = TWO
        .replace("\"claude\"", "\"a-name-of-sixteen\"")
        .replace("rpm = 50", "rpm = 9999")
        .replace("tpm = 90000", "tpm = 9999000");
    let mut panel = Panel::new(80, 24, &text);
    panel.fail_over().await;
    let row = panel.row(21);
    assert!(
        row.trim_end()
            .ends_with("rpm ███ 9.9k tpm ███ 9.9M - 1 req 1 err"),
        "{row}"
    );
    for (cols, told) in [
        (78, "rpm ██ 9.9k tpm ██ 9.9M - 0 req 0 err"),
        (76, "rpm █ 9.9k tpm █ 9.9M - 0 req 0 err"),
        (72, "rpm 9.9k tpm 9.9M - 0 req 0 err"),
        (60, "- 0 req 0 err"),
    ] {
        let row = Panel::new(cols, 24, &text).row(21);
        assert!(row.trim_end().ends_with(told), "{cols}: {row}");
    }
}

#[tokio::test]
async fn a_failure_that_was_passed_over_is_told_at_once() {
    let mut panel = Panel::new(120, 24, TWO);
    let event = |why: &str, to: Option<&str>, kind| {
        Msg::ProviderEvent(ProviderEvent::Router(RouterEvent::PassedOver {
            profile: named("claude"),
            kind,
            why: why.to_owned(),
            to: to.map(named),
            at: Moment::ORIGIN,
        }))
    };
    let boom = "API error (status 500): boom";
    panel.rig.tell(event(boom, Some("router"), ErrorKind::Api));
    let told = "router answered for claude: API error (status 500): boom";
    assert!(panel.row(23).contains(told), "{}", panel.row(23));
    let toasts = |panel: &Panel| panel.rig.model.session.messages.toasts().count();
    assert_eq!(toasts(&panel), 1);
    panel.rig.tell(event(boom, None, ErrorKind::Api));
    assert!(panel.row(23).contains("nobody answered for claude: "));
    assert_eq!(toasts(&panel), 2);
    // That it cools down is told for itself.
    let limit = "rate limited: retry after 9s";
    panel
        .rig
        .tell(event(limit, Some("router"), ErrorKind::RateLimited));
    assert!(panel.row(23).contains(limit), "{}", panel.row(23));
    assert_eq!(toasts(&panel), 2);
}

#[tokio::test]
async fn a_request_is_one_entry_with_its_tries() {
    let mut panel = Panel::new(120, 50, TWO);
    panel.fail_over().await;
    panel.rig.command("P");
    panel.carry_out().await;
    panel.rig.keys("enter");
    panel.carry_out().await;
    let text = panel.rig.text();
    let mut lines = text.lines().map(|line| line.trim_matches(['│', ' ']));
    lines
        .find(|line| *line == "last attempts, newest first")
        .unwrap();
    let request = lines.next().unwrap();
    assert!(request.ends_with(" bash m"), "{request}");
    assert_eq!(
        [lines.next(), lines.next()],
        [
            Some("claude first HTTP error: connection reset"),
            Some("router failover without web_search ok"),
        ],
        "{text}"
    );
}

#[tokio::test]
async fn a_used_up_plan_says_until_when_and_which_key_goes_on_as_long_as_it_lasts() {
    let logins = "[[profile]]\nname = \"claude-login\"\nprovider = \"anthropic\"\nauth = \"caller\"\n\
        [[profile]]\nname = \"router\"\nprovider = \"openrouter\"\n";
    let mut panel = Panel::new(80, 24, logins);
    let until = Timestamp::now() + Duration::from_secs(3_600);
    let plan = KeptPlan {
        login: LoginId::from_hash([7; 16]),
        profile: named("claude-login"),
        windows: Vec::new(),
        used_up: vec![UsedUp {
            until,
            family: None,
        }],
    };
    panel.providers.gateway().router().restore_plans(vec![plan]);
    panel.look();
    let at = panel.rig.model.options.coming(until, Timestamp::now());
    let row = panel.row(21);
    assert!(
        row.contains(&format!("until {at}: f goes on with router")),
        "{row}"
    );
    panel.rig.command("f");
    panel.carry_out().await;
    let row = panel.row(21);
    assert!(
        row.contains(&format!("until {at}: goes on with router")),
        "{row}"
    );
}

#[tokio::test]
async fn details_list_the_last_attempts() {
    let mut panel = Panel::new(120, 50, TWO);
    panel.open_breaker("claude").await;
    panel.rig.command("P").keys("k k");
    panel.carry_out().await;
    panel.rig.keys("enter");
    panel.carry_out().await;
    let text = panel.rig.text();
    assert!(text.contains("provider claude"), "{text}");
    assert!(
        text.contains("why         HTTP error: connection refused"),
        "{text}"
    );
    assert!(text.contains("http 5  api 0"), "{text}");
    assert!(
        text.contains("bash m named HTTP error: connection refused"),
        "{text}"
    );
    panel.rig.keys("esc");
    assert!(panel.rig.shows(" providers "));
    panel.rig.keys("q");
    assert!(panel.rig.model.client.overlay.is_none());
}

#[tokio::test]
async fn the_palette_steers_each_provider() {
    let mut panel = Panel::new(120, 40, TWO);
    panel.rig.command(":").keys("p i n space r o u t");
    panel.rig.keys("enter");
    assert_eq!(
        panel.carry_out().await,
        [RouterCommand::Pin(named("router"))]
    );
    assert!(panel.rig.shows("router is pinned; requests go to router"));
}

#[tokio::test]
async fn an_open_breaker_is_a_warning_and_a_move_is_told() {
    let mut panel = Panel::new(100, 30, TWO);
    let mut events = panel.providers.events();
    panel.open_breaker("claude").await;
    for _ in 0..2 {
        let event = events.next().await;
        panel.rig.tell(Msg::ProviderEvent(event));
    }
    let log: Vec<_> = panel
        .rig
        .model
        .session
        .messages
        .log()
        .iter()
        .map(|message| (message.severity, message.text.as_str()))
        .collect();
    assert_eq!(
        log,
        [
            (Severity::Warning, "claude: breaker closed → open"),
            (Severity::Info, "requests now go to router"),
        ]
    );
}

#[tokio::test]
async fn no_size_and_no_page_is_too_odd() {
    for (cols, rows) in [(20, 5), (20, 12), (40, 10), (80, 24), (200, 60)] {
        let mut panel = Panel::new(cols, rows, TWO);
        panel.open_breaker("claude").await;
        panel.rig.command("P");
        panel.carry_out().await;
        let _ = panel.rig.text();
        panel.rig.keys("enter");
        panel.carry_out().await;
        panel.rig.keys("j j pagedown pagedown k");
        let _ = panel.rig.text();
    }
}
