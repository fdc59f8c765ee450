/* libgit2, loaded when it is first needed: linked, it and its 14 libraries would be loaded at every start. Its functions have their
   own names here; before any is called, runbook_git_load must have succeeded. */
#pragma once
#include <git2.h>

/// Loads libgit2, once; from any thread. Null, or why it cannot be.
const char *runbook_git_load(void);

/* git_libgit2_opts takes arguments of any number. */
static inline int runbook_git_enable(git_libgit2_opt_t option) { return git_libgit2_opts(option, 1); }

/* What a file of a loose object is. libgit2 never returns from one that ends too early: look before it reads one. */
enum runbook_git_loose {
  /* The object is not loose, or not there at all. */
  RUNBOOK_GIT_LOOSE_MISSING,
  /* It can be unpacked to its end, and is as long as it says. Its digest is not checked. */
  RUNBOOK_GIT_LOOSE_SOUND,
  RUNBOOK_GIT_LOOSE_DAMAGED,
  /* errno says why. */
  RUNBOOK_GIT_LOOSE_UNREADABLE,
};

/// - Parameter whole: 0 if it is enough that the object begins as it should.
enum runbook_git_loose runbook_git_check_loose(const char *path, int whole);
