#include "Library.h"
#include <ctype.h>
#include <dlfcn.h>
#include <string.h>
#include <time.h>

bool runbook_load(const char *library, const runbook_symbol symbols[], size_t count) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return false;
  for (size_t index = 0; index < count; ++index) {
    void *address = dlsym(handle, symbols[index].name);
    if (!address) return false;
    memcpy(symbols[index].place, &address, sizeof address);
  }
  return true;
}

void runbook_copy_message(char message[512], const char *text) {
  size_t length = text ? strnlen(text, 511) : 0;
  while (length > 0 && isspace((unsigned char)text[length - 1])) --length;
  if (length > 0) memcpy(message, text, length);
  message[length] = 0;
}

long long runbook_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}
