//! Users are told of agents that need them: by a command of theirs, and by the terminal that shows the instance.

use super::{Agent, profile, said};
use crate::support::eventually;
use crate::support::upstream::Upstream;

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_the_users_is_run_once_for_a_state_that_stands() {
    let upstream = Upstream::start(said());
    let folder = std::env::temp_dir().join(format!("tundra-notices-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let told = folder.join("told");
    let script = format!(
        "echo \\\"$TUNDRA_TERMINAL_ID $TUNDRA_NAME $TUNDRA_AGENT $TUNDRA_STATE [$TUNDRA_MESSAGE] $ONE_KEY\\\" >> {}",
        told.display()
    );
    let config = format!(
        "[notify]\ndwell = \"200ms\"\ncommand = [\"sh\", \"-c\", \"{script}\"]\n{}",
        profile("one", &upstream.url())
    );
    let agent = Agent::with(&config, &[]);
    agent.ask().await.bytes().await.unwrap();
    agent.wait("done");
    let lines = || std::fs::read_to_string(&told).unwrap_or_default();
    eventually("the command was run", || !lines().is_empty());
    assert_eq!(lines(), format!("{} agent shell done [] \n", agent.id));
    // A further state within the interval is dropped, and not told later.
    agent.serve.send(&agent.id, "x");
    agent.wait("idle");
    agent.ask().await.bytes().await.unwrap();
    agent.wait("done");
    let logs = agent
        .serve
        .cli(&["wait", &agent.id, "--state", "idle", "--timeout", "1s"]);
    assert_eq!(logs.code, 1, "it stays done");
    assert_eq!(lines().lines().count(), 1, "{}", lines());
    std::fs::remove_dir_all(&folder).unwrap();
}
