/* libgit2, loaded when it is first needed: linked, it and its 14 libraries would be loaded at every start. Its functions have their
   own names here; before any is called, runbook_git_load must have succeeded. */
#pragma once
#include <git2.h>

/// Loads libgit2, once; from any thread. Null, or why it cannot be.
const char *runbook_git_load(void);

/* git_libgit2_opts takes arguments of any number. */
static inline int runbook_git_enable(git_libgit2_opt_t option) { return git_libgit2_opts(option, 1); }
