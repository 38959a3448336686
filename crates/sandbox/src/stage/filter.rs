//! The seccomp filter of the cell: what no answer needs and an attack might.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Refused with EPERM whatever the arguments.
const REFUSED: &[libc::c_long] = &[
    // Other processes' memory and descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Namespaces, mounts, roots.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // Parts of the kernel with a long history of holes.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_quotactl,
    // The machine itself.
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // Objects that would outlive the process and carry words from one case to the next.
    libc::SYS_shmget,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
];

#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] =
    &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_kexec_file_load, libc::SYS_uselib];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// Every `clone` flag that makes a namespace.
const NEW_NAMESPACES: [u64; 8] =
    [0x1000_0000, 0x2000_0000, 0x4000_0000, 0x0002_0000, 0x0400_0000, 0x0800_0000, 0x0200_0000, 0x0000_0080];

/// `ioctl` requests that push input into a terminal.
const TERMINAL_INPUT: [u64; 2] = [0x5412, 0x541C];

/// The bit by which x86-64 marks its x32 calls; the filter names each call in both numberings.
#[cfg(target_arch = "x86_64")]
const OTHER_NUMBERING: Option<libc::c_long> = Some(0x4000_0000);
#[cfg(not(target_arch = "x86_64"))]
const OTHER_NUMBERING: Option<libc::c_long> = None;

/// Puts the filters on the calling thread and all it starts.
pub(super) fn apply() -> Result<(), String> {
    for program in programs().map_err(|error| error.to_string())? {
        seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Three filters, since each has one verdict: EPERM, ENOSYS for `clone3` (so that libraries fall back to `clone`, whose
/// flags a filter can read), EAFNOSUPPORT for socket families beyond unix and inet.
fn programs() -> Result<Vec<BpfProgram>, seccompiler::Error> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in REFUSED.iter().chain(REFUSED_HERE) {
        name(&mut refused, *call, Vec::new());
    }
    name(&mut refused, libc::SYS_clone, each(0, SeccompCmpArgLen::Qword, &NEW_NAMESPACES, SeccompCmpOp::MaskedEq)?);
    name(&mut refused, libc::SYS_ioctl, each(1, SeccompCmpArgLen::Dword, &TERMINAL_INPUT, |_| SeccompCmpOp::Eq)?);

    let mut missing = BTreeMap::new();
    name(&mut missing, libc::SYS_clone3, Vec::new());

    let other_family = SeccompRule::new(
        [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6]
            .into_iter()
            .map(|family| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())))
            .collect::<Result<Vec<_>, _>>()?,
    )?;
    let mut family = BTreeMap::new();
    name(&mut family, libc::SYS_socket, vec![other_family]);

    [(refused, libc::EPERM), (missing, libc::ENOSYS), (family, libc::EAFNOSUPPORT)]
        .into_iter()
        .map(|(rules, errno)| compile(rules, errno.unsigned_abs()))
        .collect()
}

fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: u32) -> Result<BpfProgram, seccompiler::Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(BpfProgram::try_from(SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), arch)?)?)
}

fn name(rules: &mut BTreeMap<i64, Vec<SeccompRule>>, call: libc::c_long, when: Vec<SeccompRule>) {
    if let Some(bit) = OTHER_NUMBERING {
        rules.insert(call | bit, when.clone());
    }
    rules.insert(call, when);
}

/// One rule for each value: the argument compared with it.
fn each(
    argument: u8,
    width: SeccompCmpArgLen,
    values: &[u64],
    compare: impl Fn(u64) -> SeccompCmpOp,
) -> Result<Vec<SeccompRule>, seccompiler::Error> {
    let rule =
        |value: &u64| Ok(SeccompRule::new(vec![SeccompCondition::new(argument, width.clone(), compare(*value), *value)?])?);
    values.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_compile_and_fit_the_kernels_length() {
        let programs = programs().unwrap();
        assert_eq!(programs.len(), 3);
        assert!(programs.iter().all(|program| !program.is_empty() && program.len() < 4096));
    }
}
