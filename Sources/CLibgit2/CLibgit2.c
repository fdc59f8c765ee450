#include "CLibgit2.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

/* Every function of libgit2 that is used. */
#define FUNCTIONS(each)                    \
  each(git_blob_create_from_stream)        \
  each(git_blob_create_from_stream_commit) \
  each(git_blob_free)                      \
  each(git_blob_lookup)                    \
  each(git_blob_rawcontent)                \
  each(git_blob_rawsize)                   \
  each(git_commit_author)                  \
  each(git_commit_create)                  \
  each(git_commit_free)                    \
  each(git_commit_lookup)                  \
  each(git_commit_message_raw)             \
  each(git_commit_parent_id)               \
  each(git_commit_parentcount)             \
  each(git_commit_tree_id)                 \
  each(git_error_last)                     \
  each(git_libgit2_init)                   \
  each(git_libgit2_opts)                   \
  each(git_object_free)                    \
  each(git_object_id)                      \
  each(git_object_lookup)                  \
  each(git_odb_free)                       \
  each(git_odb_object_data)                \
  each(git_odb_object_free)                \
  each(git_odb_object_size)                \
  each(git_odb_read)                       \
  each(git_reference_create)               \
  each(git_reference_create_matching)      \
  each(git_reference_free)                 \
  each(git_reference_iterator_free)        \
  each(git_reference_iterator_new)         \
  each(git_reference_lookup)               \
  each(git_reference_name_to_id)           \
  each(git_reference_next_name)            \
  each(git_reference_peel)                 \
  each(git_repository_free)                \
  each(git_repository_init_ext)            \
  each(git_repository_init_options_init)   \
  each(git_repository_odb)                 \
  each(git_repository_open_ext)            \
  each(git_signature_free)                 \
  each(git_signature_new)                  \
  each(git_tag_create)                     \
  each(git_tree_entry_byindex)             \
  each(git_tree_entry_id)                  \
  each(git_tree_entry_name)                \
  each(git_tree_entry_type)                \
  each(git_tree_entrycount)                \
  each(git_tree_free)                      \
  each(git_tree_lookup)                    \
  each(git_treebuilder_free)               \
  each(git_treebuilder_insert)             \
  each(git_treebuilder_new)                \
  each(git_treebuilder_write)

/* Each function is a jump to where the library has it, which passes every argument on as it came. */
#if defined(__x86_64__)
#define JUMP(name) \
  __asm__(".text\n.globl " #name "\n.hidden " #name "\n.type " #name ",@function\n" #name ":\n endbr64\n jmp *runbook_" #name "(%rip)\n");
#elif defined(__aarch64__)
#define JUMP(name)                                                                                                  \
  __asm__(".text\n.globl " #name "\n.hidden " #name "\n.type " #name ",%function\n" #name ":\n adrp x16, runbook_" #name \
          "\n ldr x16, [x16, :lo12:runbook_" #name "]\n br x16\n");
#else
#error "no jumps are written for this processor"
#endif

#define PLACE(name) __attribute__((visibility("hidden"))) void *runbook_##name;
FUNCTIONS(PLACE)
FUNCTIONS(JUMP)

static char problem[256];

/* The versions whose structures the headers describe. */
static void load(void) {
  char file[64];
  snprintf(file, sizeof file, "libgit2.so.%d.%d", LIBGIT2_VER_MAJOR, LIBGIT2_VER_MINOR);
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    snprintf(problem, sizeof problem, "%s", reason != NULL ? reason : "no reason given");
    return;
  }
#define FIND(name)                                                                                    \
  if ((runbook_##name = dlsym(library, #name)) == NULL && problem[0] == 0)                            \
    snprintf(problem, sizeof problem, "it has no function %s", #name);
  FUNCTIONS(FIND)
}

const char *runbook_git_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return problem[0] != 0 ? problem : NULL;
}
