// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/schema.h"
#include "bedplate/operations/api.h"

namespace bedplate::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using ListId = Id<struct ListTag>;
using ItemId = Id<struct ItemTag>;

enum class Mood { calm, loud };
consteval auto describe(Mood) {
  return schema::values<Mood::calm, Mood::loud>("A mood");
}

struct Item {
  ListId list_id;
  ItemId id;
  std::string title;
  Mood mood = Mood::loud;
  std::optional<std::string> url;
  std::vector<std::string> labels = {"new"};
  Time created_at{};
  std::int64_t version = 7;
  int cache = 5;

  static consteval auto describe() {
    using namespace schema;
    return object<Item>("Something.", {
                                          field<&Item::list_id>(key, "The list."),
                                          field<&Item::id>(key, read_only, "Names it."),
                                          field<&Item::title>(length{1, 20}, not_blank, "What it is."),
                                          field<&Item::mood>(optional_with_default),
                                          field<&Item::url>(omit_null),
                                          field<&Item::labels>(optional_with_default),
                                          field<&Item::created_at>(read_only),
                                          field<&Item::version>(read_only),
                                          omit<&Item::cache>,
                                      });
  }
};

struct Span {
  std::int64_t from = 0;
  std::int64_t to = 0;
  static void check_order(const Span& span, ObjectProblems& problems) {
    if (span.from > span.to) problems.add("to", "custom", "must not be before `from`");
  }
  static consteval auto describe() {
    using namespace schema;
    return object<Span>("A span.", {field<&Span::from>(), field<&Span::to>(optional_with_default)},
                        check<&Span::check_order>);
  }
};

const ListId kList = new_id<ListId>();
const ItemId kItem = new_id<ItemId>();

std::vector<std::string> names(const TypeInfo& type) {
  std::vector<std::string> all;
  for (const FieldInfo& field : type.object().all()) all.emplace_back(field.name());
  return all;
}

template <class T>
std::vector<std::string> faults(std::string_view json, JsonLimits limits = {}) {
  T value;
  Faults found;
  EXPECT_TRUE(read_json(json, type_of<T>(), &value, found, limits));
  std::vector<std::string> all;
  for (const Fault& fault : found.list()) all.push_back(fault.pointer + " " + std::string(fault.code));
  return all;
}

TEST(InputTest, TakesWhatAClientMaySetAndTheKeysThatItNames) {
  EXPECT_THAT(names(type_of<New<Item>>()), ElementsAre("list_id", "title", "mood", "url", "labels"));
  EXPECT_THAT(names(type_of<Replacement<Item>>()),
              ElementsAre("list_id", "id", "title", "mood", "url", "labels"));
  EXPECT_THAT(names(type_of<Changes<Item>>()),
              ElementsAre("list_id", "id", "title", "mood", "url", "labels"));
  EXPECT_THAT(names(type_of<Ref<Item>>()), ElementsAre("list_id", "id"));
}

TEST(InputTest, HasANameThatDocumentsShow) {
  EXPECT_EQ(type_of<New<Item>>().name(), "NewItem");
  EXPECT_EQ(type_of<Replacement<Item>>().name(), "ItemReplacement");
  EXPECT_EQ(type_of<Changes<Item>>().name(), "ItemChanges");
  EXPECT_EQ(type_of<Ref<Item>>().name(), "ItemRef");
}

TEST(NewTest, MakesAnEntityOfWhatTheClientSet) {
  Result<New<Item>> input = from_json<New<Item>>(
      R"({"list_id": "01a1fe3a-48df-7143-b3d1-b4ff5c3fe1e2", "title": "Lamp", "mood": "calm", "labels": []})");
  ASSERT_TRUE(input) << input.error().detail();
  const Item item = input->make();
  EXPECT_EQ(item.list_id.to_string(), "01a1fe3a-48df-7143-b3d1-b4ff5c3fe1e2");
  EXPECT_EQ((*input)->list_id, item.list_id);
  EXPECT_EQ(item.title, "Lamp");
  EXPECT_EQ(item.mood, Mood::calm);
  EXPECT_THAT(item.labels, IsEmpty());
  EXPECT_EQ(item.id, ItemId());
  EXPECT_EQ(item.version, 7);
}

TEST(NewTest, LeavesDefaultsToTheEntity) {
  Result<New<Item>> input =
      from_json<New<Item>>(R"({"list_id": "01a1fe3a-48df-7143-b3d1-b4ff5c3fe1e2", "title": "Lamp"})");
  ASSERT_TRUE(input);
  EXPECT_EQ((*input)->mood, Mood::loud);
  EXPECT_THAT((*input)->labels, ElementsAre("new"));
}

TEST(NewTest, AppliesTheRulesOfTheEntity) {
  EXPECT_THAT(
      faults<New<Item>>(R"({"title": " ", "id": "01a1fe3a-48df-7143-b3d1-b4ff5c3fe1e2", "version": 3})"),
      ElementsAre("/title blank", "/id unknown_field", "/version unknown_field", "/list_id required"));
}

