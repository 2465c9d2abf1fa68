// SPDX-License-Identifier: Apache-2.0
#include "bedplate/search/highlight.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace bedplate::search {
namespace {

std::string marked(std::string_view text, std::string_view query, Language language = Language::english) {
  return highlight_html(text, *parse_query(query, language));
}

TEST(HighlightTest, MarksWhatMatched) {
  EXPECT_EQ(marked("Buy milk and bread", "milk"), "Buy <mark>milk</mark> and bread");
  EXPECT_EQ(marked("He runs, she ran, running", "run"),
            "He <mark>runs</mark>, she ran, <mark>running</mark>");
  EXPECT_EQ(marked("Un café crème", "CAFE", Language::french), "Un <mark>café</mark> crème");
  EXPECT_EQ(marked("chocolate", "choc*"), "<mark>chocolate</mark>");
  EXPECT_EQ(marked("nothing here", "milk"), "nothing here");
  EXPECT_EQ(marked("", "milk"), "");
  EXPECT_EQ(marked("milk", "..."), "milk");
}

TEST(HighlightTest, OfAPhraseOnlyWordsThatStandSo) {
  EXPECT_EQ(marked("two litres, litres two", "\"two litres\""), "<mark>two litres</mark>, litres two");
  EXPECT_EQ(marked("two litres of milk", "milk \"two lit\"*"),
            "<mark>two litres</mark> of <mark>milk</mark>");
}

TEST(HighlightTest, WhatIsExcludedIsNotMarked) {
  EXPECT_EQ(marked("milk and bread", "milk -bread"), "<mark>milk</mark> and bread");
}

TEST(HighlightTest, TheTextIsEscaped) {
  EXPECT_EQ(marked("<script>alert('milk & \"more\"')</script>", "milk"),
            "&lt;script&gt;alert(&#39;<mark>milk</mark> &amp; &quot;more&quot;&#39;)&lt;/script&gt;");
  EXPECT_EQ(marked("<mark>milk</mark>", "mark"), "&lt;<mark>mark</mark>&gt;milk&lt;/<mark>mark</mark>&gt;");
}

TEST(HighlightTest, PlacesForOtherThanHtml) {
  const Query query = *parse_query("milk bread", Language::english);
  EXPECT_EQ(find_matches("milk, bread or milk", query), (std::vector<Match>{{0, 11}, {15, 19}}));
}

TEST(HighlightTest, SnippetsAreWhereTheMostMatches) {
  std::string text = "start milk";
  for (int i = 0; i < 100; ++i) text += " filler" + std::to_string(i);
  text += " milk bread <b> butter milk";
  for (int i = 0; i < 100; ++i) text += " more" + std::to_string(i);
  const std::string snippet = snippet_html(text, *parse_query("milk bread", Language::english), 10);
  EXPECT_NE(snippet.find("<mark>milk bread</mark> &lt;b&gt; butter <mark>milk</mark>"), std::string::npos)
      << snippet;
  EXPECT_TRUE(snippet.starts_with("… ")) << snippet;
  EXPECT_TRUE(snippet.ends_with(" …")) << snippet;
  EXPECT_EQ(snippet_html("short milk", *parse_query("milk", Language::english)), "short <mark>milk</mark>");
  EXPECT_TRUE(
      snippet_html(text, *parse_query("absent", Language::english), 3).starts_with("start milk filler0"));
}

// Without our marks there is no sign left that HTML would read.
RC_GTEST_PROP(HighlightProperty, NoTextGetsAMarkOfItsOwn,
              (const std::string& text, const std::string& typed)) {
  Result<Query> query = parse_query(typed, Language::english);
  RC_PRE(query.has_value());
  for (std::string html : {highlight_html(text, *query), snippet_html(text, *query, 2)}) {
    for (const char* mark : {"<mark>", "</mark>"})
      for (std::size_t at; (at = html.find(mark)) != std::string::npos;)
        html.erase(at, std::string(mark).size());
    RC_ASSERT(html.find_first_of("<>\"'") == std::string::npos);
  }
}

}  // namespace
}  // namespace bedplate::search
