#define _GNU_SOURCE
#include "CLinux.h"
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

static int argument_count;
static char *const *argument_vector;

/* glibc hands main's arguments to every constructor. */
__attribute__((constructor)) static void keep_arguments(int count, char *const arguments[]) {
  argument_count = count;
  argument_vector = arguments;
}

int runbook_arguments(char *const **arguments) {
  *arguments = argument_vector;
  return argument_count;
}

int runbook_spawn(pid_t *pid, const char *path, const char *directory, char *const arguments[], char *const variables[],
                  const int descriptors[], int count) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t signals;
  int failure = posix_spawn_file_actions_init(&actions);
  if (failure) return failure;
  failure = posix_spawnattr_init(&attributes);
  if (failure) {
    posix_spawn_file_actions_destroy(&actions);
    return failure;
  }
  for (int target = 0; target < count && !failure; target++)
    failure = posix_spawn_file_actions_adddup2(&actions, descriptors[target], target);
  if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(&actions, count);
  if (!failure && directory) failure = posix_spawn_file_actions_addchdir_np(&actions, directory);
  if (!failure) {
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    failure = posix_spawn(pid, path, &actions, &attributes, arguments, variables);
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

int runbook_spawn_foreground(pid_t *pid, const char *program, char *const arguments[]) {
  posix_spawnattr_t attributes;
  sigset_t signals;
  int failure = posix_spawnattr_init(&attributes);
  if (failure) return failure;
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  failure = posix_spawnp(pid, program, 0, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  return failure;
}

const void *runbook_last_byte(const void *bytes, int byte, size_t count) { return memrchr(bytes, byte, count); }

size_t runbook_count_bytes(const void *bytes, int byte, size_t count) {
  const unsigned char *all = bytes;
  size_t found = 0;
  size_t place = 0;
  // A sum that fits into a byte is one that vectors add up fast.
  for (; count - place >= 240; place += 240) {
    unsigned char part = 0;
    for (size_t i = 0; i < 240; i++) part += all[place + i] == (unsigned char)byte;
    found += part;
  }
  for (; place < count; place++) found += all[place] == (unsigned char)byte;
  return found;
}

const void *runbook_find_bytes(const void *bytes, size_t count, const void *part, size_t part_count) {
  return memmem(bytes, count, part, part_count);
}
