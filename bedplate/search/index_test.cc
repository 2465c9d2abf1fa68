// SPDX-License-Identifier: Apache-2.0
// One suite for both engines: what matches is the same on each. How hits rank is the engine's own, so order is compared
// only where any sane ranking agrees.
#include "bedplate/search/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "bedplate/sql/error.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::search {
namespace {

using bedplate::testing::EngineKit;

constexpr Declaration kNotes("notes_search", {{"title", Weight::highest}, {"body"}}, Language::english);
constexpr Declaration kOfTenants("tenant_search", {{"body"}}, Language::english, PartitionBy::tenant);
constexpr Declaration kFrench("french_search", {{"body"}}, Language::french);
constexpr Declaration kGerman("german_search", {{"body"}}, Language::german);
constexpr Declaration kRussian("russian_search", {{"body"}}, Language::russian);
constexpr Declaration kPlain("plain_search", {{"body"}}, Language::none);

Uuid numbered(int n) {
  Uuid id;
  id.bytes[14] = static_cast<std::uint8_t>(n >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}
int number_of(const Uuid& id) {
  return id.bytes[14] << 8 | id.bytes[15];
}

const Uuid kAlice = *Uuid::parse("00000000-0000-4000-8000-00000000000a");
const Uuid kBob = *Uuid::parse("00000000-0000-4000-8000-00000000000b");

class IndexTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  void open(const Declaration& declaration) {
    language_ = declaration.language;
    index_.emplace(declaration);
    if (kit_)
      kit_->script(index_->schema(GetParam()));
    else
      kit_.emplace(GetParam(), index_->schema(GetParam()));
  }
  void put(int id, std::vector<std::string_view> texts, const Uuid& partition = kAlice) {
    const Document document(partition, numbered(id), std::move(texts));
    kit_->get(kit_->database().transact(&Index::put, *index_, document));
  }
  void remove(int id, const Uuid& partition = kAlice) {
    const Uuid uuid = numbered(id);
    kit_->get(kit_->database().transact(&Index::remove, *index_, partition, uuid));
  }
  std::vector<Hit> hits(std::string_view text, const Uuid& partition = kAlice,
                        HitPage page = HitPage(100, 0)) {
    Result<Query> query = parse_query(text, language_);
    if (!query) throw std::runtime_error(query.error().code());
    return kit_->get(kit_->database().read(&Index::find, *index_, partition, *query, page));
  }
  std::set<int> found(std::string_view text, const Uuid& partition = kAlice) {
    std::set<int> ids;
    for (const Hit& hit : hits(text, partition)) ids.insert(number_of(hit.id));
    return ids;
  }
  using Ids = std::set<int>;

  std::optional<EngineKit> kit_;
  std::optional<Index> index_;
  Language language_ = Language::none;
};

TEST_P(IndexTest, FindsWordsPhrasesBeginningsAndLeavesOut) {
  open(kNotes);
  put(1, {"Buy milk", "Two litres, the blue one"});
  put(2, {"Bread", "and milk chocolate"});
  put(3, {"Litres", "two of them; milky"});
  EXPECT_EQ(found("milk"), (Ids{1, 2}));
  EXPECT_EQ(found("MILK bread"), (Ids{2})) << "every word, in any field";
  EXPECT_EQ(found("\"two litres\""), (Ids{1}));
  EXPECT_EQ(found("\"milk two\""), Ids{}) << "a phrase does not reach into the next field";
  EXPECT_EQ(found("milk*"), (Ids{1, 2, 3}));
  EXPECT_EQ(found("\"two lit\"*"), (Ids{1}));
  EXPECT_EQ(found("milk -blue"), (Ids{2}));
  EXPECT_EQ(found("-blue"), (Ids{2, 3}));
  EXPECT_EQ(found("-\"two litres\" -choc*"), (Ids{3}));
  EXPECT_EQ(found("litre"), (Ids{1, 3})) << "inflections";
  EXPECT_EQ(found("absent"), Ids{});
  EXPECT_EQ(found("..."), Ids{});
  EXPECT_EQ(found("-"), Ids{});
}

TEST_P(IndexTest, BeginningsAreOfTheWordAsItIsWritten) {
  open(kNotes);
  put(1, {"Organizations", "running happily"});
  for (const char* text : {"organiz*", "organiza*", "organizations*", "runni*", "happil*", "ru*"})
    EXPECT_EQ(found(text), (Ids{1})) << text;
  EXPECT_EQ(found("organizationss*"), Ids{});
}

TEST_P(IndexTest, ThereAreNoStopWords) {
  open(kNotes);
  put(1, {"To be or not to be", ""});
  put(2, {"To do", ""});
  EXPECT_EQ(found("to"), (Ids{1, 2}));
  EXPECT_EQ(found("\"to be or not to be\""), (Ids{1}));
}

TEST_P(IndexTest, ADocumentIsReplacedAndRemoved) {
  open(kNotes);
  put(1, {"milk", "old"});
  put(1, {"bread", "new"});
  EXPECT_EQ(found("milk"), Ids{});
  EXPECT_EQ(found("old"), Ids{});
  EXPECT_EQ(found("bread new"), (Ids{1}));
  remove(1);
  remove(1);
  EXPECT_EQ(found("bread"), Ids{});
  put(1, {"bread", ""});
  EXPECT_EQ(found("bread"), (Ids{1}));
}

TEST_P(IndexTest, PartitionsShareNothing) {
  open(kNotes);
  put(1, {"milk", "alpha"}, kAlice);
  put(1, {"milk", "beta"}, kBob);
  put(2, {"bread", "gamma"}, kBob);
  EXPECT_EQ(found("milk", kAlice), (Ids{1}));
  EXPECT_EQ(found("milk", kBob), (Ids{1}));
  EXPECT_EQ(found("beta", kAlice), Ids{});
  EXPECT_EQ(found("be*", kAlice), Ids{});
  EXPECT_EQ(found("-milk", kBob), (Ids{2}));
  EXPECT_EQ(found("milk", kNoPartition), Ids{});
  // A key typed as text is text.
  EXPECT_EQ(found("0000000000004000800000000000000bbeta", kAlice), Ids{});
  EXPECT_EQ(found("00000000000040008000000000000*", kAlice), Ids{});
  kit_->get(kit_->database().transact(&Index::remove_partition, *index_, kBob));
  EXPECT_EQ(found("milk", kBob), Ids{});
  EXPECT_EQ(found("milk", kAlice), (Ids{1}));
}

class Failing {
 public:
  explicit Failing(const Index& index) : index_(index) {}
  Async<void> run(sql::Transaction& tx, const Document& document) {
    co_await ok(index_.put(tx, document));
    co_await fail(Category::conflict, "changed_my_mind", "No.");
  }

