//! The processes that are measured.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that answers requests.
pub struct Arm {
    pub name: &'static str,
    pub address: String,
    pub key: String,
    /// How many of the asked-for requests it gets; a slow peer gets fewer.
    pub share: f64,
    /// Only the native Messages route without streams of other kinds.
    child: Child,
}

impl Drop for Arm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU and memory of a process.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub cpu: Duration,
    pub rss: u64,
}

impl Arm {
    pub fn cost(&self) -> Cost {
        let pid = self.child.id();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        let nanos: u64 = tasks
            .filter_map(|task| {
                let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
                stat.split(' ').next()?.parse::<u64>().ok()
            })
            .sum();
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
        let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        Cost {
            cpu: Duration::from_nanos(nanos),
            rss: pages * 4096,
        }
    }
}

/// All arms that could be started; the provider first.
pub struct Arms {
    pub provider: Arm,
    pub floor: Arm,
    pub subject: Arm,
    /// tundra again, with an upstream that speaks Chat alone.
    pub translating: Arm,
    /// tundra again, with a profile before the good one that always fails.
    pub failing: Arm,
    pub peers: Vec<Arm>,
}

impl Arms {
    pub fn start() -> Self {
        let provider = own("direct", &["provider"]);
        let upstream = format!("http://{}", provider.address);
        let failing = format!("{upstream}/failing");
        Self {
            floor: own("pass-through", &["floor", &upstream]),
            subject: own("tundra", &["subject", &upstream]),
            translating: own("tundra, translating", &["subject", "--chat", &upstream]),
            failing: own("tundra, failing over", &["subject", &failing, &upstream]),
            peers: [litellm(&upstream, "anthropic"), anthropic_proxy(&upstream)]
                .into_iter()
                .flatten()
                .collect(),
            provider,
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Arm> {
        [
            &self.provider,
            &self.floor,
            &self.subject,
            &self.translating,
        ]
        .into_iter()
        .chain(&self.peers)
    }
}

/// What translates for a provider of odd Chat streams, the provider first.
pub fn translators() -> (Arm, Vec<Arm>) {
    let provider = own("direct", &["hostile"]);
    let upstream = format!("http://{}", provider.address);
    let mut arms = vec![own("tundra", &["subject", "--chat", &upstream])];
    let peers = [
        litellm(&format!("{upstream}/v1"), "hosted_vllm"),
        switchyard(&upstream),
        anthropic_proxy(&upstream),
    ];
    arms.extend(peers.into_iter().flatten());
    (provider, arms)
}

/// Runs this process on one core, and what it starts as well.
pub fn pin(core: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    let _ = rustix::thread::sched_setaffinity(None, &set);
}

/// Starts this very program in another role; it prints its address and its key.
fn own(name: &'static str, arguments: &[&str]) -> Arm {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let mut words = line.split_whitespace();
    Arm {
        name,
        address: words.next().unwrap().to_owned(),
        key: words.next().unwrap_or("none").to_owned(),
        share: 1.0,
        child,
    }
}

/// `vendor` is whose dialect the upstream speaks.
fn litellm(upstream: &str, vendor: &str) -> Option<Arm> {
    let program = peer("TUNDRA_BENCH_LITELLM")?;
    let folder = std::env::temp_dir().join(format!("tundra-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("litellm.yaml");
    fs::write(
        &config,
        format!(
            "model_list:\n  - model_name: some-model\n    litellm_params:\n      model: {vendor}/some-model\n      \
             api_base: {upstream}\n      api_key: none\ngeneral_settings:\n  master_key: sk-bench\n"
        ),
    )
    .unwrap();
    let port = free_port();
    let mut command = Command::new(program);
    command
        .arg("--config")
        .arg(config)
        .args(["--port", &port, "--host", "127.0.0.1", "--num_workers", "1"])
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    started("LiteLLM", command, &port, "sk-bench", 0.05)
}

/// NVIDIA's Switchyard out of its Python package; the variable names a Python that has it.
fn switchyard(upstream: &str) -> Option<Arm> {
    const START: &str = "import sys, time\nfrom switchyard_rust.server import Server\n\
                         server = Server(sys.argv[1], int(sys.argv[2]))\ntime.sleep(1e6)";
    let program = peer("TUNDRA_BENCH_SWITCHYARD")?;
    let folder = std::env::temp_dir().join(format!("tundra-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("routes.toml");
    fs::write(
        &config,
        format!(
            "schema_version = 1\n[llm_clients.p]\nformat = \"openai_chat\"\nbase_url = \"{upstream}/v1\"\n\
             api_key_env = \"SWITCHYARD_KEY\"\n[targets.a]\nid = \"their-model\"\nllm_client = \"p\"\n\
             [targets.b]\nid = \"their-model-b\"\nllm_client = \"p\"\n[routes.r]\nid = \"some-model\"\n\
             type = \"stage_router\"\ncapable_target = \"a\"\nefficient_target = \"b\"\n\
             picker = \"efficient_first\"\nconfidence_threshold = 0.5\n"
        ),
    )
    .unwrap();
    let port = free_port();
    let mut command = Command::new(program);
    command
        .args(["-c", START])
        .arg(config)
        .arg(&port)
        .env("SWITCHYARD_KEY", "none");
    started("Switchyard", command, &port, "none", 1.0)
}

fn anthropic_proxy(upstream: &str) -> Option<Arm> {
    let program = peer("TUNDRA_BENCH_ANTHROPIC_PROXY")?;
    let port = free_port();
    let mut command = Command::new(program);
    command
        .env("PORT", &port)
        .env("UPSTREAM_BASE_URL", upstream)
        .env("UPSTREAM_API_KEY", "none");
    started("anthropic-proxy (translates)", command, &port, "none", 1.0)
}

fn started(
    name: &'static str,
    mut command: Command,
    port: &str,
    key: &str,
    share: f64,
) -> Option<Arm> {
    let address = format!("127.0.0.1:{port}");
    let mut child = on_core_one(&mut command)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + Duration::from_secs(90);
    while TcpStream::connect(&address).is_err() {
        if Instant::now() > deadline || child.try_wait().is_ok_and(|ended| ended.is_some()) {
            let _ = child.kill();
            let _ = child.wait();
            eprintln!("SKIPPED: {name} did not start");
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(Arm {
        name,
        address,
        key: key.to_owned(),
        share,
        child,
    })
}

fn on_core_one(command: &mut Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned
        .args(["-c", "1"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        pinned.env(name, value.unwrap_or_default());
    }
    pinned
}

fn peer(variable: &str) -> Option<String> {
    let program = std::env::var(variable).ok();
    if program.is_none() {
        eprintln!("SKIPPED: a peer, since {variable} names no program");
    }
    program
}

fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}
