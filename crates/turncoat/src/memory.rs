//! Memory between stations: what one station of a large study used is not held while the next one works.

/// Gives memory that is free inside this process back to the system. The C library keeps it otherwise, in pieces between what is
/// still used; asking, scoring, analysis and page would each add their own on top.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[expect(unsafe_code, reason = "a call into the C library, which has no preconditions and takes its own locks")]
        // SAFETY: it touches nothing but free memory, and may be called at any time from any thread.
        let _released = unsafe { libc::malloc_trim(0) };
    }
}