 private:
  const Index& index_;
};

TEST_P(IndexTest, WhatRollsBackIsNotFound) {
  open(kNotes);
  put(1, {"milk", ""});
  Failing failing(*index_);
  const Document document(kAlice, numbered(1), {"bread", ""});
  EXPECT_FALSE(kit_->run(kit_->database().transact(&Failing::run, failing, document)));
  EXPECT_EQ(found("bread"), Ids{});
  EXPECT_EQ(found("milk"), (Ids{1}));
}

TEST_P(IndexTest, BestFirstInPages) {
  open(kNotes);
  put(1,
      {"something", "milk is mentioned here among a good many other words that have nothing to do with it"});
  put(2, {"milk", "milk milk"});
  for (int i = 3; i < 30; ++i) put(i, {"filler", "other words"});
  std::vector<Hit> all = hits("milk");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(number_of(all[0].id), 2);
  EXPECT_GT(all[0].score, all[1].score);
  std::set<int> seen;
  for (int offset = 0; offset < 27; offset += 10)
    for (const Hit& hit : hits("filler", kAlice, HitPage(10, offset))) seen.insert(number_of(hit.id));
  EXPECT_EQ(seen.size(), 27U);
  const Query query = *parse_query("filler", language_);
  EXPECT_EQ(kit_->get(kit_->database().read(&Index::count, *index_, kAlice, query)), 27);
}

TEST_P(IndexTest, LargeDocumentsAreIndexedToTheSamePlace) {
  open(kNotes);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "w" + std::to_string(i) + " ";
  put(1, {"title", text});
  EXPECT_EQ(found("w15000"), (Ids{1}));
  EXPECT_EQ(found("\"w15000 w15001\""), (Ids{1}));
  EXPECT_EQ(found("w15998"), (Ids{1})) << "the title is a word too";
  EXPECT_EQ(found("w15999"), Ids{});
  put(1, {"now", "short"});
  EXPECT_EQ(found("w15000"), Ids{});

  const std::string huge(kDocumentSizeMax, 'x');
  const Document document(kAlice, numbered(2), {"title", huge});
  Result<void> refused = kit_->run(kit_->database().transact(&Index::put, *index_, document));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "document_too_large");
}

