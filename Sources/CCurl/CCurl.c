#include "CCurl.h"
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

/* Every function of libcurl that is used. */
#define FUNCTIONS(each)      \
  each(curl_global_init)     \
  each(curl_version_info)    \
  each(curl_getdate)         \
  each(curl_free)            \
  each(curl_easy_init)       \
  each(curl_easy_cleanup)    \
  each(curl_easy_setopt)     \
  each(curl_easy_getinfo)    \
  each(curl_easy_strerror)   \
  each(curl_slist_append)    \
  each(curl_slist_free_all)  \
  each(curl_multi_init)      \
  each(curl_multi_cleanup)   \
  each(curl_multi_add_handle)    \
  each(curl_multi_remove_handle) \
  each(curl_multi_perform)   \
  each(curl_multi_poll)      \
  each(curl_multi_info_read) \
  each(curl_url)             \
  each(curl_url_cleanup)     \
  each(curl_url_set)         \
  each(curl_url_get)

static struct {
#define DECLARE(name) __typeof__(&name) name;
  FUNCTIONS(DECLARE)
} lib;

static char problem[256];

static void *find(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (function == NULL && problem[0] == 0) snprintf(problem, sizeof problem, "it has no function %s", name);
  return function;
}

static void load(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    snprintf(problem, sizeof problem, "%s", reason != NULL ? reason : "no reason given");
    return;
  }
#define FIND(name) lib.name = (__typeof__(&name))find(library, #name);
  FUNCTIONS(FIND)
  if (problem[0] != 0) return;
  CURLcode code = lib.curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) snprintf(problem, sizeof problem, "%s", lib.curl_easy_strerror(code));
}

const char *runbook_curl_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return problem[0] != 0 ? problem : NULL;
}

const char *runbook_curl_version(void) { return lib.curl_version_info(CURLVERSION_NOW)->version; }

CURL *runbook_curl_new(void) { return lib.curl_easy_init(); }
void runbook_curl_free(CURL *transfer) { lib.curl_easy_cleanup(transfer); }

CURLcode runbook_curl_set_number(CURL *transfer, CURLoption option, long value) {
  return lib.curl_easy_setopt(transfer, option, value);
}

CURLcode runbook_curl_set_text(CURL *transfer, CURLoption option, const char *value) {
  return lib.curl_easy_setopt(transfer, option, value);
}

CURLcode runbook_curl_set_list(CURL *transfer, CURLoption option, struct curl_slist *value) {
  return lib.curl_easy_setopt(transfer, option, value);
}

CURLcode runbook_curl_set_body(CURL *transfer, const void *bytes, int64_t count) {
  CURLcode code = lib.curl_easy_setopt(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
  return code != CURLE_OK ? code : lib.curl_easy_setopt(transfer, CURLOPT_POSTFIELDS, bytes);
}

void runbook_curl_set_receivers(
  CURL *transfer, void *context, runbook_curl_receiver head, runbook_curl_receiver body) {
  lib.curl_easy_setopt(transfer, CURLOPT_HEADERFUNCTION, head);
  lib.curl_easy_setopt(transfer, CURLOPT_HEADERDATA, context);
  lib.curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, body);
  lib.curl_easy_setopt(transfer, CURLOPT_WRITEDATA, context);
}

static curl_socket_t take_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)purpose, (void)address;
  curl_socket_t *given = context, socket = *given;
  *given = -1;
  return socket;
}

static int say_connected(void *context, curl_socket_t socket, curlsocktype purpose) {
  (void)context, (void)socket, (void)purpose;
  return CURL_SOCKOPT_ALREADY_CONNECTED;
}

void runbook_curl_set_socket(CURL *transfer, curl_socket_t *socket) {
  lib.curl_easy_setopt(transfer, CURLOPT_OPENSOCKETFUNCTION, take_socket);
  lib.curl_easy_setopt(transfer, CURLOPT_OPENSOCKETDATA, socket);
  lib.curl_easy_setopt(transfer, CURLOPT_SOCKOPTFUNCTION, say_connected);
}

long runbook_curl_number(CURL *transfer, CURLINFO information) {
  long value = 0;
  return lib.curl_easy_getinfo(transfer, information, &value) == CURLE_OK ? value : 0;
}

