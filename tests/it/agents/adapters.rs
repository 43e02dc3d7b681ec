//! Agents as data: which there are, and what each is started with.

use serde_json::{Value, json};

use super::profile;
use crate::support::upstream::Upstream;
use crate::support::{Home, Serve};

#[test]
fn agents_are_listed_with_where_they_are_and_whether_they_are_seen() {
    let home = Home::with_config(
        "[[agent]]\nname = \"mine\"\ncommand = [\"mine\"]\n[[agent]]\nname = \"off\"\ncommand = [\"mine\"]\ngateway = false\n",
    );
    let mine = home.script("bin/mine", "#!/bin/sh\necho \"mine version 3.1 ($1)\"\n");
    let newer = home.script("bin/opencode", "#!/bin/sh\necho 2.0.1\n");
    let silent = home.script("bin/aider", "#!/bin/sh\nexec sleep 600\n");
    let path = format!("{}:/usr/bin:/bin", mine.parent().unwrap().display());
    let list = |command: &mut std::process::Command| -> Value {
        let output = command.env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // Without an instance it is told what the next one would start.
    let alone = list(&mut home.tundra(&["agents", "--json"]));
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("PATH", &path);
    let serve = Serve::from(home, command);
    let listed = list(&mut serve.home.tundra(&["agents", "--json"]));
    assert_eq!(alone, listed);
    let agent = |name: &str| {
        let agents = listed.as_array().unwrap().iter();
        agents
            .clone()
            .find(|agent| agent["name"] == name)
            .unwrap()
            .clone()
    };
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|agent| agent["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "claude", "codex", "aider", "opencode", "gemini", "shell", "mine", "off"
        ]
    );
    assert_eq!(
        agent("mine"),
        json!({"name": "mine", "command": ["mine"], "found": mine, "version": "3.1", "observed": true, "note": null})
    );
    assert_eq!(agent("claude")["found"], Value::Null);
    assert_eq!(agent("claude")["note"], "claude: not found in PATH");
    assert_eq!(
        (&agent("gemini")["observed"], &agent("off")["observed"]),
        (&false.into(), &false.into())
    );
    assert_eq!(agent("opencode")["found"], newer.to_str().unwrap());
    assert_eq!(agent("opencode")["observed"], false);
    assert!(
        agent("opencode")["note"]
            .as_str()
            .unwrap()
            .contains("from version 2 on")
    );
    assert_eq!(agent("aider")["found"], silent.to_str().unwrap());
    assert_eq!(agent("aider")["version"], Value::Null);
    let table = serve
        .home
        .tundra(&["agents"])
        .env("PATH", &path)
        .output()
        .unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("mine      3.1      yes"), "{table}");
}

#[test]
fn an_agent_of_the_file_gets_address_model_and_key_and_no_argument_has_the_key() {
    let upstream = Upstream::start(Vec::new());
    let home = Home::with_config("");
    let tool = home.script(
        "bin/mine",
        "#!/bin/sh\nprintf 'arg:%s\\n' \"$@\"\necho \"key:$MINE_KEY model:$MINE_MODEL\"\nexec cat\n",
    );
    home.configure(&format!(
        "{}default_model = \"some-model\"\n[[agent]]\nname = \"mine\"\ncommand = [\"sh\", \"{}\", \"first\"]\n\
         args = [\"--url={{gateway}}/v1\", \"{{model}}\"]\nresume_args = [\"--again\"]\n\
         env = {{ MINE_KEY = \"{{key}}\", MINE_MODEL = \"{{model}}\" }}\n",
        profile("one", &upstream.url()),
        tool.display()
    ));
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("ONE_KEY", "sk-one");
    let serve = Serve::from(home, command);
    let id = serve
        .cli(&["new", "--agent", "mine", "--cols", "200", "--rows", "24"])
        .ok();
    let id = id.trim();
    serve.wait_text(id, r"key:tundra-[0-9a-f]{64} model:some-model");
    let url = serve.ready()["gateway_url"].as_str().unwrap();
    let screen = serve.capture(id);
    assert!(
        screen.starts_with(&format!("arg:first\narg:--url={url}/v1\narg:some-model\n")),
        "{screen}"
    );
    let terminal = serve.terminal(id);
    assert_eq!(terminal["agent"]["kind"], "mine");
    assert_eq!(terminal["agent"]["observed"], true);
    // Without the gateway it is started without what speaks of it.
    let bare = serve.cli(&["new", "--agent", "mine", "--no-gateway"]).ok();
    let bare = bare.trim();
    serve.wait_text(bare, "key: model:");
    assert!(serve.capture(bare).starts_with("arg:first\nkey: model:\n"));
    assert_eq!(serve.terminal(bare)["agent"]["observed"], false);
}
