// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/seed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/kits/engine_kit.h"

namespace bedplate::testing {
namespace {

using ::testing::HasSubstr;

enum class Color { red, blue };
consteval auto describe(Color) {
  return schema::values<Color::red, Color::blue>("A colour.");
}

struct Thing {
  Id<struct ThingTag> id;
  Id<struct PlaceTag> place;
  std::string name;
  std::string email;
  std::string code;
  std::optional<std::string> note;
  Color color = Color::red;
  std::int64_t amount = 0;
  std::int64_t uses = 0;
  std::vector<std::string> labels;
  Time made_at{};
  std::int64_t version = 1;

  static consteval auto describe() {
    using namespace schema;
    return object<Thing>(
        "A thing", {field<&Thing::id>(key, read_only, "Which"), field<&Thing::place>("Where"),
                    field<&Thing::name>(length{8, 12}, not_blank, example("A long name"), "Name"),
                    field<&Thing::email>(format::email, "Whose"),
                    field<&Thing::code>(pattern("^[a-z]{3}$"), example("abc"), "Code"),
                    field<&Thing::note>(length{1, 30}, "Note"), field<&Thing::color>("Colour"),
                    field<&Thing::amount>(range{5, 7}, "How many"), field<&Thing::uses>(read_only, "Uses"),
                    field<&Thing::labels>(length{1, 3}, unique, each(length{1, 10}), "Labels"),
                    field<&Thing::made_at>(read_only, "When"), field<&Thing::version>(read_only, "Version")});
  }
};
constexpr sql::Table<Thing> kThings("things", sql::owner, sql::key<&Thing::id>,
                                    sql::version<&Thing::version>);

struct Word {
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<Word>("A word", {field<&Word::text>(key, pattern("^[a-z]+$"), "Itself")});
  }
};
constexpr sql::Table<Word> kWords("words", sql::key<&Word::text>);

class SeedTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  static std::string schema() {
    const bool sqlite = GetParam() == sql::Dialect::sqlite;
    const std::string uuid = sqlite ? "BLOB" : "uuid";
    const std::string time = sqlite ? "INTEGER" : "timestamptz";
    return "CREATE TABLE things (owner " + uuid + " NOT NULL, id " + uuid + " NOT NULL, place " + uuid +
           " NOT NULL, name TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE, code TEXT NOT NULL, note TEXT, "
           "color TEXT NOT NULL, amount BIGINT NOT NULL, uses BIGINT NOT NULL, labels TEXT NOT NULL, "
           "made_at " +
           time +
           " NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (owner, id));"
           "CREATE TABLE words (text TEXT NOT NULL PRIMARY KEY);";
  }
  static Async<std::vector<Thing>> all(sql::Reader& db) {
    std::vector<Thing> rows =
        co_await ok(db.all<Thing>("SELECT id, place, name, email, code, note, color, amount, "
                                  "uses, labels, made_at, version FROM things ORDER BY id"));
    co_return rows;
  }
  static Async<std::int64_t> owners(sql::Reader& db) {
    std::int64_t count = co_await ok(db.value<std::int64_t>("SELECT count(DISTINCT owner) FROM things"));
    co_return count;
  }

  EngineKit kit_{GetParam(), schema()};
};

TEST_P(SeedTest, WritesRowsThatTheDescriptionAllows) {
  const auto place = new_id<Id<struct PlaceTag>>();
  const std::vector<Uuid> users{new_uuid(), new_uuid(), new_uuid()};
  const std::vector<Thing> made =
      seed(kit_.database(), kThings, 500,
           {.owners = users, .change = [&](Thing& thing, std::size_t) { thing.place = place; }});
  const std::vector<Thing> rows = kit_.get(kit_.database().read(&SeedTest::all));
  ASSERT_EQ(rows.size(), 500U);
  EXPECT_EQ(kit_.get(kit_.database().read(&SeedTest::owners)), 3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].id, made[i].id);
    EXPECT_EQ(rows[i].place, place);
    EXPECT_EQ(rows[i].code, "abc") << "a pattern takes the example";
    EXPECT_EQ(rows[i].note.has_value(), i % 2 == 0);
    EXPECT_EQ(rows[i].color, i % 2 == 0 ? Color::red : Color::blue);
    EXPECT_EQ(rows[i].amount, 5 + static_cast<std::int64_t>(i % 3));
    EXPECT_EQ(rows[i].uses, 0);
    EXPECT_EQ(rows[i].labels.size(), 2U);
    EXPECT_EQ(rows[i].version, 1);
  }
  EXPECT_EQ(rows[499].name, "A long n 499") << "cut to its length, and still the only one of this name";
  EXPECT_EQ(rows[2].made_at - rows[1].made_at, std::chrono::seconds(1));
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_P(SeedTest, SaysWhatItCannotMakeUp) {
  EXPECT_THAT(refusal([&] { seed(kit_.database(), kWords, 1); }), HasSubstr("seed of words: row 0, /text"));
  EXPECT_THAT(refusal([&] {
                seed(kit_.database(), kWords, 2,
                     {.change = [](Word& word, std::size_t) { word.text = "same"; }});
              }),
              HasSubstr("seed of words: "));
  EXPECT_THAT(refusal([&] { seed(kit_.database(), kThings, 1); }), HasSubstr("say `owners`"));
  EXPECT_THAT(refusal([&] { seed(kit_.database(), kWords, 1, {.owners = {new_uuid()}}); }),
              HasSubstr("leave `owners` out"));
}

INSTANTIATE_TEST_SUITE_P(, SeedTest, every_dialect(), dialect_name);

}  // namespace
}  // namespace bedplate::testing
