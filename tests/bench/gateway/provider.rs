//! A provider that answers at once: whole answers, streams of 40 deltas, and errors below `/failing`.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::arm::pin;

const DELTAS: usize = 40;

pub fn run() {
    pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener: TcpListener = socket.listen(2048).unwrap();
        println!("{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream));
        }
    });
}

async fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(256 * 1024);
    loop {
        let (head, length) = loop {
            if let Some(head) = memchr::memmem::find(&buffer, b"\r\n\r\n") {
                break (head + 4, length_of(&buffer[..head + 4]));
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        while buffer.len() < head + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let path = std::str::from_utf8(&buffer[..head])
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .to_owned();
        let body = &buffer[head..head + length];
        let streams = memchr::memmem::find(body, b"\"stream\":true").is_some()
            || memchr::memmem::find(body, b"\"stream\": true").is_some();
        let is_long = memchr::memmem::find(body, b"pace-200000").is_some();
        let deltas = if is_long { 200_000 } else { DELTAS };
        let pace = if memchr::memmem::find(body, b"pace-50").is_some() {
            50
        } else {
            0
        };
        buffer.drain(..head + length);
        if path.starts_with("/failing") {
            let body = r#"{"type":"error","error":{"type":"api_error","message":"no"}}"#;
            let head = format!(
                "HTTP/1.1 503 No\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
        } else if streams {
            tell(
                &mut stream,
                path.contains("chat"),
                deltas,
                Duration::from_millis(pace),
            )
            .await?;
        } else {
            let body = if path.contains("chat") { CHAT } else { MESSAGE };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
        }
    }
}

const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"some-model","content":[{"type":"text","text":"All work and no play makes a dull gateway, and a long answer makes for a fair comparison between all of them."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_read_input_tokens":5,"cache_creation_input_tokens":0,"output_tokens":7}}"#;
const CHAT: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"some-model","choices":[{"index":0,"message":{"role":"assistant","content":"All work and no play makes a dull gateway, and a long answer makes for a fair comparison."},"finish_reason":"stop"}],"usage":{"prompt_tokens":17,"completion_tokens":7,"total_tokens":24}}"#;

async fn tell(
    stream: &mut TcpStream,
    chat: bool,
    deltas: usize,
    pace: Duration,
) -> std::io::Result<()> {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        .await?;
    let mut events = Vec::new();
    if chat {
        events.extend((0..deltas).map(|_| data(r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}"#)));
        events.push(data(r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#));
        events.push(data("[DONE]"));
    } else {
        events.push(named("message_start", r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"some-model","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":1}}}"#));
        events.push(named(
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ));
        events.extend((0..deltas).map(|_| named("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}"#)));
        events.push(named(
            "content_block_stop",
            r#"{"type":"content_block_stop","index":0}"#,
        ));
        events.push(named("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":40}}"#));
        events.push(named("message_stop", r#"{"type":"message_stop"}"#));
    }
    for event in events {
        stream
            .write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())
            .await?;
        if pace.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(pace).await;
        }
    }
    stream.write_all(b"0\r\n\r\n").await
}

fn named(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}

fn data(json: &str) -> String {
    format!("data: {json}\n\n")
}

fn length_of(head: &[u8]) -> usize {
    String::from_utf8_lossy(head)
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| {
            line.strip_prefix("content-length:")
                .map(|length| length.trim().parse().unwrap())
        })
        .unwrap_or(0)
}
