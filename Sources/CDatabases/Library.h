#pragma once
#include <stdbool.h>
#include <stddef.h>

/// One function of a library, and where its address goes.
typedef struct {
  const char *name;
  void *place;
} runbook_symbol;

/// Loads a library and looks its functions up. It stays loaded. False if one of them is not there.
bool runbook_load(const char *library, const runbook_symbol symbols[], size_t count);

/// Copies what fits, without white space at the end.
void runbook_copy_message(char message[512], const char *text);

/// Milliseconds of the monotonic clock.
long long runbook_milliseconds(void);