TEST_P(IndexTest, OddTextsAreIndexed) {
  open(kNotes);
  put(1, {"", ""});
  put(2, {std::string_view("nul\0between", 11), "quote's \\ \"double\" :* & | ! ( )"});
  put(3, {"日本語の文章", "ไทย"});
  EXPECT_EQ(found("nul"), (Ids{2}));
  EXPECT_EQ(found("\"quote s double\""), (Ids{2}));
  EXPECT_EQ(found("日本"), (Ids{3}));
  EXPECT_EQ(found("本日"), Ids{});
  EXPECT_EQ(found("ไท*"), (Ids{3}));
  const Document document(kAlice, numbered(4), {"\xff", ""});
  EXPECT_FALSE(kit_->run(kit_->database().transact(&Index::put, *index_, document)));
}

TEST_P(IndexTest, OfTenantsAnswersTheCallsTenantOnly) {
  open(kOfTenants);
  const sql::CallContext alice(kAlice);
  const sql::CallContext bob(kBob);
  const Document document(kAlice, numbered(1), {"milk"});
  kit_->get(kit_->database().transact(alice, &Index::put, *index_, document));
  const Query query = *parse_query("mil*", language_);
  auto find = [&](const sql::CallContext& context) {
    return kit_->get(kit_->database().read(context, &Index::find, *index_, kAlice, query, HitPage())).size();
  };
  EXPECT_EQ(find(alice), 1U);
  EXPECT_EQ(find(bob), 0U) << "although it asks for another's partition";
  EXPECT_EQ(find(sql::CallContext()), 0U);
  const Query negative = *parse_query("-bread", language_);
  EXPECT_TRUE(
      kit_->get(kit_->database().read(bob, &Index::find, *index_, kAlice, negative, HitPage())).empty());
  Result<void> crossed = kit_->run(kit_->database().transact(bob, &Index::put, *index_, document));
  ASSERT_FALSE(crossed);
  EXPECT_EQ(crossed.error().code(), sql::kTenantViolation);
  const Uuid id = numbered(1);
  kit_->get(kit_->database().transact(bob, &Index::remove, *index_, kAlice, id));
  kit_->get(kit_->database().transact(bob, &Index::remove_partition, *index_, kAlice));
  EXPECT_EQ(find(alice), 1U);
  const Document again(kAlice, numbered(1), {"bread"});
  kit_->get(kit_->database().transact(alice, &Index::put, *index_, again));
  EXPECT_EQ(find(alice), 0U);
}

// Within a statement of the application's own, as a list with filters does.
struct NoteList {
  const Index& index;

  Async<std::vector<std::string>> run(sql::Reader& db, const Query& query) const {
    sql::Params params;
    std::string text = "SELECT title FROM notes WHERE color = " + params.add("red") + " AND id IN (" +
                       index.matching(db.dialect(), params, kAlice, query) + ") ORDER BY title";
    std::vector<std::string> titles = co_await ok(db.all<std::string>(text, params));
    co_return titles;
  }
  Async<void> add(sql::Transaction& tx, int id, std::string title, std::string color) const {
    const Uuid uuid = numbered(id);
    co_await ok(tx.run("INSERT INTO notes (id, title, color) VALUES ($1, $2, $3)", uuid, title, color));
    const Document document(kAlice, uuid, {title, ""});
    co_await ok(index.put(tx, document));
  }
};

TEST_P(IndexTest, JoinsAQueryOfTheApplication) {
  open(kNotes);
  kit_->script(GetParam() == sql::Dialect::sqlite
                   ? "CREATE TABLE notes (id BLOB PRIMARY KEY, title TEXT, color TEXT)"
                   : "CREATE TABLE notes (id uuid PRIMARY KEY, title text, color text)");
  NoteList list{*index_};
  const char* notes[][2] = {{"red milk", "red"}, {"blue milk", "blue"}, {"red bread", "red"}};
  for (int i = 0; i < 3; ++i)
    kit_->get(kit_->database().transact(&NoteList::add, list, i, std::string(notes[i][0]),
                                        std::string(notes[i][1])));
  for (auto [text, expected] : std::map<std::string, std::vector<std::string>>{
           {"milk", {"red milk"}}, {"-bread", {"red milk"}}, {"", {}}, {"b*", {"red bread"}}}) {
    const Query query = *parse_query(text, language_);
    EXPECT_EQ(kit_->get(kit_->database().read(&NoteList::run, list, query)), expected) << text;
  }
}

