// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/binding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/describe/any_value.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/operations/api.h"
#include "bedplate/operations/input.h"

namespace bedplate::api {
namespace {

using ::testing::HasSubstr;

using ListId = Id<struct ListTag>;
using ItemId = Id<struct ItemTag>;

struct Item {
  ListId list_id;
  ItemId id;
  std::string title;
  std::optional<std::string> url;
  std::int64_t version = 1;

  static consteval auto describe() {
    using namespace schema;
    return object<Item>("Something.", {
                                          field<&Item::list_id>(key, "The list."),
                                          field<&Item::id>(key, read_only, "Names it."),
                                          field<&Item::title>(length{1, 20}, "What it is."),
                                          field<&Item::url>("Where."),
                                          field<&Item::version>(read_only),
                                      });
  }
};

struct NoKey {
  std::int64_t id = 0;
  std::string title;
  static consteval auto describe() {
    using namespace schema;
    return object<NoKey>("Nothing says what identifies it.",
                         {field<&NoKey::id>(read_only), field<&NoKey::title>()});
  }
};

struct Service {
  Async<Item> add(sql::Transaction&, const New<Item>&) { co_return Item{}; }
  Async<Item> find(sql::Reader&, const Ref<Item>&) { co_return Item{}; }
  Async<Item> replace(sql::Transaction&, const Replacement<Item>&) { co_return Item{}; }
  Async<Item> change(sql::Transaction&, const Changes<Item>&) { co_return Item{}; }
  Async<void> remove(sql::Transaction&, const Ref<Item>&) { co_return; }
  Async<NoKey> change_other(sql::Transaction&, const Changes<NoKey>&) { co_return NoKey{}; }
};

constexpr std::string_view kList = "01a1fe3a-48df-7143-b3d1-b4ff5c3fe1e2";
constexpr std::string_view kItem = "01a1fe3a-495d-7717-89b6-c129fca4e969";

class DerivedInputTest : public ::testing::Test {
 protected:
  /// Binds the operation of that name; the input in canonical JSON, or the pointers of its faults.
  std::string bind(std::string_view name, std::vector<std::string_view> path, std::string_view body) {
    for (const Operation& operation : api_.operations()) {
      if (operation.name != name) continue;
      Binding binding;
      Result<void> fits = binding.prepare(operation);
      EXPECT_TRUE(fits) << (fits ? "" : fits.error().detail());
      AnyValue input(*operation.input);
      Result<void> filled = binding.fill(path, "", body, input.data());
      std::string text;
      if (filled) {
        append_json(text, *operation.input, input.data(), View::stored);
        return text;
      }
      for (const Fault& fault : filled.error().faults())
        text += fault.pointer + " " + std::string(fault.code) + ";";
      return text;
    }
    return "no such operation";
  }

  Service service_;
  Api api_ =
      Api("items", "Items")
          .command<&Service::add>("add", service_, post("/lists/{list_id}/items"), any_user())
          .query<&Service::find>("find", service_, get("/lists/{list_id}/items/{id}"), any_user())
          .command<&Service::replace>("replace", service_, put("/lists/{list_id}/items/{id}"), any_user())
          .command<&Service::change>("change", service_, patch("/lists/{list_id}/items/{id}"), any_user())
          .command<&Service::remove>("remove", service_, del("/lists/{list_id}/items/{id}"), any_user());
};

TEST_F(DerivedInputTest, TakeTheirKeysFromThePathAndTheRestFromTheBody) {
  const std::string keys =
      "{\"list_id\":\"" + std::string(kList) + "\",\"id\":\"" + std::string(kItem) + "\"";
  EXPECT_EQ(bind("items.add", {kList}, R"({"title": "Lamp"})"),
            "{\"list_id\":\"" + std::string(kList) + "\",\"title\":\"Lamp\",\"url\":null}");
  EXPECT_EQ(bind("items.find", {kList, kItem}, ""), keys + "}");
  EXPECT_EQ(bind("items.remove", {kList, kItem}, ""), keys + "}");
  EXPECT_EQ(bind("items.replace", {kList, kItem}, R"({"title": "Lamp"})"),
            keys + R"(,"title":"Lamp","url":null})");
  EXPECT_EQ(bind("items.change", {kList, kItem}, R"({"url": null})"), keys + R"(,"url":null})");
  EXPECT_EQ(bind("items.change", {kList, kItem}, "{}"), keys + "}");
}

TEST_F(DerivedInputTest, ReportFaultsOfBothPlaces) {
  EXPECT_EQ(bind("items.add", {"x"}, R"({"title": "", "id": 1, "list_id": 1})"),
            "{list_id} format;/title too_short;/id unknown_field;/list_id unknown_field;");
  EXPECT_EQ(bind("items.change", {kList, "x"}, R"({"title": null, "version": 3, "id": "as it was read"})"),
            "{id} format;/title null_not_allowed;");
}

TEST_F(DerivedInputTest, AKeyThatIsNotMarkedIsMissedAtTheStart) {
  const Api other =
      Api("other", "")
          .command<&Service::change_other>("change_other", service_, patch("/o/{id}"), any_user());
  Binding binding;
  Result<void> fits = binding.prepare(other.operations()[0]);
  ASSERT_FALSE(fits);
  EXPECT_THAT(fits.error().detail(), HasSubstr("NoKeyChanges has no field id"));
  EXPECT_THAT(fits.error().detail(), HasSubstr("mark the entity's field with `key`"));
}

}  // namespace
}  // namespace bedplate::api
