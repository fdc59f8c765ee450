#include "CDatabases.h"
#include "Library.h"
#include <poll.h>

/* libpq's interface, as its manual gives it (PostgreSQL 15, chapter 34.1). */
typedef struct pg_conn PGconn;
enum { CONNECTION_OK = 0, CONNECTION_BAD = 1 };
enum { PGRES_POLLING_FAILED = 0, PGRES_POLLING_READING = 1, PGRES_POLLING_WRITING = 2, PGRES_POLLING_OK = 3 };

static void say_nothing(void *context, const char *message) {
  (void)context;
  (void)message;
}

runbook_login runbook_postgresql_log_in(const char *library, const char *connection_string, int milliseconds) {
  runbook_login login = {RUNBOOK_LOGIN_REFUSED, ""};
  PGconn *(*start)(const char *const *, const char *const *, int);
  int (*advance)(PGconn *), (*status)(const PGconn *), (*descriptor)(const PGconn *);
  char *(*error)(const PGconn *);
  void (*finish)(PGconn *);
  void *(*notices)(PGconn *, void (*)(void *, const char *), void *);
  const runbook_symbol symbols[] = {
      {"PQconnectStartParams", &start}, {"PQconnectPoll", &advance}, {"PQstatus", &status},
      {"PQsocket", &descriptor},        {"PQerrorMessage", &error},  {"PQfinish", &finish},
      {"PQsetNoticeProcessor", &notices},
  };
  if (!runbook_load(library, symbols, sizeof symbols / sizeof *symbols)) {
    login.outcome = RUNBOOK_LIBRARY_MISSING;
    return login;
  }
  long long end = runbook_milliseconds() + milliseconds;
  /* Passwords that whoever runs this keeps in ~/.pgpass are not coturn's. There can be no such file: libpq says nothing of
     that, but warns on standard error of one that is no plain file. A passfile of the connection string wins over it. */
  const char *const names[] = {"passfile", "dbname", "fallback_application_name", NULL};
  const char *const values[] = {"/dev/null/none", connection_string, "runbook", NULL};
  PGconn *connection = start(names, values, 1);
  if (!connection) return login;
  notices(connection, say_nothing, NULL);
  int next = PGRES_POLLING_WRITING;
  while (status(connection) != CONNECTION_BAD && (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING)) {
    struct pollfd event = {descriptor(connection), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0};
    long long left = end - runbook_milliseconds();
    if (left <= 0) {
      login.outcome = RUNBOOK_LOGIN_OUT_OF_TIME;
      finish(connection);
      return login;
    }
    if (poll(&event, 1, (int)left) == 1) next = advance(connection);
  }
  if (next == PGRES_POLLING_OK && status(connection) == CONNECTION_OK) {
    login.outcome = RUNBOOK_LOGGED_IN;
  } else {
    runbook_copy_message(login.message, error(connection));
  }
  finish(connection);
  return login;
}
