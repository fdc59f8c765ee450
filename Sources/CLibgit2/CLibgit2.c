#include "CLibgit2.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

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
  each(git_object_type)                    \
  each(git_odb_exists)                     \
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
  each(git_reference_remove)               \
  each(git_repository_free)                \
  each(git_repository_init_ext)            \
  each(git_repository_init_options_init)   \
  each(git_repository_odb)                 \
  each(git_repository_open_ext)            \
  each(git_signature_free)                 \
  each(git_signature_new)                  \
  each(git_tag_create)                     \
  each(git_tag_target_id)                  \
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

/* zlib is loaded with libgit2, which is linked with it. */
static struct {
  int (*begin)(z_streamp, const char *, int);
  int (*inflate)(z_streamp, int);
  int (*end)(z_streamp);
} zlib;

static void load_zlib(void) {
  void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  zlib.begin = (int (*)(z_streamp, const char *, int))dlsym(library, "inflateInit_");
  zlib.inflate = (int (*)(z_streamp, int))dlsym(library, "inflate");
  zlib.end = (int (*)(z_streamp))dlsym(library, "inflateEnd");
}

/* The length of the header `TYPE SIZE` with its zero byte, and the size; 0 if it is none. */
static size_t header_length(const unsigned char *bytes, size_t count, unsigned long long *size) {
  const unsigned char *end = memchr(bytes, 0, count < 32 ? count : 32);
  if (end == NULL) return 0;
  const unsigned char *space = memchr(bytes, ' ', (size_t)(end - bytes));
  if (space == NULL || space + 1 == end) return 0;
  *size = 0;
  for (const unsigned char *digit = space + 1; digit < end; digit++) {
    if (*digit < '0' || *digit > '9' || *size > (1ULL << 50)) return 0;
    *size = *size * 10 + (unsigned long long)(*digit - '0');
  }
  return (size_t)(end - bytes) + 1;
}

enum { PIECE = 1 << 16 };

/* - Parameter whole: 0 if the header is all that is looked at. */
static enum runbook_git_loose check(int file, int whole, unsigned char *in, unsigned char *out) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (zlib.begin(&stream, ZLIB_VERSION, (int)sizeof stream) != Z_OK) return RUNBOOK_GIT_LOOSE_UNREADABLE;
  unsigned long long size = 0, expected = 0, given = 0;
  enum runbook_git_loose result = RUNBOOK_GIT_LOOSE_DAMAGED;
  int code = Z_OK;
  for (;;) {
    if (stream.avail_in == 0) {
      ssize_t count = read(file, in, PIECE);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        result = RUNBOOK_GIT_LOOSE_UNREADABLE;
        break;
      }
      /* It ends before its content does. */
      if (count == 0) break;
      stream.next_in = in;
      stream.avail_in = (uInt)count;
    }
    stream.next_out = out;
    stream.avail_out = PIECE;
    code = zlib.inflate(&stream, Z_NO_FLUSH);
    size_t got = PIECE - stream.avail_out;
    if (expected == 0 && got > 0) {
      /* zlib gives all that it can: the header comes in one piece. */
      size_t header = header_length(out, got, &size);
      if (header == 0) break;
      expected = header + size;
      if (!whole) {
        result = RUNBOOK_GIT_LOOSE_SOUND;
        break;
      }
    }
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) break;
    given += got;
    if (expected > 0 && given > expected) break;
    if (code == Z_STREAM_END) {
      unsigned char more;
      if (expected > 0 && given == expected && stream.avail_in == 0 && read(file, &more, 1) == 0)
        result = RUNBOOK_GIT_LOOSE_SOUND;
      break;
    }
  }
  zlib.end(&stream);
  return result;
}

enum runbook_git_loose runbook_git_check_loose(const char *path, int whole) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load_zlib);
  if (zlib.begin == NULL || zlib.inflate == NULL || zlib.end == NULL) {
    errno = ELIBACC;
    return RUNBOOK_GIT_LOOSE_UNREADABLE;
  }
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return errno == ENOENT || errno == ENOTDIR ? RUNBOOK_GIT_LOOSE_MISSING : RUNBOOK_GIT_LOOSE_UNREADABLE;
  enum runbook_git_loose result = RUNBOOK_GIT_LOOSE_UNREADABLE;
  unsigned char *buffers = malloc(2 * PIECE);
  if (buffers != NULL) result = check(file, whole, buffers, buffers + PIECE);
  int number = errno;
  free(buffers);
  close(file);
  errno = number;
  return result;
}
