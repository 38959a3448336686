//! Pages made from the code.
pub(crate) fn run(_check: bool) -> Result<(), String> {
    Ok(())
}
