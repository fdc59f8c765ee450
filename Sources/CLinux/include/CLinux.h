/* Linux system calls that Swift cannot import because they are variadic or macros, or that the oldest C library we
   support does not offer yet. Each returns what its system call does: -1 with errno on failure. */
#pragma once
#include <linux/memfd.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>
#include <linux/inet_diag.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/// Makes this process the reaper of its orphaned descendants (prctl(2), PR_SET_CHILD_SUBREAPER). 0, or -1 with errno.
static inline int runbook_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L); }

/// A descriptor of the process that becomes readable when it ends (pidfd_open(2)); close-on-exec.
static inline int runbook_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0u); }

/// Sends a signal to exactly the process that the descriptor stands for (pidfd_send_signal(2)).
static inline int runbook_pidfd_send_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0u);
}

/// A close-on-exec descriptor that becomes readable, for good, by `runbook_event_announce` (eventfd(2)).
static inline int runbook_event(void) { return eventfd(0, EFD_CLOEXEC); }
static inline int runbook_event_announce(int event) { return eventfd_write(event, 1); }

/// Puts the calling thread, and no other, into the network namespace that a descriptor of `/proc/PID/ns/net` stands for (setns(2)).
static inline int runbook_enter_network(int namespace) { return (int)syscall(SYS_setns, namespace, 0x40000000); }

/// An empty close-on-exec file in memory that has no name anywhere (memfd_create(2)).
static inline int runbook_memory_file(void) { return (int)syscall(SYS_memfd_create, "credential", MFD_CLOEXEC); }

/// A close-on-exec pipe: what is written to `ends[1]` comes out of `ends[0]` (pipe2(2)).
static inline int runbook_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

/// Renames as renameat(2) does, and fails with EEXIST if the new name is taken (renameat2(2), RENAME_NOREPLACE). EINVAL if the
/// file system does not know how.
static inline int runbook_rename_to_free(int from, const char *name, int to, const char *new_name) {
  return (int)syscall(SYS_renameat2, from, name, to, new_name, 1u);
}

/// Lets two names change their places at the same moment (renameat2(2), RENAME_EXCHANGE).
static inline int runbook_exchange(int from, const char *name, int to, const char *new_name) {
  return (int)syscall(SYS_renameat2, from, name, to, new_name, 2u);
}

/// Brings all that was written to the file system of an open file to its disk (syncfs(2)).
static inline int runbook_sync_file_system(int file) { return (int)syscall(SYS_syncfs, file); }

/// How a child ended.
typedef struct {
  /// Whether it had ended and is reaped now; nothing else holds a meaning without.
  int reaped;
  /// Whether a signal ended it.
  int signalled;
  /// The signal's number, or the exit status.
  int status;
} runbook_ending;

/// Reaps a child as waitpid(2) with `options` does.
static inline runbook_ending runbook_reap_with(pid_t pid, int options) {
  int status = 0;
  pid_t reaped;
  do reaped = waitpid(pid, &status, options);
  while (reaped < 0 && errno == EINTR);
  if (reaped != pid) return (runbook_ending){0, 0, 0};
  if (WIFSIGNALED(status)) return (runbook_ending){1, 1, WTERMSIG(status)};
  return (runbook_ending){1, 0, WEXITSTATUS(status)};
}

/// Reaps a child if it has ended, without waiting.
static inline runbook_ending runbook_reap(pid_t pid) { return runbook_reap_with(pid, WNOHANG); }

/// Waits until a child has ended and reaps it; `reaped` is 0 on failure, with errno.
static inline runbook_ending runbook_wait(pid_t pid) { return runbook_reap_with(pid, 0); }

/// A close-on-exec duplicate of `descriptor` whose number is at least `minimum` (fcntl(2), F_DUPFD_CLOEXEC).
static inline int runbook_duplicate_above(int descriptor, int minimum) {
  return fcntl(descriptor, F_DUPFD_CLOEXEC, minimum);
}

/// Makes reads from and writes to `descriptor` return EAGAIN instead of waiting (fcntl(2), O_NONBLOCK).
static inline int runbook_set_nonblocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

/// Starts a program as the leader of a new session, with default signal dispositions and no signal blocked
/// (posix_spawn(3)). It gets `descriptors` as its 0, 1, 2, …, `count` of them, and no others; their own numbers must be at
/// least `count`. `directory` may be null. Returns 0, or an error number.
int runbook_spawn(pid_t *pid, const char *path, const char *directory, char *const arguments[], char *const variables[],
                  const int descriptors[], int count);

/// True where the path lies in a file system that is kept in memory: tmpfs or ramfs (statfs(2)).
static inline bool runbook_is_memory_backed(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 && (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

/// 1 if an open file lies on a file system of another host (NFS, SMB, Ceph, AFS, 9P), 0 if not, -1 with errno (fstatfs(2)).
static inline int runbook_is_remote(int file) {
  struct statfs status;
  if (fstatfs(file, &status) != 0) return -1;
  switch ((unsigned int)status.f_type) {
  case NFS_SUPER_MAGIC:
  case SMB_SUPER_MAGIC:
  case CIFS_SUPER_MAGIC:
  case 0xFE534D42u:  // SMB2_SUPER_MAGIC, which older headers lack.
  case CEPH_SUPER_MAGIC:
  case AFS_SUPER_MAGIC:
  case V9FS_MAGIC: return 1;
  default: return 0;
  }
}

/// The value of an extended attribute of a file, links followed, in `value` (getxattr(2)). Returns its length; -1 with errno set
/// on a failure.
static inline ssize_t runbook_attribute(const char *path, const char *name, void *value, size_t size) {
  return getxattr(path, name, value, size);
}

/// Starts a program, looked for in PATH, that shares our session, group, environment and descriptors, with default
/// signal dispositions (posix_spawnp(3)). Returns 0, or an error number.
int runbook_spawn_foreground(pid_t *pid, const char *program, char *const arguments[]);

/// What the kernel says of the system's clock (adjtimex(2)).
typedef struct {
  /// Whether nobody keeps the clock in step with others (STA_UNSYNC).
  int is_unsynchronised;
  /// How far it may be off at most, in microseconds, as whoever keeps it says.
  long max_error;
} runbook_clock;

/// Asks the kernel without changing anything; -1 with errno where that is not allowed.
static inline int runbook_clock_status(runbook_clock *clock) {
  struct timex status = {.modes = 0};
  int state = adjtimex(&status);
  if (state < 0) return -1;
  clock->is_unsynchronised = state == TIME_ERROR && (status.status & STA_UNSYNC) != 0;
  clock->max_error = status.maxerror;
  return 0;
}

/// The last of `count` bytes that is `byte` (memrchr(3)), or null.
const void *runbook_last_byte(const void *bytes, int byte, size_t count);

/// How many of `count` bytes are `byte`.
size_t runbook_count_bytes(const void *bytes, int byte, size_t count);

/// The first place of `part` in `bytes` (memmem(3)), or null.
const void *runbook_find_bytes(const void *bytes, size_t count, const void *part, size_t part_count);

/// The number of arguments with which this process was started, the program's name included; `arguments` gets them, for as
/// long as the process lives. Unlike /proc/self/cmdline they are there in every container.
int runbook_arguments(char *const **arguments);
