//! What the tests share: the program in a scrubbed environment, a scripted endpoint, and small studies.

pub(crate) mod endpoint;
pub(crate) mod program;
pub(crate) mod study;

pub(crate) use endpoint::{Endpoint, Reply};
pub(crate) use program::{Ended, Place};
pub(crate) use study::Study;
