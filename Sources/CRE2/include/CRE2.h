/* RE2 behind a C interface: linear-time regular expressions for the CEL and log-review patterns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled pattern. Immutable once compiled; may be used from any number of threads. */
typedef struct cre2_pattern cre2_pattern;

/* Compiles a UTF-8 pattern with at most max_memory bytes of program and cache (0: RE2's default, 8 MiB). Never NULL but
   when memory is exhausted; ask cre2_error whether the pattern is valid. */
cre2_pattern *cre2_compile(const char *pattern, size_t length, int64_t max_memory);

/* Frees a pattern; NULL is allowed. */
void cre2_free(cre2_pattern *pattern);

/* Why the pattern is invalid, valid until it is freed; NULL when it is valid. */
const char *cre2_error(const cre2_pattern *pattern);

/* Number of capturing groups, without the whole match; -1 for an invalid pattern. */
int cre2_group_count(const cre2_pattern *pattern);

/* Number of instructions of the compiled program: what a match costs for each byte at worst; 0 for an invalid pattern. */
int cre2_program_size(const cre2_pattern *pattern);

/* A matched part of a text; start is negative when the group took no part. */
typedef struct {
  ptrdiff_t start;
  ptrdiff_t length;
} cre2_span;

/* Whether the pattern matches anywhere in text. An invalid pattern matches nothing. */
bool cre2_matches(const cre2_pattern *pattern, const char *text, size_t length);

/* Looks for the pattern in text from offset start; fills up to span_count spans, the whole match first. */
bool cre2_find(const cre2_pattern *pattern, const char *text, size_t length, size_t start, cre2_span *spans,
               int span_count);

/* Compiles a pattern for text in lines, whatever its encoding: bytes stand for themselves, `^` and `$` match at the borders of
   a line, and nothing matches a line feed. Otherwise as cre2_compile. */
cre2_pattern *cre2_compile_lines(const char *pattern, size_t length, int64_t max_memory);

/* Several patterns that are looked for in one pass over a text. Immutable once compiled; may be used from any number of
   threads. */
typedef struct cre2_set cre2_set;

/* An empty set with at most max_memory bytes of program and cache; its patterns are read as cre2_compile_lines reads them.
   NULL when memory is exhausted. */
cre2_set *cre2_set_new(int64_t max_memory);

/* Frees a set; NULL is allowed. */
void cre2_set_free(cre2_set *set);

/* Adds a pattern: its index, from 0, or -1 when it is invalid (see cre2_compile_lines, which says why). */
int cre2_set_add(cre2_set *set, const char *pattern, size_t length);

/* Ends adding. False when the patterns need more memory than is allowed. */
bool cre2_set_compile(cre2_set *set);

/* Which patterns match anywhere in text: their count, and the first `capacity` of their indices, in rising order. -1 when the
   memory that is allowed ran out. */
int cre2_set_match(const cre2_set *set, const char *text, size_t length, int *indices, int capacity);

/* The words without which none of some patterns can match, looked for in one pass that is much faster than a match. Immutable;
   may be used from any number of threads. */
typedef struct cre2_words cre2_words;

/* The words of patterns, which are read as cre2_compile_lines reads them. NULL when one of them can match without any word
   of three letters, when there are too many words, when this processor has no instruction for it, or when memory is
   exhausted. */
cre2_words *cre2_words_new(const char *const *patterns, const size_t *lengths, int count);

/* Frees words; NULL is allowed. */
void cre2_words_free(cre2_words *words);

/* The offset, from start on, of the first of the words in text, in upper or lower case; -1 when there is none. */
ptrdiff_t cre2_words_find(const cre2_words *words, const char *text, size_t length, size_t start);

#ifdef __cplusplus
}
#endif
