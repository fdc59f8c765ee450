#include "CDatabases.h"
#include "Library.h"
#include <pthread.h>

/* libmariadb's interface, as its manual gives it; MySQL's own library has the same. */
typedef struct st_mysql MYSQL;
enum { OPT_CONNECT_TIMEOUT = 0, OPT_LOCAL_INFILE = 8, OPT_READ_TIMEOUT = 11, OPT_WRITE_TIMEOUT = 12 };

/* The first mysql_init of a process sets the library up, which it does for one thread at a time only. */
static pthread_mutex_t set_up = PTHREAD_MUTEX_INITIALIZER;

runbook_login runbook_mariadb_log_in(const char *library, const runbook_mariadb_account *account, unsigned int seconds) {
  runbook_login login = {RUNBOOK_LOGIN_REFUSED, ""};
  MYSQL *(*init)(MYSQL *);
  int (*options)(MYSQL *, int, const void *);
  char (*ssl)(MYSQL *, const char *, const char *, const char *, const char *, const char *);
  MYSQL *(*connect)(MYSQL *, const char *, const char *, const char *, const char *, unsigned int, const char *,
                    unsigned long);
  const char *(*error)(MYSQL *);
  void (*close)(MYSQL *);
  const runbook_symbol symbols[] = {
      {"mysql_init", &init},           {"mysql_options", &options}, {"mysql_ssl_set", &ssl},
      {"mysql_real_connect", &connect}, {"mysql_error", &error},     {"mysql_close", &close},
  };
  if (!runbook_load(library, symbols, sizeof symbols / sizeof *symbols)) {
    login.outcome = RUNBOOK_LIBRARY_MISSING;
    return login;
  }
  pthread_mutex_lock(&set_up);
  MYSQL *connection = init(NULL);
  pthread_mutex_unlock(&set_up);
  if (!connection) return login;
  unsigned int off = 0;
  options(connection, OPT_CONNECT_TIMEOUT, &seconds);
  options(connection, OPT_READ_TIMEOUT, &seconds);
  options(connection, OPT_WRITE_TIMEOUT, &seconds);
  /* A server may ask for any file of its client. */
  options(connection, OPT_LOCAL_INFILE, &off);
  if (account->key || account->certificate || account->ca || account->ca_folder || account->cipher)
    ssl(connection, account->key, account->certificate, account->ca, account->ca_folder, account->cipher);
  if (connect(connection, account->host, account->user, account->password, account->database, account->port, NULL, 0)) {
    login.outcome = RUNBOOK_LOGGED_IN;
  } else {
    runbook_copy_message(login.message, error(connection));
  }
  close(connection);
  return login;
}
