#include "CRE2.h"
#include "Lines.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <new>
#include <vector>

struct cre2_pattern {
  re2::RE2 re;
  cre2_pattern(re2::StringPiece pattern, const re2::RE2::Options &options) : re(pattern, options) {}
};

using cre2::in_lines;
using cre2::line_options;

struct cre2_set {
  re2::RE2::Set set;
  explicit cre2_set(const re2::RE2::Options &options) : set(options, re2::RE2::UNANCHORED) {}
};

extern "C" {

cre2_pattern *cre2_compile(const char *pattern, size_t length, int64_t max_memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  if (max_memory > 0) options.set_max_mem(max_memory);
  return new (std::nothrow) cre2_pattern(re2::StringPiece(pattern, length), options);
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

const char *cre2_error(const cre2_pattern *pattern) {
  return pattern->re.ok() ? nullptr : pattern->re.error().c_str();
}

int cre2_group_count(const cre2_pattern *pattern) {
  return pattern->re.ok() ? pattern->re.NumberOfCapturingGroups() : -1;
}

int cre2_program_size(const cre2_pattern *pattern) { return pattern->re.ok() ? pattern->re.ProgramSize() : 0; }

bool cre2_matches(const cre2_pattern *pattern, const char *text, size_t length) {
  return pattern->re.ok() &&
         pattern->re.Match(re2::StringPiece(text, length), 0, length, re2::RE2::UNANCHORED, nullptr, 0);
}

bool cre2_find(const cre2_pattern *pattern, const char *text, size_t length, size_t start, cre2_span *spans,
               int span_count) {
  if (!pattern->re.ok() || start > length || span_count < 0) return false;
  std::vector<re2::StringPiece> groups(static_cast<size_t>(span_count));
  if (!pattern->re.Match(re2::StringPiece(text, length), start, length, re2::RE2::UNANCHORED, groups.data(),
                         span_count))
    return false;
  for (int i = 0; i < span_count; i++) {
    const re2::StringPiece &group = groups[static_cast<size_t>(i)];
    spans[i].start = group.data() == nullptr ? -1 : group.data() - text;
    spans[i].length = static_cast<ptrdiff_t>(group.size());
  }
  return true;
}

cre2_pattern *cre2_compile_lines(const char *pattern, size_t length, int64_t max_memory) {
  return new (std::nothrow) cre2_pattern(in_lines(pattern, length), line_options(max_memory));
}

cre2_set *cre2_set_new(int64_t max_memory) { return new (std::nothrow) cre2_set(line_options(max_memory)); }

void cre2_set_free(cre2_set *set) { delete set; }

int cre2_set_add(cre2_set *set, const char *pattern, size_t length) {
  return set->set.Add(in_lines(pattern, length), nullptr);
}

bool cre2_set_compile(cre2_set *set) { return set->set.Compile(); }

int cre2_set_match(const cre2_set *set, const char *text, size_t length, int *indices, int capacity) {
  std::vector<int> found;
  re2::RE2::Set::ErrorInfo error{};
  if (!set->set.Match(re2::StringPiece(text, length), &found, &error))
    return error.kind == re2::RE2::Set::kNoError ? 0 : -1;
  std::sort(found.begin(), found.end());
  for (int i = 0; i < capacity && i < static_cast<int>(found.size()); i++) indices[i] = found[static_cast<size_t>(i)];
  return static_cast<int>(found.size());
}
}
