/* libgit2's headers, and what Swift cannot import of them. */
#pragma once
#include <git2.h>

/* git_libgit2_opts takes arguments of any number. */
static inline int runbook_git_enable(git_libgit2_opt_t option) { return git_libgit2_opts(option, 1); }
