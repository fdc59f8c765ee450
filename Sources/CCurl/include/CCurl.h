/* libcurl, loaded when it is first needed.

   Being linked with it would cost every start of the program the loading of some thirty libraries. Its headers give types and
   constants; call its functions through those declared here alone: the others are not linked. */
#pragma once
#include <curl/curl.h>
#include <stdint.h>

/// Loads libcurl, once. NULL if it is there; otherwise why it is not. Call it before everything else here.
const char *runbook_curl_load(void);

/// The version of the loaded library, such as `7.88.1`.
const char *runbook_curl_version(void);

/// A new transfer (curl_easy_init(3)); NULL without memory.
CURL *runbook_curl_new(void);
void runbook_curl_free(CURL *transfer);

/// curl_easy_setopt(3), by the kind of the option's value.
CURLcode runbook_curl_set_number(CURL *transfer, CURLoption option, long value);
CURLcode runbook_curl_set_text(CURL *transfer, CURLoption option, const char *value);
CURLcode runbook_curl_set_list(CURL *transfer, CURLoption option, struct curl_slist *value);
/// Bytes to send, which must stay where they are until the transfer is over.
CURLcode runbook_curl_set_body(CURL *transfer, const void *bytes, int64_t count);

/// Bytes to upload, and how far that has come. Both must stay where they are until the transfer is over.
struct runbook_curl_upload {
  const char *bytes;
  size_t count;
  size_t sent;
};
/// Lets the transfer upload them (CURLOPT_UPLOAD), as SMTP needs it.
void runbook_curl_set_upload(CURL *transfer, struct runbook_curl_upload *upload);

/// Takes a piece of a head or a body. It returns `count`; anything else ends the transfer with CURLE_WRITE_ERROR.
typedef size_t (*runbook_curl_receiver)(char *bytes, size_t one, size_t count, void *context);
void runbook_curl_set_receivers(
  CURL *transfer, void *context, runbook_curl_receiver head, runbook_curl_receiver body);

/// Lets the transfer use a connected socket. The transfer owns what it has taken: `*socket` is -1 then.
void runbook_curl_set_socket(CURL *transfer, curl_socket_t *socket);

/// curl_easy_getinfo(3), by the kind of value; 0 and NULL if there is none.
long runbook_curl_number(CURL *transfer, CURLINFO information);
/// Microseconds.
int64_t runbook_curl_time(CURL *transfer, CURLINFO information);
const char *runbook_curl_text(CURL *transfer, CURLINFO information);
/// When the certificate of the server stops being valid, in seconds since 1970; -1 without a certificate.
int64_t runbook_curl_certificate_end(CURL *transfer);

/// Appends to a list, which may be NULL; NULL without memory, and the list stays as it is.
struct curl_slist *runbook_curl_append(struct curl_slist *list, const char *text);
void runbook_curl_free_list(struct curl_slist *list);

/// What carries out one transfer: all of it happens inside `work` and `wait`.
CURLM *runbook_curl_begin(CURL *transfer);
/// Takes the transfer away, unfinished or not.
void runbook_curl_end(CURLM *session, CURL *transfer);
/// Does what can be done without waiting. 1 once the transfer is over, with its result; 0 before.
int runbook_curl_work(CURLM *session, CURLcode *result);
/// Waits until there is something to do or the time is over. 1 if `interruption` is readable, 0 otherwise.
int runbook_curl_wait(CURLM *session, int interruption, int milliseconds);

/// A URL as libcurl reads it (curl_url(3)); NULL without memory.
CURLU *runbook_curl_url(void);
void runbook_curl_free_url(CURLU *url);
/// Sets a part; for CURLUPART_URL the text may be relative to what is there.
CURLUcode runbook_curl_set_part(CURLU *url, CURLUPart part, const char *text);
/// Copies a part into `buffer`, ended by a zero. Its length without that; -1 if there is none or it is too long.
int64_t runbook_curl_part(CURLU *url, CURLUPart part, unsigned flags, char *buffer, size_t size);

/// What a result means, in libcurl's words.
const char *runbook_curl_meaning(CURLcode code);
