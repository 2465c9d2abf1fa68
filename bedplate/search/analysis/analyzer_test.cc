// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/analysis/analyzer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "bedplate/base/text.h"

namespace bedplate::search::analysis {
namespace {

using Strings = std::vector<std::string>;

Strings exact(std::string_view text, Language language = Language::none) {
  Analyzer analyzer(language);
  Strings words;
  analyzer.each(text, [&](const Word& word) {
    words.emplace_back(word.exact);
    return true;
  });
  return words;
}

// The forms of one word, joined.
std::string forms(std::string_view text, Language language, bool of_query = false) {
  Analyzer analyzer(language);
  analyzer.start(text);
  Word word;
  if (!analyzer.next(word)) return "";
  std::string joined;
  for (std::string_view form : of_query ? word.query_forms() : word.document_forms())
    joined.append(joined.empty() ? "" : " ").append(form);
  return joined;
}

// A text with the one word is found by the other.
bool meet(std::string_view in_text, std::string_view looked_for, Language language) {
  Analyzer a(language);
  Analyzer b(language);
  Word text;
  Word query;
  a.start(in_text);
  b.start(looked_for);
  if (!a.next(text) || !b.next(query)) return false;
  for (std::string_view form : query.query_forms())
    for (std::string_view held : text.document_forms())
      if (form == held) return true;
  return false;
}

TEST(AnalyzerTest, SplitsAtEverythingButLettersNumbersAndMarks) {
  EXPECT_EQ(exact("Buy milk, 2.5 litres (blue_one)!"),
            (Strings{"buy", "milk", "2", "5", "litres", "blue", "one"}));
  EXPECT_EQ(exact(""), Strings{});
  EXPECT_EQ(exact(" -\"*'… – "), Strings{});
  EXPECT_EQ(exact("naïve—façade"), (Strings{"naive", "facade"}));
  EXPECT_EQ(exact("don't l’eau"), (Strings{"don", "t", "l", "eau"}));
}

TEST(AnalyzerTest, CaseAccentsAndCompatibilityFormsDoNotCount) {
  EXPECT_EQ(exact("ÉLÉPHANT éléphant e\u0301le\u0301phant"), (Strings{"elephant", "elephant", "elephant"}));
  EXPECT_EQ(exact("Straße STRASSE ﬁn Ａｂｃ"), (Strings{"strasse", "strasse", "fin", "abc"}));
  EXPECT_EQ(exact("ΣΊΣΥΦΟΣ σίσυφος"), (Strings{"σισυφοσ", "σισυφοσ"}));
  EXPECT_EQ(exact("Ёлка ёлка"), (Strings{"елка", "елка"}));
  EXPECT_EQ(exact("İstanbul"), (Strings{"istanbul"}));
  EXPECT_EQ(exact("Việt Łódź"), (Strings{"viet", "łodz"}));
}

TEST(AnalyzerTest, MarksThatAreLettersStay) {
  EXPECT_EQ(exact("हिन्दी"), (Strings{"हिन्दी"}));
  EXPECT_EQ(exact("\u0301"), Strings{}) << "an accent without a letter is no word";
  EXPECT_EQ(exact("a \u0301\u0301 b"), (Strings{"a", "b"}));
}

TEST(AnalyzerTest, ScriptsWithoutSpacesAreReadByCharacter) {
  EXPECT_EQ(exact("日本語 text日本"), (Strings{"日", "本", "語", "text", "日", "本"}));
  EXPECT_EQ(exact("ก็"), (Strings{"ก", "็"}));
  EXPECT_EQ(exact("한국어"), (Strings{"한국어"})) << "Korean has spaces";
}

TEST(AnalyzerTest, PlacesAreBytesOfTheText) {
  const std::string text = "Ünïque (naïve) end";
  Analyzer analyzer(Language::english);
  std::string found;
  analyzer.each(text, [&](const Word& word) {
    found += text.substr(word.begin, word.end - word.begin) + "|";
    return true;
  });
  EXPECT_EQ(found, "Ünïque|naïve|end|");
}

TEST(AnalyzerTest, StemsInManyLanguages) {
  EXPECT_EQ(forms("Running", Language::english), "running run");
  EXPECT_EQ(forms("Running", Language::english, true), "run");
  EXPECT_TRUE(meet("organizations", "organization", Language::english));
  EXPECT_TRUE(meet("Häuser", "Haus", Language::german));
  EXPECT_TRUE(meet("aimées", "aimé", Language::french));
  EXPECT_TRUE(meet("canciones", "canción", Language::spanish));
  EXPECT_TRUE(meet("книгами", "книга", Language::russian));
  EXPECT_TRUE(meet("kirjassa", "kirja", Language::finnish));
  EXPECT_TRUE(meet("bilar", "bilarna", Language::swedish));
  EXPECT_TRUE(meet("cidades", "cidade", Language::portuguese));
  EXPECT_TRUE(meet("boeken", "boek", Language::dutch));
  EXPECT_FALSE(meet("milk", "silk", Language::english));
  EXPECT_EQ(forms("running", Language::none), "running");
  EXPECT_EQ(forms("abc123s", Language::english), "abc123s") << "what has digits is no word of a language";
}

TEST(AnalyzerTest, AWordMeetsItselfWithoutItsAccentsInEveryLanguage) {
  const char* pairs[][2] = {
      {"aimées", "aimees"}, {"canción", "cancion"}, {"Häuser", "Hauser"}, {"élèves", "eleves"},
      {"ação", "acao"},     {"città", "citta"},     {"мой", "мои"},       {"înțelegerea", "intelegerea"}};
  for (int i = 0; i <= static_cast<int>(Language::yiddish); ++i) {
    const auto language = static_cast<Language>(i);
    for (const auto& [with, without] : pairs) {
      EXPECT_TRUE(meet(with, without, language)) << with << " in " << name_of(language);
      EXPECT_TRUE(meet(without, with, language)) << without << " in " << name_of(language);
    }
  }
}

TEST(AnalyzerTest, EveryLanguageHasItsStemmerAndItsName) {
  for (int i = 0; i <= static_cast<int>(Language::yiddish); ++i) {
    const auto language = static_cast<Language>(i);
    EXPECT_EQ(language_of(name_of(language)), language);
    EXPECT_TRUE(meet("alpha", "alpha", language));
  }
  EXPECT_FALSE(language_of("klingon"));
}

TEST(AnalyzerTest, LongWordsCountByTheirBeginning) {
  const std::string beginning(kWordSizeMax, 'x');
  EXPECT_EQ(exact(beginning + "abc"), Strings{beginning});
  std::string umlauts;
  for (int i = 0; i < 500; ++i) umlauts += "ж";
  ASSERT_EQ(exact(umlauts).size(), 1U);
  EXPECT_LE(exact(umlauts)[0].size(), kWordSizeMax);
  EXPECT_TRUE(is_valid_utf8(exact(umlauts)[0]));
}

TEST(AnalyzerTest, BytesThatAreNoTextSeparate) {
  EXPECT_EQ(exact("a\xff\xc3"
                  "b\xf0\x9f"),
            (Strings{"a", "b"}));
}

// Whatever the bytes: words lie inside the text, in order, their forms are whole characters without what the engines'
// query languages would read as a sign.
RC_GTEST_PROP(AnalyzerProperty, FormsAreCleanAndInOrder, (const std::string& text, std::uint8_t pick)) {
  const auto language = static_cast<Language>(pick % (static_cast<int>(Language::yiddish) + 1));
  Analyzer analyzer(language);
  std::size_t behind = 0;
  analyzer.each(text, [&](Word& word) {
    RC_ASSERT(word.begin >= behind);
    RC_ASSERT(word.end > word.begin);
    RC_ASSERT(word.end <= text.size());
    behind = word.end;
    for (std::string_view form : word.document_forms()) {
      RC_ASSERT(!form.empty());
      RC_ASSERT(is_valid_utf8(form));
      RC_ASSERT(form.find_first_of("'\"\\:*|&!<>() \t\n{}^+-\x1e") == std::string_view::npos);
    }
    return true;
  });
}

}  // namespace
}  // namespace bedplate::search::analysis
