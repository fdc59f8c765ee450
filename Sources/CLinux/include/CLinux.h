/* Linux system calls that Swift cannot import because they are variadic or macros. */
#pragma once
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

/// Makes this process the reaper of its orphaned descendants (prctl(2), PR_SET_CHILD_SUBREAPER). 0, or -1 with errno.
static inline int runbook_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L); }

/// True where the path lies in a file system that is kept in memory: tmpfs or ramfs (statfs(2)).
static inline bool runbook_is_memory_backed(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 && (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}
