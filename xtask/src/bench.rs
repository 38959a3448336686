//! Speed and size, each as a ratio within one run.
pub(crate) fn run(_only: Option<&str>) -> Result<(), String> {
    Ok(())
}