TEST(NewTest, OfAnEntityKeepsOnlyWhatAClientMaySet) {
  Item item{.list_id = kList, .id = kItem, .title = "Lamp", .version = 99, .cache = 99};
  const New<Item> input(item);
  EXPECT_EQ(input->list_id, kList);
  EXPECT_EQ(input->title, "Lamp");
  EXPECT_EQ(input->id, ItemId());
  EXPECT_EQ(input->version, 7);
  EXPECT_EQ(input->cache, 5);
}

TEST(NewTest, KeepsTheRuleAcrossFields) {
  EXPECT_THAT(faults<New<Span>>(R"({"from": 2, "to": 3})"), IsEmpty());
  EXPECT_THAT(faults<New<Span>>(R"({"from": 4, "to": 3})"), ElementsAre("/to custom"));
  EXPECT_THAT(faults<Replacement<Span>>(R"({"from": 4, "to": 3})"), ElementsAre("/to custom"));
  EXPECT_FALSE(validate(New<Span>({.from = 4, .to = 3})));
}

TEST(ReplacementTest, PutsAllThatAClientMaySet) {
  Item item{
      .list_id = kList, .id = kItem, .title = "Lamp", .mood = Mood::calm, .url = "http://a", .version = 3};
  const Replacement<Item> input({.list_id = new_id<ListId>(), .id = new_id<ItemId>(), .title = "Bed"});
  EXPECT_TRUE(input.apply_to(item));
  EXPECT_EQ(item.title, "Bed");
  EXPECT_EQ(item.mood, Mood::loud);
  EXPECT_EQ(item.url, std::nullopt);
  EXPECT_THAT(item.labels, ElementsAre("new"));
  EXPECT_EQ(item.id, kItem);
  EXPECT_EQ(item.list_id, kList);
  EXPECT_EQ(item.version, 3);
  EXPECT_FALSE(input.apply_to(item)) << "nothing is left to change";
  EXPECT_EQ(input->title, "Bed") << "an input can be applied again";
}

TEST(ChangesTest, AbsentStaysAndNullClears) {
  Item item{.title = "Lamp", .mood = Mood::calm, .url = "http://a"};
  Result<Changes<Item>> input = from_json<Changes<Item>>(
      R"({"list_id": "01a1fe3a-48df-7143-b3d1-b4ff5c3fe1e2", "id": "01a1fe3a-48df-7143-b3d1-b4ff5c3fe1e2",
          "url": null, "labels": ["a", "b"]})");
  ASSERT_TRUE(input) << input.error().detail();
  EXPECT_FALSE(input->gives<&Item::title>());
  EXPECT_TRUE(input->gives<&Item::url>());
  EXPECT_TRUE(input->apply_to(item));
  EXPECT_EQ(item.title, "Lamp");
  EXPECT_EQ(item.mood, Mood::calm);
  EXPECT_EQ(item.url, std::nullopt);
  EXPECT_THAT(item.labels, ElementsAre("a", "b"));
  EXPECT_EQ(item.id, ItemId()) << "a key is no change";
  EXPECT_FALSE(input->apply_to(item));
}

TEST(ChangesTest, NullIsAFaultWhereItClearsNothing) {
  JsonLimits limits;
  limits.fields_elsewhere = 3;  // both keys
  EXPECT_THAT(faults<Changes<Item>>(R"({"title": null, "labels": null, "url": null})", limits),
              ElementsAre("/title null_not_allowed", "/labels null_not_allowed"));
  EXPECT_THAT(faults<Changes<Item>>(R"({"title": "", "mood": "odd"})", limits),
              ElementsAre("/title too_short", "/mood not_one_of"));
  EXPECT_THAT(faults<Changes<Item>>("{}"), ElementsAre("/list_id required", "/id required"));
}

TEST(ChangesTest, IgnoresWhatTheClientSendsBack) {
  JsonLimits limits;
  limits.fields_elsewhere = 3;
  limits.ignore_read_only_fields = true;
  EXPECT_THAT(faults<Changes<Item>>(
                  R"({"id": "x", "list_id": 1, "version": 2, "created_at": 3, "title": "Lamp"})", limits),
              IsEmpty());
  EXPECT_THAT(faults<Replacement<Item>>(
                  R"({"id": "x", "list_id": 1, "version": 2, "cache": 3, "title": "Lamp"})", limits),
              ElementsAre("/cache unknown_field"));
}

TEST(ChangesTest, ValidatesOnlyWhatIsGiven) {
  Changes<Item> input({.id = kItem});
  EXPECT_TRUE(validate(input)) << "the title is empty and absent";
  input.set<&Item::title>("");
  EXPECT_FALSE(validate(input));
}

