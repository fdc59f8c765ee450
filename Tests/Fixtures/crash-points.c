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
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int sync_file(long number, int descriptor) {
  if (is_of_state(descriptor) && is_point()) {
    if (is_how("kill")) die();
    if (is_how("eio")) {
      errno = EIO;
      return -1;
    }
  }
  return (int)raw(number, descriptor, 0, 0, 0, 0);
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
