//! The shape in which the store goes over to the next program: what is written stays in its file.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptStore {
    /// The instance's own id in all tables, whose row goes on.
    pub(super) instance_id: String,
}
