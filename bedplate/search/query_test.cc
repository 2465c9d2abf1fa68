// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/query.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "bedplate/base/text.h"
#include "bedplate/search/terms.h"

namespace bedplate::search {
namespace {

// "milk 'two litr' choc* -blue": how a query was understood.
std::string understood(std::string_view text, Language language = Language::english) {
  Result<Query> query = parse_query(text, language);
  if (!query) return query.error().code();
  std::string out;
  for (const Phrase& phrase : query->phrases()) {
    if (!out.empty()) out += ' ';
    if (phrase.excluded) out += '-';
    if (phrase.words.size() > 1) out += '\'';
    for (std::size_t i = 0; i < phrase.words.size(); ++i) {
      if (i > 0) out += ' ';
      for (const std::string& form : phrase.words[i])
        out.append(&form == &phrase.words[i].front() ? "" : "|").append(form);
    }
    if (phrase.words.size() > 1) out += '\'';
    if (phrase.prefix) out += '*';
  }
  return out;
}

TEST(QueryTest, WordsPhrasesBeginningsExclusions) {
  EXPECT_EQ(understood("milk"), "milk");
  EXPECT_EQ(understood("  Milk\tBREADS\n"), "milk bread");
  EXPECT_EQ(understood("\"two litres\" choc* -blue"), "'two litr' choc* -blue");
  EXPECT_EQ(understood("-\"light blue\" -gre* \"two lit\"*"), "-'light blue' -gre* 'two lit'*");
  EXPECT_EQ(understood("organizations*"), "organizations*") << "a beginning is not stemmed";
  EXPECT_EQ(understood("aimées", Language::french), "aim|aime");
}

TEST(QueryTest, PunctuationInsideAWordMakesAPhrase) {
  EXPECT_EQ(understood("e-mail"), "'e mail'");
  EXPECT_EQ(understood("3.14 it's"), "'3 14' 'it s'");
  EXPECT_EQ(understood("日本語", Language::none), "'日 本 語'");
}

TEST(QueryTest, HalfWrittenQueriesAreReadAsFarAsTheyGo) {
  EXPECT_EQ(understood("\"two lit"), "'two lit'");
  EXPECT_EQ(understood("milk\"bread\""), "milk bread");
  EXPECT_EQ(understood("- milk"), "milk");
  EXPECT_EQ(understood("--milk"), "-milk");
  EXPECT_EQ(understood("milk**"), "milk*");
  EXPECT_EQ(understood("mi*lk"), "'mi lk'");
}

TEST(QueryTest, NothingToLookForIsEmpty) {
  for (const char* text : {"", "   ", "\"", "*", "-", "\"\"", "...", "- *", "-\"", "\xff\xfe"}) {
    Result<Query> query = parse_query(text, Language::english);
    ASSERT_TRUE(query) << text;
    EXPECT_TRUE(query->empty()) << text;
  }
}

TEST(QueryTest, IsBounded) {
  EXPECT_EQ(understood(std::string(kQuerySizeMax + 1, 'a')), "search_too_long");
  std::string words;
  for (std::size_t i = 0; i <= kQueryWordsMax; ++i) words += "a ";
  EXPECT_EQ(understood(words), "search_too_long");
  EXPECT_EQ(understood("\"" + words + "\""), "search_too_long");
}

TEST(QueryTest, KnowsWhetherItOnlyExcludes) {
  EXPECT_TRUE(parse_query("-a -b", Language::none)->excludes_only());
  EXPECT_FALSE(parse_query("-a b", Language::none)->excludes_only());
}

// Whatever was typed, what the engines are asked consists of signs that terms.cc wrote, and of words.
RC_GTEST_PROP(QueryProperty, NothingTypedReachesTheEnginesSyntax, (const std::string& text)) {
  Result<Query> query = parse_query(text, Language::english);
  RC_PRE(query && !query->empty());
  for (const Phrase& phrase : query->phrases())
    for (const auto& forms : phrase.words)
      for (const std::string& form : forms) {
        RC_ASSERT(is_valid_utf8(form));
        RC_ASSERT(form.find_first_of("'\"\\:*|&!<>() \t\n{}^+-\x1e") == std::string::npos);
      }
}

}  // namespace
}  // namespace bedplate::search
