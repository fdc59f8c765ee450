// A library that tests preload into runbook (LD_PRELOAD). It counts the calls with which runbook changes files of its state, and
// does something to the one whose number is in CRASH_AT, from 1:
//
//   CRASH_HOW=kill   the process gets SIGKILL before it
//   CRASH_HOW=torn   half of a write is done, then the process gets SIGKILL
//   CRASH_HOW=eio    a sync fails with EIO
//   CRASH_HOW=full   a write fails with ENOSPC
//   CRASH_HOW=short  every write does half of what it was asked for
//
// Calls on files outside a folder .runbook are not counted. CRASH_COUNT names a file that gets the number of calls so far.
//
// CRASH_DURABLE names a folder that gets what a loss of power would leave of the project in CRASH_ROOT: with each sync of a file
// its bytes, as `file-ID`, and with each sync of a folder its listing, as `folder-ID`, or `root` for CRASH_ROOT itself. A line of
// a listing is: kind (f, d, or - for what is neither), mode, ID, name. An ID is the inode's number and the time when it was made,
// since numbers are given again.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int count;

static long raw(long number, long a, long b, long c, long d, long e) {
  static long (*next)(long, ...);
  if (!next) next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return next(number, a, b, c, d, e, 0L);
}

static int is_how(const char *how) {
  const char *given = getenv("CRASH_HOW");
  return given && strcmp(given, how) == 0;
}

static int is_of_state(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strstr(path, "/.runbook") != NULL;
}

/// Whether this is the call that something is to be done to.
static int is_point(void) {
  int number = atomic_fetch_add(&count, 1) + 1;
  const char *file = getenv("CRASH_COUNT"), *at = getenv("CRASH_AT");
  if (file) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d", number);
    int descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor >= 0) {
      raw(SYS_pwrite64, descriptor, (long)text, length, 0, 0);
      close(descriptor);
    }
  }
  return at && atoi(at) == number;
}

static void die(void) {
  raw(SYS_kill, getpid(), SIGKILL, 0, 0, 0);
  for (;;) pause();
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  if (!is_of_state(descriptor)) return raw(SYS_write, descriptor, (long)bytes, (long)length, 0, 0);
  if (is_point()) {
    if (is_how("kill")) die();
    if (is_how("torn")) {
      raw(SYS_write, descriptor, (long)bytes, (long)(length / 2), 0, 0);
      die();
    }
    if (is_how("full")) {
      errno = ENOSPC;
      return -1;
    }
  }
  if (is_how("short") && length > 1) length /= 2;
  return raw(SYS_write, descriptor, (long)bytes, (long)length, 0, 0);
}

static void fail(const char *what) {
  dprintf(2, "crash-points: %s: %s\n", what, strerror(errno));
  abort();
}

/// The id of a file and what is known of it besides.
static void identify(int folder, const char *name, struct statx *status, char id[64]) {
  if (statx(folder, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, status)) fail("statx");
  if (!(status->stx_mask & STATX_BTIME)) fail("this file system does not know when a file was made");
  snprintf(id, 64, "%llu-%lld.%u", (unsigned long long)status->stx_ino, (long long)status->stx_btime.tv_sec,
           status->stx_btime.tv_nsec);
}

static void put(int to, const char *bytes, size_t length) {
  while (length > 0) {
    long count = raw(SYS_write, to, (long)bytes, (long)length, 0, 0);
    if (count < 0) fail("write");
    bytes += count;
    length -= (size_t)count;
  }
}

static void put_listing(int to, int descriptor) {
  int own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = own < 0 ? NULL : fdopendir(own);
  if (!folder) fail("opendir");
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct statx status;
    char id[64], line[512];
    identify(own, entry->d_name, &status, id);
    char kind = S_ISREG(status.stx_mode) ? 'f' : S_ISDIR(status.stx_mode) ? 'd' : '-';
    int length = snprintf(line, sizeof line, "%c %o %s %s\n", kind, status.stx_mode & 07777, id, entry->d_name);
    put(to, line, (size_t)length);
  }
  closedir(folder);
}

static void put_content(int to, int descriptor) {
  char path[64], bytes[65536];
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  int own = open(path, O_RDONLY | O_CLOEXEC);
  if (own < 0) fail("open");
  for (long count; (count = raw(SYS_read, own, (long)bytes, sizeof bytes, 0, 0)) != 0;) {
    if (count < 0) fail("read");
    put(to, bytes, (size_t)count);
  }
  close(own);
}

/// Keeps what a sync has brought to the disk, whole or not at all.
static void keep(int descriptor) {
  const char *durable = getenv("CRASH_DURABLE"), *root = getenv("CRASH_ROOT");
  if (!durable || !root) return;
  char link[64], path[4096], aside[4096], name[4096], id[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  size_t prefix = strlen(root);
  if (strncmp(path, root, prefix) || (path[prefix] && strncmp(path + prefix, "/.runbook", 9))) return;
  struct statx status;
  identify(descriptor, "", &status, id);
  int is_folder = S_ISDIR(status.stx_mode);
  if (!is_folder && !S_ISREG(status.stx_mode)) return;
  static atomic_int number;
  snprintf(aside, sizeof aside, "%s/.%d-%d", durable, (int)getpid(), atomic_fetch_add(&number, 1));
  snprintf(name, sizeof name, path[prefix] ? "%s/%s-%s" : "%s/root", durable, is_folder ? "folder" : "file", id);
  int to = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (to < 0) fail("open");
  if (is_folder) put_listing(to, descriptor);
  else put_content(to, descriptor);
  close(to);
  if (raw(SYS_renameat2, AT_FDCWD, (long)aside, AT_FDCWD, (long)name, 0)) fail("rename");
}

static int sync_file(long number, int descriptor) {
  if (is_of_state(descriptor) && is_point()) {
    if (is_how("kill")) die();
    if (is_how("eio")) {
      errno = EIO;
      return -1;
    }
  }
  int result = (int)raw(number, descriptor, 0, 0, 0, 0);
  if (result == 0) keep(descriptor);
  return result;
}

int fdatasync(int descriptor) { return sync_file(SYS_fdatasync, descriptor); }
int fsync(int descriptor) { return sync_file(SYS_fsync, descriptor); }

static void before_rename(int folder, const char *name) {
  if (!(strstr(name, "/.runbook") || (name[0] != '/' && folder >= 0 && is_of_state(folder)))) return;
  if (is_point() && is_how("kill")) die();
}

int renameat(int from, const char *name, int to, const char *new_name) {
  before_rename(to, new_name);
  return (int)raw(SYS_renameat2, from, (long)name, to, (long)new_name, 0);
}

int rename(const char *name, const char *new_name) {
  before_rename(-1, new_name);
  return (int)raw(SYS_renameat2, AT_FDCWD, (long)name, AT_FDCWD, (long)new_name, 0);
}

/// renameat2(2) is called by its number.
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long),
       e = va_arg(list, long);
  va_end(list);
  if (number == SYS_renameat2) before_rename((int)c, (const char *)d);
  return raw(number, a, b, c, d, e);
}