// The same corpus and queries on both engines, against what reading every text gives: so also against each other.
struct Case {
  const Declaration& declaration;
  std::vector<std::string_view> texts;
  std::vector<std::string_view> queries;
};

bool holds(analysis::Analyzer& analyzer, std::string_view text, const Phrase& phrase) {
  std::vector<std::set<std::string, std::less<>>> places;
  analyzer.each(text, [&](analysis::Word& word) {
    const auto forms = word.document_forms();
    places.emplace_back(forms.begin(), forms.end());
    return true;
  });
  for (std::size_t at = 0; at + phrase.words.size() <= places.size(); ++at) {
    bool here = true;
    for (std::size_t i = 0; i < phrase.words.size() && here; ++i) {
      const bool beginning = phrase.prefix && i + 1 == phrase.words.size();
      here = std::ranges::any_of(places[at + i], [&](const std::string& form) {
        return std::ranges::any_of(phrase.words[i], [&](const std::string& wanted) {
          return beginning ? form.starts_with(wanted) : form == wanted;
        });
      });
    }
    if (here) return true;
  }
  return false;
}

bool matches(const Query& query, std::string_view text) {
  analysis::Analyzer analyzer(query.language());
  return !query.empty() && std::ranges::all_of(query.phrases(), [&](const Phrase& phrase) {
    return holds(analyzer, text, phrase) != phrase.excluded;
  });
}

TEST_P(IndexTest, ManyLanguagesMatchAsReadingDoes) {
  const Case cases[] = {
      {kFrench,
       {"Les élèves étaient fatigués", "Un eleve fatigue", "L’été à la plage", "aimées, aimés et aimer",
        "cœur"},
       {"élève", "eleves", "fatiguée", "ete", "aimé", "aimees", "\"a la plage\"", "cœur", "coeur", "-eleve",
        "aim*"}},
      {kGerman,
       {"Die Häuser stehen in der Straße", "Ein Haus in der Strasse", "Über Flüsse", "Fluß und Fluss"},
       {"haus", "häuser", "hauser", "strasse", "STRASSE", "uber", "fluss", "\"der strasse\"", "flü* -fluss",
        "h*"}},
      {kRussian,
       {"Книги и ёлки", "О книгах", "мой дом, мои дома", "Домашний"},
       {"книга", "елка", "ёлки", "дом", "дома*", "мой", "мои", "-книга"}},
      {kPlain,
       {"running runs", "Δύσκολο", "हिन्दी भाषा", "Việt Nam", "x1 2.5"},
       {"run", "running", "runn*", "δυσκολο", "हिन्दी", "viet", "\"2 5\"", "2.5", "x*"}}};
  for (const Case& test : cases) {
    open(test.declaration);
    for (std::size_t i = 0; i < test.texts.size(); ++i) put(static_cast<int>(i), {test.texts[i]});
    for (std::string_view text : test.queries) {
      const Query query = *parse_query(text, language_);
      Ids expected;
      for (std::size_t i = 0; i < test.texts.size(); ++i)
        if (matches(query, test.texts[i])) expected.insert(static_cast<int>(i));
      EXPECT_EQ(found(text), expected) << test.declaration.name << ": " << text;
    }
  }
}

TEST_P(IndexTest, RandomTextsAndQueriesMatchAsReadingDoes) {
  open(kNotes);
  std::mt19937 random(11);
  const char* vocabulary[] = {"run",  "runs",  "running", "café", "cafe",   "milk", "milky", "the",
                              "of",   "organ", "organs",  "o'b",  "e-mail", "2.5",  "日本",  "ﬁn",
                              "bank", "ban",   "banking", "É",    "x",      "xy",   "Å",     "naïve"};
  auto word = [&] { return std::string(vocabulary[random() % std::size(vocabulary)]); };
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) {
    std::string text;
    for (std::size_t n = random() % 7; n > 0; --n) text += word() + (random() % 4 ? " " : ", ");
    texts.push_back(text);
    put(i, {"", texts.back()});
  }
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      if (random() % 4 == 0) text += '-';
      const bool phrase = random() % 3 == 0;
      text += phrase ? "\"" + word() + " " + word() + "\"" : word();
      if (random() % 4 == 0) text += '*';
      text += ' ';
    }
    const Query query = *parse_query(text, language_);
    Ids expected;
    for (std::size_t k = 0; k < texts.size(); ++k)
      if (matches(query, texts[k])) expected.insert(static_cast<int>(k));
    ASSERT_EQ(found(text), expected) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(, IndexTest, bedplate::testing::every_dialect(), bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::search
