/* confine - see confine.h. */
#include "confine.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum : rlim_t {
    DESCRIPTORS = 4, /* 0 to 2, and the file of the request */
    /* A frame of 1 GiB and its stream; of JPEG 2000, which takes 32 bits a sample twice, one of 400 million samples. */
    MEMORY_BYTES = rlim_t(4) << 30
};

/* For good; a limit that is lower already stays. */
static bool limit(__rlimit_resource resource, rlim_t value)
{
    rlimit now;
    if (getrlimit(resource, &now) != 0)
        return false;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
        value = now.rlim_max;
    const rlimit both = {value, value};
    return setrlimit(resource, &both) == 0;
}

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef THIS_ARCHITECTURE
/* What reaches out of the process. All else the kernel lets through: it needs a descriptor, of which there are three.
 */
static const unsigned refused_calls[] = {
    /* files and sockets */
    SYS_openat,
    SYS_openat2,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_memfd_create,
    SYS_mount,
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept4,
    SYS_io_uring_setup,
    /* other processes */
    SYS_execve,
    SYS_execveat,
    SYS_clone,
    SYS_clone3,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_prlimit64,
    SYS_setpriority,
    SYS_sched_setaffinity,
    /* the kernel */
    SYS_bpf,
    SYS_unshare,
    SYS_setns,
    SYS_keyctl,
    SYS_add_key,
    SYS_perf_event_open,
    SYS_userfaultfd,
#ifdef SYS_open
    SYS_open,
    SYS_creat,
    SYS_unlink,
    SYS_rename,
    SYS_accept,
    SYS_fork,
    SYS_vfork,
    SYS_setrlimit,
#endif
};

static bool filter_calls()
{
    enum { COUNT = sizeof refused_calls / sizeof refused_calls[0], LEN = COUNT + 7 };
    sock_filter program[LEN];
    unsigned at = 0;
    program[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    program[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0);
    program[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    /* On x86-64, numbers from here on are a second way to each call. */
    program[at++] = BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, uint8_t(COUNT + 1), 0);
    for (unsigned i = 0; i < COUNT; i++)
        program[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused_calls[i], uint8_t(COUNT - i), 0);
    program[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    const sock_fprog filter = {uint16_t(LEN), program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
#else
static bool filter_calls()
{
    return false;
}
#endif

bool confine()
{
    bool limited = limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NOFILE, DESCRIPTORS);
    /* A sanitizer's shadow memory is larger than any limit. */
    limited = limited && (SANITIZED || limit(RLIMIT_AS, MEMORY_BYTES));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        (void)filter_calls(); /* a kernel without filters still has the limits */
    return limited;
}
