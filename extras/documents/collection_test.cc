// SPDX-License-Identifier: Apache-2.0
// One suite for both engines.
#include "extras/documents/collection.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/sql/error.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::documents {
namespace {

using bedplate::testing::EngineKit;
using sql::Compare;

struct Size {
  std::int64_t width = 0;
  static consteval auto describe() {
    using namespace schema;
    return object<Size>("A size.", {field<&Size::width>(range{0, 1000})});
  }
};

struct Profile {
  std::string name;
  std::optional<std::string> color;
  Size size;
  double weight = 0;
  bool active = false;
  std::vector<std::string> labels;

  static consteval auto describe() {
    using namespace schema;
    return object<Profile>(
        "A profile.",
        {field<&Profile::name>(length{1, 10'000}), field<&Profile::color>(),
         field<&Profile::size>(optional_with_default), field<&Profile::weight>(optional_with_default),
         field<&Profile::active>(optional_with_default), field<&Profile::labels>(optional_with_default)});
  }
};

// What a later version of the program makes of it.
struct Renamed {
  std::string name;
  std::string motto = "none yet";

  static consteval auto describe() {
    using namespace schema;
    return object<Renamed>("A later profile.",
                           {field<&Renamed::name>(), field<&Renamed::motto>(optional_with_default)});
  }
};

constexpr std::initializer_list<Field> kFields = {{"name", FieldType::text, required},
                                                  {"color", FieldType::text},
                                                  {"width", FieldType::integer, "size.width", required},
                                                  {"weight", FieldType::real},
                                                  {"active", FieldType::boolean},
                                                  {"labels", FieldType::text_list}};
constexpr Declaration kProfiles("profiles", Scope::everyone, kFields);
constexpr Declaration kOwn("own_profiles", Scope::tenant, kFields);
constexpr sql::Column kColor("color");
constexpr sql::Column kWidth("width");
constexpr sql::Column kWeight("weight");
constexpr sql::Column kActive("active");
constexpr sql::Column kName("name");

const Time kNow{std::chrono::seconds(1'800'000'000)};
const Uuid kAlice = *Uuid::parse("00000000-0000-4000-8000-00000000000a");
const Uuid kBob = *Uuid::parse("00000000-0000-4000-8000-00000000000b");

Uuid numbered(int n) {
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

Profile profile(std::string name, std::int64_t width = 0, std::optional<std::string> color = {}) {
  Profile made;
  made.name = std::move(name);
  made.size.width = width;
  made.color = std::move(color);
  return made;
}

class CollectionTest : public ::testing::TestWithParam<sql::Dialect> {
 public:
  using Profiles = Collection<Profile>;

  CollectionTest()
      : profiles(kProfiles, GetParam()),
        own(kOwn, GetParam()),
        kit(GetParam(), profiles.schema() + own.schema()) {}

  Result<void> insert(int id, const Profile& body) {
    const Uuid uuid = numbered(id);
    auto made = kit.run(kit.database().transact(&Profiles::insert, profiles, uuid, body, kNow));
    if (!made) return std::unexpected(std::move(made.error()));
    return {};
  }
  Result<std::int64_t> replace(int id, const Profile& body, std::optional<std::int64_t> version) {
    const Uuid uuid = numbered(id);
    const Time later = kNow + std::chrono::seconds(1);
    return kit.run(kit.database().transact(&Profiles::replace, profiles, uuid, body, version, later));
  }
  Result<void> remove(int id, std::optional<std::int64_t> version) {
    const Uuid uuid = numbered(id);
    return kit.run(kit.database().transact(&Profiles::remove, profiles, uuid, version));
  }
  Result<Stored<Profile>> find(int id) {
    const Uuid uuid = numbered(id);
    return kit.run(kit.database().read(&Profiles::find, profiles, uuid));
  }
  Result<PageOf<Stored<Profile>>> list(sql::Where& where, const PageRequest& request) {
    return kit.run(kit.database().read(&Profiles::list, profiles, where, request));
  }
  std::vector<std::string> names(sql::Where where) {
    PageRequest request(100);
    request.sort = {{"name", false}};
    std::vector<std::string> found;
    auto page = list(where, request);
    if (!page) throw std::runtime_error(page.error().code());
    for (const auto& document : page->documents) found.push_back(document.body.name);
    return found;
  }
  template <class T>
  std::vector<std::string> names(sql::Column column, Compare compare, const T& value) {
    sql::Where where = profiles.where();
    where.add(column, compare, value);
    return names(std::move(where));
  }
  using Names = std::vector<std::string>;

  Profiles profiles;
  Profiles own;
  EngineKit kit;
};

TEST_P(CollectionTest, KeepsDocumentsWithTheirVersions) {
  Profile ada = profile("Ada \"quoted\" ä\\ ", 7, "red");
  ada.labels = {"a", "b'c"};
  ada.weight = 1.5;
  ASSERT_TRUE(insert(1, ada));
  EXPECT_EQ(insert(1, ada).error().code(), sql::kUniqueViolation);
  Stored<Profile> found = *find(1);
  EXPECT_EQ(found.body.name, ada.name);
  EXPECT_EQ(found.body.labels, ada.labels);
  EXPECT_EQ(found.body.weight, 1.5);
  EXPECT_EQ(found.version, 1);
  EXPECT_EQ(found.created_at, kNow);

  EXPECT_EQ(*replace(1, profile("Eve"), 1), 2);
  EXPECT_EQ(replace(1, profile("Mallory"), 1).error().code(), "version_mismatch");
  EXPECT_EQ(*replace(1, profile("Zoe"), std::nullopt), 3);
  EXPECT_EQ(find(1)->body.name, "Zoe");
  EXPECT_GT(find(1)->updated_at, kNow);
  EXPECT_EQ(replace(2, profile("X"), std::nullopt).error().code(), "document_not_found");

  EXPECT_EQ(remove(1, 2).error().code(), "version_mismatch");
  EXPECT_TRUE(remove(1, 3));
  EXPECT_EQ(remove(1, std::nullopt).error().code(), "document_not_found");
  EXPECT_EQ(find(1).error().code(), "document_not_found");
}

TEST_P(CollectionTest, JsonFromOutsideIsReadByTheRulesOfItsType) {
  const Uuid id = numbered(1);
  auto put = [&](std::string_view json) {
    return kit.run(kit.database().transact(&Profiles::insert_json, profiles, id, json, kNow));
  };
  auto wrong = put(R"({"name": "", "size": {"width": 5000}, "colour": "red"})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().faults().size(), 3U);
  EXPECT_EQ(put("{").error().code(), "malformed_json");
  EXPECT_EQ(put(R"({"name": "nul \u0000"})").error().faults().at(0).code, "invalid_character");
  EXPECT_EQ(put(R"({"name": "x", "color": ")" + std::string(kIndexedTextMax + 1, 'x') + "\"}").error().code(),
            sql::kCheckViolation);
  EXPECT_TRUE(put(R"({"name": "no nul \\u0000", "size": {"width": 5}})"));
  EXPECT_EQ(find(1)->body.name, "no nul \\u0000");
}

TEST_P(CollectionTest, IsQueriedByDeclaredFields) {
  Profile ada = profile("Ada", 3, "red");
  ada.active = true;
  ada.weight = 2.5;
  ada.labels = {"x", "y"};
  ASSERT_TRUE(insert(1, ada));
  ASSERT_TRUE(insert(2, profile("Bob", 10, "Red")));
  ASSERT_TRUE(insert(3, profile("Cid", 20)));
  EXPECT_EQ(names(kColor, Compare::equal, std::string("red")), Names{"Ada"});
  EXPECT_EQ(names(kColor, Compare::is_null, true), Names{"Cid"});
  EXPECT_EQ(names(kWidth, Compare::at_least, 10), (Names{"Bob", "Cid"}));
  EXPECT_EQ(names(kWidth, Compare::one_of, std::vector<std::int64_t>{3, 20}), (Names{"Ada", "Cid"}));
  EXPECT_EQ(names(kWeight, Compare::greater, 2.0), Names{"Ada"});
  EXPECT_EQ(names(kActive, Compare::equal, true), Names{"Ada"});
  EXPECT_EQ(names(kName, Compare::starts_with, std::string("B")), Names{"Bob"});
  sql::Where has = profiles.where();
  has.add_text(profiles.contains("labels", has.params().add("y")));
  EXPECT_EQ(names(std::move(has)), Names{"Ada"});
  sql::Where no_list = profiles.where();
  no_list.add_text(profiles.contains("color", no_list.params().add("y")));
  EXPECT_EQ(names(std::move(no_list)), Names{});
  sql::Where two = profiles.where();
  two.add(kWidth, Compare::less, 15);
  EXPECT_EQ(kit.get(kit.database().read(&Profiles::count, profiles, two)), 2);
}

TEST_P(CollectionTest, WhatAListHoldsIsFoundAsItIsNow) {
  const auto holding = [&](std::string_view label) {
    sql::Where where = profiles.where();
    where.add_text(profiles.contains("labels", where.params().add(std::string(label))));
    return names(std::move(where));
  };
  Profile ada = profile("Ada");
  ada.labels = {"x", "y", "x"};
  ASSERT_TRUE(insert(1, ada));
  ASSERT_TRUE(insert(2, ada = profile("Bob")));
  EXPECT_EQ(holding("x"), Names{"Ada"});
  ada.labels = {"z", "y", ""};
  EXPECT_EQ(*replace(1, ada, std::nullopt), 2);
  EXPECT_EQ(holding("x"), Names{});
  EXPECT_EQ(holding("z"), Names{"Bob"});
  EXPECT_EQ(holding(""), Names{"Bob"});
  EXPECT_FALSE(replace(1, profile("Cid"), 1)) << "of another version: nothing changes";
  EXPECT_EQ(holding("y"), Names{"Bob"});
  ASSERT_TRUE(remove(1, std::nullopt));
  EXPECT_EQ(holding("y"), Names{});
  ASSERT_TRUE(insert(1, ada)) << "nothing of the one before is left";
}

TEST_P(CollectionTest, PagesGoOnWhereTheyEnded) {
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(insert(i, profile("name" + std::to_string(i), i % 4)));
  for (bool by_name : {false, true}) {
    std::vector<int> seen;
    PageRequest request(7);
    request.sort = {{by_name ? "name" : "width", true}};
    for (;;) {
      sql::Where where = profiles.where();
      auto page = list(where, request);
      ASSERT_TRUE(page);
      for (const auto& document : page->documents) seen.push_back(document.id.bytes[15]);
      if (!page->more) break;
      request.after = page->last;
    }
    EXPECT_EQ(seen.size(), 25U);
    EXPECT_EQ(seen[0], by_name ? 9 : 3);
    EXPECT_EQ(seen[1], by_name ? 8 : 7);
  }
}

TEST_P(CollectionTest, OnlyDeclaredFieldsSort) {
  for (const char* field : {"color", "labels", "nothing", "name; DROP TABLE profiles", "version"}) {
    PageRequest request;
    request.sort = {{field, false}};
    sql::Where where = profiles.where();
    EXPECT_EQ(list(where, request).error().code(), "sort_field") << field;
  }
  PageRequest twice;
  twice.sort = {{"name", false}, {"name", true}};
  sql::Where where = profiles.where();
  EXPECT_FALSE(list(where, twice));
}

TEST_P(CollectionTest, DocumentsOutliveTheirType) {
  ASSERT_TRUE(insert(1, profile("Ada", 3, "red")));
  Collection<Renamed> later(kProfiles, GetParam());
  const Uuid id = numbered(1);
  Stored<Renamed> read = kit.get(kit.database().read(&Collection<Renamed>::find, later, id));
  EXPECT_EQ(read.body.name, "Ada");
  EXPECT_EQ(read.body.motto, "none yet");
  Collection<Size> wrong(kProfiles, GetParam());
  auto misfit = kit.run(kit.database().read(&Collection<Size>::find, wrong, id));
  ASSERT_FALSE(misfit);
  EXPECT_EQ(misfit.error().code(), "document_shape");
}

TEST_P(CollectionTest, TenantsHaveTheirOwn) {
  const sql::CallContext alice(kAlice);
  const sql::CallContext bob(kBob);
  const Uuid id = numbered(1);
  const Profile mine = profile("Ada");
  const Profile theirs = profile("Bob");
  kit.get(kit.database().transact(alice, &Profiles::insert, own, id, mine, kNow));
  kit.get(kit.database().transact(bob, &Profiles::insert, own, id, theirs, kNow));
  EXPECT_EQ(kit.get(kit.database().read(alice, &Profiles::find, own, id)).body.name, "Ada");
  EXPECT_EQ(kit.get(kit.database().read(bob, &Profiles::find, own, id)).body.name, "Bob");
  sql::Where where = own.where();
  EXPECT_EQ(kit.get(kit.database().read(alice, &Profiles::count, own, where)), 1);
  auto nobody = kit.run(kit.database().read(&Profiles::find, own, id));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code(), "tenant_required");
  Profile labelled = mine;
  labelled.labels = {"x"};
  const std::optional<std::int64_t> any;
  kit.get(kit.database().transact(alice, &Profiles::replace, own, id, labelled, any, kNow));
  for (const sql::CallContext* call : {&alice, &bob}) {
    sql::Where has = own.where();
    has.add_text(own.contains("labels", has.params().add(std::string("x"))));
    EXPECT_EQ(kit.get(kit.database().read(*call, &Profiles::count, own, has)), call == &alice ? 1 : 0);
  }
  kit.get(kit.database().transact(bob, &Profiles::remove, own, id, any));
  EXPECT_TRUE(kit.run(kit.database().read(alice, &Profiles::find, own, id)));
}

INSTANTIATE_TEST_SUITE_P(, CollectionTest, bedplate::testing::every_dialect(),
                         bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::documents
