// SPDX-License-Identifier: Apache-2.0
// Words: what a text consists of for full-text search. One analyzer serves every engine, so that all of them
// match the same.
//
//   Analyzer analyzer(Language::english);
//   analyzer.each("Réservations, please", [](const Word& word) { ...; return true; });
//     // word.exact "reservations", word.stem "reserv"; then "please", "pleas"
//
// - A word is a run of letters, numbers and marks (Unicode); everything else separates. In scripts without
//   spaces (Chinese, Japanese, Thai, ...) each character is a word, so that what is searched there is a
//   phrase of characters.
// - Case, accents and compatibility forms do not count: "Éléphant", "elephant" and "ÉLÉPHANT" are one word.
// - A word has up to three forms: as it is written (folded), its stem (Snowball, with the accents that the
//   language's rules look at, then folded), and the stem of what is left without accents. A text is indexed
//   under all three; a word is looked for under its two stems. So inflections meet, a word meets itself with
//   and without its accents, and the beginnings of words can be looked for as they are written.
// - Nothing is a stop word: engines differ in their lists, and "to be or not to be" is a phrase like another.
//
// The tables are those of one Unicode version and the stems those of one libstemmer: kAnalysisVersion names the
// rules. When it changes, indexes are rebuilt (search/index.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sb_stemmer;

namespace bedplate::search::analysis {

inline constexpr int kAnalysisVersion = 1;

/// Longer words count by their first bytes (whole characters).
inline constexpr std::size_t kWordSizeMax = 128;

/// The languages of libstemmer; `none` does not stem. All fold alike.
enum class Language : std::uint8_t {
  none,
  arabic,
  armenian,
  basque,
  catalan,
  danish,
  dutch,
  english,
  finnish,
  french,
  german,
  greek,
  hindi,
  hungarian,
  indonesian,
  irish,
  italian,
  lithuanian,
  nepali,
  norwegian,
  portuguese,
  romanian,
  russian,
  serbian,
  spanish,
  swedish,
  tamil,
  turkish,
  yiddish,
};

/// "english"; nothing for a name that is none of the above.
std::optional<Language> language_of(std::string_view name);
std::string_view name_of(Language language);

/// One word of a text. The views hold until the next one.
struct Word {
  std::size_t begin = 0;  ///< where it stands in the text, in bytes
  std::size_t end = 0;
  std::string_view exact;       ///< folded
  std::string_view stem;        ///< stemmed, then folded
  std::string_view plain_stem;  ///< folded, then stemmed

  /// What a text with this word is indexed under: one to three, all different.
  std::span<const std::string_view> document_forms();
  /// What the word is looked for under: one or two.
  std::span<const std::string_view> query_forms();

 private:
  std::string_view forms_[3];
};

/// Not thread-safe (a stemmer has state); making one costs about a microsecond.
class Analyzer {
 public:
  explicit Analyzer(Language language);
  Analyzer(const Analyzer&) = delete;
  Analyzer& operator=(const Analyzer&) = delete;
  ~Analyzer();

  /// Begins to read a text, which stays where it is until the last next().
  void start(std::string_view text) {
    text_ = text;
    at_ = 0;
  }
  /// The next word; false at the end. Bytes that are not UTF-8 separate words.
  bool next(Word& word);

  /// Calls `visit(Word&)` for each word, until it returns false.
  template <class Visit>
  void each(std::string_view text, Visit&& visit) {
    start(text);
    Word word;
    while (next(word))
      if (!visit(word)) return;
  }

 private:
  bool read_ascii(Word& word);
  bool read_unicode(Word& word);
  void finish(Word& word, bool ascii);
  void stem(std::string_view word, std::string& to);

  sb_stemmer* stemmer_ = nullptr;
  std::string_view text_;
  std::size_t at_ = 0;
  bool stems_ = false;  ///< the word at hand has no digits
  std::string lower_;   ///< accents kept
  std::string exact_;
  std::string stem_;
  std::string stem_with_accents_;
  std::string plain_stem_;
};

}  // namespace bedplate::search::analysis