TEST(ChangesTest, AreCheckedAcrossFieldsWhenTheyAreApplied) {
  Span span{.from = 1, .to = 5};
  Changes<Span> input;
  input.set<&Span::from>(6);
  Result<bool> applied = input.checked_apply_to(span);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().faults().at(0).pointer, "/to");
  EXPECT_EQ(span.from, 1);
  input.set<&Span::to>(8);
  applied = input.checked_apply_to(span);
  ASSERT_TRUE(applied);
  EXPECT_TRUE(*applied);
  EXPECT_EQ(span.from, 6);
}

// What another surface, or a record of idempotency, keeps of an input.
TEST(InputTest, HasAJsonFormThatReadsBack) {
  JsonLimits stored;
  stored.view = View::stored;
  Changes<Item> changes({.list_id = kList, .id = kItem});
  changes.set<&Item::title>("Lamp").clear<&Item::url>();
  changes.if_match = IfMatch({3});
  const std::string text = to_json(changes, View::stored);
  EXPECT_EQ(text, "{\"list_id\":\"" + kList.to_string() + "\",\"id\":\"" + kItem.to_string() +
                      "\",\"title\":\"Lamp\",\"url\":null}");
  Result<Changes<Item>> read = from_json<Changes<Item>>(text, stored);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read, View::stored), text);
  Item item{.title = "Bed", .mood = Mood::calm, .url = "http://a"};
  EXPECT_TRUE(read->apply_to(item));
  EXPECT_EQ(item.title, "Lamp");
  EXPECT_EQ(item.mood, Mood::calm);
  EXPECT_EQ(item.url, std::nullopt);

  const New<Item> made({.list_id = kList, .title = "Lamp"});
  const std::string made_text = to_json(made, View::stored);
  EXPECT_THAT(made_text, HasSubstr(R"("url":null)"));
  Result<New<Item>> made_again = from_json<New<Item>>(made_text, stored);
  ASSERT_TRUE(made_again);
  EXPECT_EQ(to_json(*made_again, View::stored), made_text);

  const Ref<Item> ref({.list_id = kList, .id = kItem, .title = "Lamp"});
  EXPECT_EQ(to_json(ref, View::stored),
            "{\"list_id\":\"" + kList.to_string() + "\",\"id\":\"" + kItem.to_string() + "\"}");
}

TEST(InputTest, TwoOfTheSameContentAreWrittenAlike) {
  Changes<Item> nothing({.id = kItem});
  Changes<Item> null({.id = kItem});
  null.clear<&Item::url>();
  EXPECT_NE(to_json(nothing, View::stored), to_json(null, View::stored));
}

TEST(InputTest, SchemasSayWhatEachTakes) {
  const std::string made = json_schema(type_of<New<Item>>(), View::input);
  EXPECT_THAT(made, HasSubstr(R"("required":["list_id","title"])"));
  EXPECT_THAT(made, HasSubstr(R"("default":"loud")"));
  EXPECT_THAT(made, HasSubstr(R"("default":["new"])"));
  const std::string changes = json_schema(type_of<Changes<Item>>(), View::input);
  EXPECT_THAT(changes, HasSubstr(R"("required":["list_id","id"])"));
  EXPECT_THAT(changes, Not(HasSubstr(R"("default")")));
  EXPECT_THAT(changes, HasSubstr(R"("type":["string","null"])"));
  EXPECT_THAT(changes, HasSubstr(R"("readOnly":true)")) << "what is ignored is said";
}

// ---- If-Match without a line

struct Unversioned {
  std::int64_t id = 0;
  static consteval auto describe() {
    using namespace schema;
    return object<Unversioned>("No version.", {field<&Unversioned::id>(key)});
  }
};

struct Service {
  Async<Item> find(sql::Reader&, const Ref<Item>&) { co_return Item{}; }
  Async<void> remove(sql::Transaction&, const Ref<Item>&) { co_return; }
  Async<Item> change(sql::Transaction&, const Changes<Item>&) { co_return Item{}; }
  Async<void> drop(sql::Transaction&, const Ref<Unversioned>&) { co_return; }
};

TEST(InputTest, CommandsTakeIfMatchWhereTheEntityHasAVersion) {
  Service service;
  const Api made = Api("items", "Items")
                       .query<&Service::find>("find", service, any_user())
                       .command<&Service::remove>("remove", service, any_user())
                       .command<&Service::change>("change", service, any_user())
                       .command<&Service::drop>("drop", service, any_user());
  EXPECT_EQ(made.operations()[0].set_if_match, nullptr) << "REST compares the version of what is read";
  EXPECT_NE(made.operations()[1].set_if_match, nullptr);
  EXPECT_EQ(made.operations()[3].set_if_match, nullptr) << "there is nothing to compare it with";
  ASSERT_NE(made.operations()[2].set_if_match, nullptr);
  Changes<Item> input;
  made.operations()[2].set_if_match(&input, IfMatch({4}));
  EXPECT_TRUE(input.if_match.allows(4));
  EXPECT_FALSE(input.if_match.allows(5));
}

}  // namespace
}  // namespace bedplate::api
