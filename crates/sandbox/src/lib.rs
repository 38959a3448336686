//! Where foreign code runs: a box without network, foreign files or foreign processes, with limits, that leaves nothing behind.
//!
//! Invariant: this is the only crate that starts a program it did not write, and nothing a model wrote runs outside a [`Room`].
//!
//! A [`Room`] is one bubblewrap box. Inside, our own program (the *porter*, [`stage`]) builds worlds, starts one program at a time in a
//! *cell* (own process namespace, no capabilities, Landlock, seccomp filter, limits), speaks to it and gathers what is left. The porter
//! is out of the program's reach: it lives outside of the cell's process namespace and cannot be traced.

pub mod detect;
pub mod message;
pub mod probe;
pub mod room;
mod sandbox;
pub mod stage;
pub mod tool;

pub use detect::{Detected, Interpreter};
pub use message::{
    Blob, Decoy, DecoyPath, DecoyRequest, End, Entry, EntryKind, Heard, Limits, Logs, Placed, Program, Request, Response, Stub,
    StubCall, Thing, World,
};
pub use probe::{ProbeRow, SelfTest};
pub use room::{Room, RoomError};
pub use sandbox::{Sandbox, SandboxError, Tier};
pub use tool::{Output, ToolError, tool};
