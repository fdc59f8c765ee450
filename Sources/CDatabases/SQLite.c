#include "CDatabases.h"
#include "Library.h"
#include <stdlib.h>
#include <time.h>

/* SQLite's interface, as its manual gives it (sqlite.org/c3ref). */
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
enum { OK = 0, ROW = 100, DONE = 101, OPEN_READONLY = 1, OPEN_URI = 0x40 };
enum { STEPS_BETWEEN_LOOKS_AT_THE_CLOCK = 10000, COLUMNS = 8 };

typedef struct {
  int (*open)(const char *, sqlite3 **, int, const char *);
  int (*close)(sqlite3 *);
  int (*busy_timeout)(sqlite3 *, int);
  void (*progress)(sqlite3 *, int, int (*)(void *), void *);
  int (*prepare)(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
  int (*step)(sqlite3_stmt *);
  int (*finalize)(sqlite3_stmt *);
  int (*column_count)(sqlite3_stmt *);
  const unsigned char *(*column_text)(sqlite3_stmt *, int);
  int (*column_bytes)(sqlite3_stmt *, int);
  const char *(*error)(sqlite3 *);
} functions;

struct runbook_sqlite {
  functions call;
  sqlite3 *database;
  long long end;
};

static int is_over(void *context) { return runbook_milliseconds() >= ((runbook_sqlite *)context)->end; }

runbook_sqlite *runbook_sqlite_open(const char *library, const char *uri, int milliseconds, char message[512]) {
  message[0] = 0;
  runbook_sqlite *opened = calloc(1, sizeof *opened);
  if (!opened) return NULL;
  functions *call = &opened->call;
  const runbook_symbol symbols[] = {
      {"sqlite3_open_v2", &call->open},
      {"sqlite3_close", &call->close},
      {"sqlite3_busy_timeout", &call->busy_timeout},
      {"sqlite3_progress_handler", &call->progress},
      {"sqlite3_prepare_v2", &call->prepare},
      {"sqlite3_step", &call->step},
      {"sqlite3_finalize", &call->finalize},
      {"sqlite3_column_count", &call->column_count},
      {"sqlite3_column_text", &call->column_text},
      {"sqlite3_column_bytes", &call->column_bytes},
      {"sqlite3_errmsg", &call->error},
  };
  if (!runbook_load(library, symbols, sizeof symbols / sizeof *symbols)) {
    free(opened);
    return NULL;
  }
  if (call->open(uri, &opened->database, OPEN_READONLY | OPEN_URI, NULL) != OK) {
    runbook_copy_message(message, opened->database ? call->error(opened->database) : "out of memory");
    runbook_sqlite_close(opened);
    return NULL;
  }
  opened->end = runbook_milliseconds() + milliseconds;
  call->busy_timeout(opened->database, milliseconds);
  call->progress(opened->database, STEPS_BETWEEN_LOOKS_AT_THE_CLOCK, is_over, opened);
  return opened;
}

bool runbook_sqlite_query(runbook_sqlite *opened, const char *sql, runbook_sqlite_row row, void *context,
                          char message[512]) {
  const functions *call = &opened->call;
  sqlite3_stmt *statement = NULL;
  message[0] = 0;
  if (call->prepare(opened->database, sql, -1, &statement, NULL) != OK) {
    runbook_copy_message(message, call->error(opened->database));
    return false;
  }
  int columns = call->column_count(statement);
  if (columns > COLUMNS) columns = COLUMNS;
  int result;
  while ((result = call->step(statement)) == ROW) {
    const unsigned char *bytes[COLUMNS];
    int counts[COLUMNS];
    for (int column = 0; column < columns; ++column) {
      bytes[column] = call->column_text(statement, column);
      counts[column] = bytes[column] ? call->column_bytes(statement, column) : 0;
    }
    if (!row(context, columns, bytes, counts)) {
      result = DONE;
      break;
    }
  }
  if (result != DONE) runbook_copy_message(message, call->error(opened->database));
  call->finalize(statement);
  return result == DONE;
}

void runbook_sqlite_close(runbook_sqlite *opened) {
  if (!opened) return;
  if (opened->database) opened->call.close(opened->database);
  free(opened);
}

/* What copies a database; not all versions of the library have it. */
typedef struct {
  int (*open)(const char *, sqlite3 **, int, const char *);
  int (*close)(sqlite3 *);
  void *(*begin)(sqlite3 *, const char *, sqlite3 *, const char *);
  int (*step)(void *, int);
  int (*finish)(void *);
  const char *(*error)(sqlite3 *);
  unsigned char *(*serialize)(sqlite3 *, const char *, long long *, unsigned int);
  void (*release)(void *);
} copying;

static void (*release)(void *);

unsigned char *runbook_sqlite_copy(runbook_sqlite *opened, const char *library, long long *count, char message[512]) {
  copying call;
  const runbook_symbol symbols[] = {
      {"sqlite3_open_v2", &call.open},
      {"sqlite3_close", &call.close},
      {"sqlite3_backup_init", &call.begin},
      {"sqlite3_backup_step", &call.step},
      {"sqlite3_backup_finish", &call.finish},
      {"sqlite3_errmsg", &call.error},
      {"sqlite3_serialize", &call.serialize},
      {"sqlite3_free", &call.release},
  };
  enum { READ_WRITE = 2, CREATE = 4, ALL_PAGES = -1, BUSY = 5, LOCKED = 6 };
  unsigned char *bytes = NULL;
  message[0] = 0;
  if (!runbook_load(library, symbols, sizeof symbols / sizeof *symbols)) {
    runbook_copy_message(message, "this version of SQLite cannot give a copy");
    return NULL;
  }
  release = call.release;
  sqlite3 *copy = NULL;
  if (call.open(":memory:", &copy, READ_WRITE | CREATE, NULL) != OK) {
    runbook_copy_message(message, copy ? call.error(copy) : "out of memory");
    if (copy) call.close(copy);
    return NULL;
  }
  void *backup = call.begin(copy, "main", opened->database, "main");
  /* SQLite's own waiting grows to a tenth of a second between tries, in which a busy writer is never met at rest. */
  opened->call.busy_timeout(opened->database, 0);
  int result = DONE;
  while (backup && ((result = call.step(backup, ALL_PAGES)) == BUSY || result == LOCKED) &&
         runbook_milliseconds() < opened->end)
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  int end = backup ? call.finish(backup) : DONE;
  if (backup && result == DONE && end == OK) {
    bytes = call.serialize(copy, "main", count, 0);
    if (!bytes) runbook_copy_message(message, "out of memory");
  } else {
    runbook_copy_message(message, result == BUSY || result == LOCKED ? "a writer keeps it locked" : call.error(copy));
  }
  call.close(copy);
  return bytes;
}

void runbook_sqlite_free(unsigned char *bytes) {
  if (release) release(bytes);
}
