//! How a model runs in this process: GGUF weights in, text out.
//!
//! Invariant: the same weights, prompt, sampling and seed give the same text on the same CPU features, however many threads run
//! and whatever else runs beside it; and nothing here starts a program or opens a connection: weights that are not on the disk
//! are had through a [`Fetch`] that the caller hands in, and are checked against a pinned size and SHA-256 before they are used.

mod architecture;
mod attention;
mod cache;
mod catalogue;
mod digest;
mod error;
mod gguf;
mod llama;
mod matrix;
mod memory;
mod model;
mod rope;
mod sampling;
mod template;
mod tokenizer;
mod transcript;
mod weights;

pub use catalogue::{CatalogueEntry, CatalogueError, Package};
pub use error::ModelError;
pub use model::{About, Finish, Generated, Model};
pub use sampling::Sampling;
pub use weights::{Fetch, Located, Origin, Progress, Tool, Weights, WeightsError, cache_folder};
