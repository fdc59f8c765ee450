/* Linux system calls that Swift cannot import because they are variadic or macros. */
#pragma once
#include <sys/prctl.h>

/// Makes this process the reaper of its orphaned descendants (prctl(2), PR_SET_CHILD_SUBREAPER). 0, or -1 with errno.
static inline int runbook_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L); }
