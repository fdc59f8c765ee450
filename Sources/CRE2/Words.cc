#include "CRE2.h"
#include "Lines.h"

#include <re2/filtered_re2.h>

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr size_t prefix_length = 3;
constexpr size_t longest_minimum = 8;
constexpr size_t most_words = 64;
constexpr size_t group_count = 8;

unsigned char lower(unsigned char byte) { return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte; }

unsigned char upper(unsigned char byte) { return byte >= 'a' && byte <= 'z' ? byte - ('a' - 'A') : byte; }

// The words that RE2 says are needed, the longest it can do with; none when a pattern can match without.
std::vector<std::string> needed_words(const char *const *patterns, const size_t *lengths, int count) {
  for (size_t minimum = longest_minimum; minimum >= prefix_length; minimum--) {
    re2::FilteredRE2 filter(static_cast<int>(minimum));
    for (int i = 0; i < count; i++) {
      int id;
      if (filter.Add(cre2::in_lines(patterns[i], lengths[i]), cre2::line_options(0), &id) != re2::RE2::NoError) return {};
    }
    std::vector<std::string> words;
    filter.Compile(&words);
    std::vector<int> unfiltered;
    filter.AllPotentials({}, &unfiltered);
    if (unfiltered.empty() && !words.empty() && words.size() <= most_words) return words;
  }
  return {};
}

}  // namespace

// Words fall into eight groups. For each of their first three bytes, two tables say by the halves of a byte which groups
// have it there: thirty-two places of a text are looked at with six lookups. What may be a word is then compared.
struct cre2_words {
  std::vector<std::string> groups[group_count];
  unsigned char low[prefix_length][16] = {};
  unsigned char high[prefix_length][16] = {};

  explicit cre2_words(const std::vector<std::string> &words) {
    for (size_t i = 0; i < words.size(); i++) {
      size_t group = i % group_count;
      groups[group].push_back(words[i]);
      for (size_t place = 0; place < prefix_length; place++) {
        unsigned char byte = static_cast<unsigned char>(words[i][place]);
        for (unsigned char form : {lower(byte), upper(byte)}) {
          low[place][form & 15] |= static_cast<unsigned char>(1 << group);
          high[place][form >> 4] |= static_cast<unsigned char>(1 << group);
        }
      }
    }
  }

  bool is_at(const char *text, size_t length, size_t place, unsigned candidates) const {
    for (size_t group = 0; group < group_count; group++) {
      if ((candidates >> group & 1) == 0) continue;
      for (const std::string &word : groups[group]) {
        if (word.size() > length - place) continue;
        size_t i = 0;
        while (i < word.size() &&
               lower(static_cast<unsigned char>(text[place + i])) == static_cast<unsigned char>(word[i]))
          i++;
        if (i == word.size()) return true;
      }
    }
    return false;
  }

  unsigned candidates(const char *text, size_t place) const {
    unsigned found = 0xFF;
    for (size_t i = 0; i < prefix_length; i++) {
      unsigned char byte = static_cast<unsigned char>(text[place + i]);
      found &= low[i][byte & 15] & high[i][byte >> 4];
    }
    return found;
  }

#if defined(__x86_64__)
  __attribute__((target("avx2"))) static __m256i table(const unsigned char *groups) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(groups)));
  }

  __attribute__((target("avx2"))) static __m256i lookup(__m256i low, __m256i high, const char *text) {
    const __m256i half = _mm256_set1_epi8(15);
    __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(text));
    return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
                            _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
  }

  __attribute__((target("avx2"))) ptrdiff_t find(const char *text, size_t length, size_t start) const {
    const __m256i low0 = table(low[0]), low1 = table(low[1]), low2 = table(low[2]);
    const __m256i high0 = table(high[0]), high1 = table(high[1]), high2 = table(high[2]);
    size_t place = start;
    for (; place + 32 + prefix_length - 1 <= length; place += 32) {
      __m256i found = _mm256_and_si256(
          _mm256_and_si256(lookup(low0, high0, text + place), lookup(low1, high1, text + place + 1)),
          lookup(low2, high2, text + place + 2));
      unsigned places = ~static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256())));
      for (; places != 0; places &= places - 1) {
        size_t candidate = place + static_cast<size_t>(__builtin_ctz(places));
        if (is_at(text, length, candidate, candidates(text, candidate))) return static_cast<ptrdiff_t>(candidate);
      }
    }
    for (; place + prefix_length <= length; place++)
      if (is_at(text, length, place, candidates(text, place))) return static_cast<ptrdiff_t>(place);
    return -1;
  }

  static bool is_supported() { return __builtin_cpu_supports("avx2"); }
#else
  ptrdiff_t find(const char *, size_t, size_t) const { return -1; }

  static bool is_supported() { return false; }
#endif
};

extern "C" {

cre2_words *cre2_words_new(const char *const *patterns, const size_t *lengths, int count) {
  if (!cre2_words::is_supported()) return nullptr;
  std::vector<std::string> words = needed_words(patterns, lengths, count);
  return words.empty() ? nullptr : new (std::nothrow) cre2_words(words);
}

void cre2_words_free(cre2_words *words) { delete words; }

ptrdiff_t cre2_words_find(const cre2_words *words, const char *text, size_t length, size_t start) {
  return words->find(text, length, start);
}
}