int64_t runbook_curl_time(CURL *transfer, CURLINFO information) {
  curl_off_t value = 0;
  return lib.curl_easy_getinfo(transfer, information, &value) == CURLE_OK ? value : 0;
}

const char *runbook_curl_text(CURL *transfer, CURLINFO information) {
  char *value = NULL;
  return lib.curl_easy_getinfo(transfer, information, &value) == CURLE_OK ? value : NULL;
}

int64_t runbook_curl_certificate_end(CURL *transfer) {
  static const char label[] = "Expire date:";
  struct curl_certinfo *chain = NULL;
  if (lib.curl_easy_getinfo(transfer, CURLINFO_CERTINFO, &chain) != CURLE_OK) return -1;
  if (chain == NULL || chain->num_of_certs < 1) return -1;
  for (struct curl_slist *fact = chain->certinfo[0]; fact != NULL; fact = fact->next)
    if (strncmp(fact->data, label, sizeof label - 1) == 0) return lib.curl_getdate(fact->data + sizeof label - 1, NULL);
  return -1;
}

struct curl_slist *runbook_curl_append(struct curl_slist *list, const char *text) {
  return lib.curl_slist_append(list, text);
}
void runbook_curl_free_list(struct curl_slist *list) { lib.curl_slist_free_all(list); }

CURLM *runbook_curl_begin(CURL *transfer) {
  CURLM *session = lib.curl_multi_init();
  if (session == NULL) return NULL;
  if (lib.curl_multi_add_handle(session, transfer) == CURLM_OK) return session;
  lib.curl_multi_cleanup(session);
  return NULL;
}

/* A write to a connection that the peer has closed must not end the process. The signal is that of the thread which writes, and
   stays with it, blocked. */
static void hold_back_sigpipe(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void runbook_curl_end(CURLM *session, CURL *transfer) {
  lib.curl_multi_remove_handle(session, transfer);
  lib.curl_multi_cleanup(session);
}

int runbook_curl_work(CURLM *session, CURLcode *result) {
  hold_back_sigpipe();
  int running = 0;
  if (lib.curl_multi_perform(session, &running) != CURLM_OK) {
    *result = CURLE_FAILED_INIT;
    return 1;
  }
  int left = 0;
  for (CURLMsg *message; (message = lib.curl_multi_info_read(session, &left)) != NULL;)
    if (message->msg == CURLMSG_DONE) {
      *result = message->data.result;
      return 1;
    }
  return 0;
}

int runbook_curl_wait(CURLM *session, int interruption, int milliseconds) {
  struct curl_waitfd extra = {.fd = interruption, .events = CURL_WAIT_POLLIN};
  lib.curl_multi_poll(session, &extra, 1, milliseconds, NULL);
  return (extra.revents & CURL_WAIT_POLLIN) != 0;
}

CURLU *runbook_curl_url(void) { return lib.curl_url(); }
void runbook_curl_free_url(CURLU *url) { lib.curl_url_cleanup(url); }

CURLUcode runbook_curl_set_part(CURLU *url, CURLUPart part, const char *text) {
  return lib.curl_url_set(url, part, text, 0);
}

int64_t runbook_curl_part(CURLU *url, CURLUPart part, unsigned flags, char *buffer, size_t size) {
  char *text = NULL;
  if (lib.curl_url_get(url, part, &text, flags) != CURLUE_OK) return -1;
  size_t length = strlen(text);
  int fits = length < size;
  if (fits) memcpy(buffer, text, length + 1);
  lib.curl_free(text);
  return fits ? (int64_t)length : -1;
}

const char *runbook_curl_meaning(CURLcode code) { return lib.curl_easy_strerror(code); }

static size_t give_upload(char *buffer, size_t one, size_t count, void *context) {
  struct runbook_curl_upload *upload = context;
  size_t left = upload->count - upload->sent, room = one * count, piece = left < room ? left : room;
  memcpy(buffer, upload->bytes + upload->sent, piece);
  upload->sent += piece;
  return piece;
}

void runbook_curl_set_upload(CURL *transfer, struct runbook_curl_upload *upload) {
  lib.curl_easy_setopt(transfer, CURLOPT_READFUNCTION, give_upload);
  lib.curl_easy_setopt(transfer, CURLOPT_READDATA, upload);
  lib.curl_easy_setopt(transfer, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload->count);
  lib.curl_easy_setopt(transfer, CURLOPT_UPLOAD, 1L);
}
