//! What a client sends.

use bytes::Bytes;

use crate::domain::code::Code;
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::writer::Admission;
use crate::pane::Attachment;
use crate::remote::protocol::{Notice, Request, ToServer, close};
use crate::remote::session::client::{Client, InputOutcome};
use crate::remote::session::connection::{CloseReason, Connection, MessageHandler, REPLACED};
use crate::remote::session::flow::Flow;

/// What comes from one client.
pub(super) struct Incoming<'s> {
    pub attachment: &'s Attachment,
    pub connection: &'s Connection,
    pub flow: &'s Flow,
    pub client: &'s Client,
}

impl Incoming<'_> {
    async fn input(&self, id: u64, input: Input) -> Result<(), CloseReason> {
        let taken = self
            .connection
            .input(|| self.client.type_once(id, self.attachment, || input.clone()))
            .await?;
        let typed = match taken {
            Some(InputOutcome::Taken(taken)) => taken == Admission::Accepted,
            Some(InputOutcome::Replaced) => return Err(REPLACED),
            Some(InputOutcome::Gap) => {
                return Err(CloseReason::server(
                    close::PROTOCOL,
                    "input ids count up by one",
                ));
            }
            None => {
                self.client.pass_over(id);
                let told = Notice::Error {
                    code: Code::InputFull.as_str().to_owned(),
                    message: "the program does not read what is typed: this was dropped".to_owned(),
                };
                self.connection.reply(told.to_message()).await;
                false
            }
        };
        let ack = Notice::InputAck { id, typed };
        self.connection.reply(ack.to_message()).await;
        Ok(())
    }
}

impl MessageHandler for Incoming<'_> {
    async fn on_binary(&mut self, bytes: Bytes) -> Result<(), CloseReason> {
        match ToServer::decode(&bytes) {
            Ok(ToServer::Ack { seq }) => {
                self.flow.ack(seq);
                Ok(())
            }
            Ok(ToServer::Input { id, bytes }) => self.input(id, Input::Bytes(bytes.to_vec())).await,
            Ok(ToServer::Key { id, key }) => self.input(id, Input::Key(key.event())).await,
            Ok(ToServer::Paste { id, text }) => self.input(id, Input::Paste(text)).await,
            Err(_) => Err(CloseReason::server(close::PROTOCOL, "malformed frame")),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), CloseReason> {
        let request = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(error) => {
                let told = Notice::Error {
                    code: Code::BadRequest.as_str().to_owned(),
                    message: error.to_string(),
                };
                self.connection.reply(told.to_message()).await;
                return Ok(());
            }
        };
        match request {
            Request::Attach { .. } => {
                return Err(CloseReason::server(close::PROTOCOL, "attached already"));
            }
            Request::Resize { cols, rows } if cols > 0 && rows > 0 => {
                self.attachment.resize(Size::clamped(cols, rows));
            }
            Request::Resize { .. } => {}
            Request::Take => {
                self.attachment.take();
            }
            Request::Ping => self.connection.reply(Notice::Pong.to_message()).await,
        }
        Ok(())
    }
}
