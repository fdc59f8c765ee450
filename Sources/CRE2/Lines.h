// How patterns are read that are looked for in lines, whatever their encoding.
#pragma once

#include <re2/re2.h>

#include <string>

namespace cre2 {

inline re2::RE2::Options line_options(int64_t max_memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_never_nl(true);
  if (max_memory > 0) options.set_max_mem(max_memory);
  return options;
}

// `^` and `$` match at the borders of lines only with this flag.
inline std::string in_lines(const char *pattern, size_t length) { return "(?m)" + std::string(pattern, length); }

}  // namespace cre2
