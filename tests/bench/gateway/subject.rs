//! tundra's gateway in a process of its own, with one profile for each upstream, asked in this order.

use std::sync::Arc;

use tundra::domain::profile::{Dialect, Dialects, Profile, ProviderKind};
use tundra::gateway::{self, Gateway, Options};
use tundra::runtime::tasks::Tasks;

use super::arm::pin;

/// `--chat` before the upstreams says that they speak Chat alone, so that every Messages request is translated.
pub fn run(arguments: &[String]) {
    let (is_chat, upstreams) = match arguments {
        [first, upstreams @ ..] if first == "--chat" => (true, upstreams),
        upstreams => (false, upstreams),
    };
    super::ALLOCATOR.wipe();
    pin(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let profiles = upstreams
            .iter()
            .zip(0..)
            .map(|(upstream, priority)| {
                let mut profile = Profile::new(&format!("p{priority}"), ProviderKind::Anthropic);
                profile.base_url.clone_from(upstream);
                profile.priority = priority;
                if is_chat {
                    profile.dialects = Dialects::of(&[Dialect::Chat]);
                }
                profile
            })
            .collect();
        let mut options = Options::default();
        // The failing one must be asked every time.
        options.route.breaker.failure_threshold = u32::MAX;
        let gateway = Gateway::new(options, profiles, Arc::new(|_| Some("none".to_owned())));
        let key = gateway
            .keys()
            .issue(tundra::domain::id::TerminalId::random());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{} {}", listener.local_addr().unwrap(), key.reveal());
        gateway::serve(listener, gateway, Tasks::default()).await;
    });
}
