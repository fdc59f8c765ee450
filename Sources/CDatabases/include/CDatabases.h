/* Clients of the databases that coturn keeps its users in. Their libraries are loaded when one is asked for, so that a program
   that asks for none neither needs nor loads them. Every function blocks; none prints anything. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// How an attempt to log in ended.
typedef enum {
  RUNBOOK_LOGGED_IN,
  /// The client's library is not installed, or is not the one it is named after.
  RUNBOOK_LIBRARY_MISSING,
  RUNBOOK_LOGIN_REFUSED,
  RUNBOOK_LOGIN_OUT_OF_TIME,
} runbook_login_outcome;

typedef struct {
  runbook_login_outcome outcome;
  /// What the library or the server said; UTF-8 in the best case, empty if they said nothing.
  char message[512];
} runbook_login;

/// Logs in to PostgreSQL as PQconnectdb does with a connection string, and out again.
///
/// - library: its file name, `libpq.so.5`.
runbook_login runbook_postgresql_log_in(const char *library, const char *connection_string, int milliseconds);

/// How to log in to MariaDB or MySQL. What is null is not given; port 0 is the default one.
typedef struct {
  const char *host;
  const char *user;
  const char *password;
  const char *database;
  unsigned int port;
  const char *key, *certificate, *ca, *ca_folder, *cipher;
} runbook_mariadb_account;

/// Logs in to MariaDB or MySQL, and out again.
///
/// - library: its file name, `libmariadb.so.3`.
/// - seconds: what connecting, each read and each write may take.
runbook_login runbook_mariadb_log_in(const char *library, const runbook_mariadb_account *account, unsigned int seconds);

/// A SQLite database that is open for reading.
typedef struct runbook_sqlite runbook_sqlite;

/// Opens an existing SQLite database for reading; creates nothing. Null with `message` set on failure; with an empty message where
/// the library is missing.
///
/// - uri: `file:PATH?mode=ro`, percent-encoded.
/// - milliseconds: after them every query ends with an error.
runbook_sqlite *runbook_sqlite_open(const char *library, const char *uri, int milliseconds, char message[512]);

/// Takes one row: the bytes of each column, not terminated. Returns false to hear no more.
typedef bool (*runbook_sqlite_row)(void *context, int columns, const unsigned char *const bytes[], const int counts[]);

/// Runs a query that reads. False with `message` set on failure.
bool runbook_sqlite_query(runbook_sqlite *database, const char *sql, runbook_sqlite_row row, void *context,
                          char message[512]);

/// A copy of the database as of one moment, through SQLite's backup interface: the bytes of a file that SQLite can open, to be
/// given back with runbook_sqlite_free. Null with `message` set on failure.
unsigned char *runbook_sqlite_copy(runbook_sqlite *database, const char *library, long long *count, char message[512]);

void runbook_sqlite_free(unsigned char *bytes);

void runbook_sqlite_close(runbook_sqlite *database);
