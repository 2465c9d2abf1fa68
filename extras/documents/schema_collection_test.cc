// SPDX-License-Identifier: Apache-2.0
// One suite for both engines.
#include "extras/documents/schema_collection.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/sql/error.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::documents {
namespace {

using namespace std::string_literals;
using bedplate::testing::EngineKit;
using sql::Compare;

constexpr std::initializer_list<Field> kFields = {{"kind", FieldType::text, required},
                                                  {"size", FieldType::integer, "box.size"},
                                                  {"labels", FieldType::text_list}};
constexpr Declaration kForms("forms", Scope::everyone, kFields);
constexpr Declaration kOwn("own_forms", Scope::tenant, kFields);
constexpr sql::Column kSize("size");

constexpr std::string_view kFirst = R"({"type": "object", "required": ["kind"], "properties": {
  "kind": {"enum": ["a", "b"]}, "box": {"properties": {"size": {"minimum": 1}}}, "note": {"maxLength": 3}}})";
constexpr std::string_view kSecond = R"({"type": "object", "required": ["kind", "note"]})";

const Time kNow{std::chrono::seconds(1'800'000'000)};

Uuid numbered(int n) {
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

class SchemaCollectionTest : public ::testing::TestWithParam<sql::Dialect> {
 public:
  SchemaCollectionTest()
      : forms(kForms, GetParam()), own(kOwn, GetParam()), kit(GetParam(), forms.schema() + own.schema()) {}

  Result<std::int64_t> declare(std::string_view schema) {
    return kit.run(kit.database().transact(&SchemaCollection::declare, forms, schema, kNow));
  }
  /// "/kind required"; the code where there are no faults; "" when it went in.
  std::string insert(int n, std::string_view json) {
    const Uuid id = numbered(n);
    const auto made = kit.run(kit.database().transact(&SchemaCollection::insert, forms, id, json, kNow));
    return made ? "" : said(made.error());
  }
  std::string replace(int n, std::string_view json) {
    const Uuid id = numbered(n);
    const std::optional<std::int64_t> any;
    const auto made =
        kit.run(kit.database().transact(&SchemaCollection::replace, forms, id, json, any, kNow));
    return made ? "" : said(made.error());
  }
  static std::string said(const Error& error) {
    std::string text;
    for (const Fault& fault : error.faults())
      text += (text.empty() ? "" : "; ") + fault.pointer + " " + fault.code;
    return text.empty() ? error.code() : text;
  }
  std::string stored(int n) {
    const Uuid id = numbered(n);
    return kit.get(kit.database().read(&SchemaCollection::find, forms, id)).body.text();
  }
  std::string misfits(std::string_view schema) {
    const JsonSchema compiled = *JsonSchema::compile(schema);
    std::string text;
    std::optional<std::vector<KeyValue>> after;
    for (;;) {
      const MisfitPage page =
          kit.get(kit.database().read(&SchemaCollection::misfits, forms, compiled, after));
      for (const Misfit& misfit : page.misfits)
        text += std::to_string(misfit.id.bytes[15]) + misfit.faults.at(0).pointer + " ";
      if (!page.more) return text;
      after = page.last;
    }
  }

  SchemaCollection forms;
  SchemaCollection own;
  EngineKit kit;
};

TEST_P(SchemaCollectionTest, DocumentsMustFitTheSchemaAndTheDeclaredFields) {
  EXPECT_EQ(insert(1, R"({"kind": "a"})"), "schema_missing");
  EXPECT_EQ(*declare(kFirst), 1);
  EXPECT_EQ(insert(1, R"({"kind": "a", "box": {"size": 2.0}, "labels": ["x"], "other": [1.5, null]})"), "");
  EXPECT_EQ(insert(1, R"({"kind": "a"})"), sql::kUniqueViolation);
  EXPECT_EQ(insert(2, R"({"kind": "c", "box": {"size": 0.5}, "note": "long", "labels": [1]})"),
            "/box/size too_small; /kind not_one_of; /note too_long; /labels wrong_type");
  EXPECT_EQ(insert(2, "{}"), "/kind required");
  EXPECT_EQ(insert(2, "[]"), " wrong_type; /kind required");
  EXPECT_EQ(insert(2, R"({"kind": "a", "x": 1e400})"), " too_large");
  EXPECT_EQ(insert(2, R"({"kind": "a", "box": {"size": 1e30}})"), "/box/size wrong_type");
  EXPECT_EQ(insert(2, R"({"kind": "a", "x": ["\u0000"], "y\u0000": 1})"),
            "/x/0 invalid_character; /y\0 invalid_character"s);
  EXPECT_EQ(insert(2, "{"), "malformed_json");
  EXPECT_EQ(insert(2, R"({"kind": "b", "box": {"size": 1e2}})"), "");
  for (const auto& [most, expected] : {std::pair(2, 1), std::pair(100, 2)}) {
    sql::Where where = forms.where();
    where.add(kSize, Compare::at_most, most);
    EXPECT_EQ(kit.get(kit.database().read(&SchemaCollection::count, forms, where)), expected);
  }
  sql::Where labelled = forms.where();
  labelled.add_text(forms.contains("labels", labelled.params().add(std::string("x"))));
  const PageRequest request;
  const auto page = kit.get(kit.database().read(&SchemaCollection::list, forms, labelled, request));
  ASSERT_EQ(page.documents.size(), 1U);
  EXPECT_EQ(page.documents[0].id, numbered(1));
  EXPECT_EQ(replace(1, R"({"kind": "z"})"), "/kind not_one_of");
  EXPECT_EQ(replace(1, R"({"kind": "b"})"), "");
  EXPECT_EQ(JsonSchema::compile(R"({"const": {"kind": "b"}})")->check(stored(1)).has_value(), true);
  const std::optional<std::int64_t> any;
  const Uuid id = numbered(1);
  EXPECT_TRUE(kit.run(kit.database().transact(&SchemaCollection::remove, forms, id, any)));
}

TEST_P(SchemaCollectionTest, ANewSchemaLeavesWhatIsThereAndHoldsForWhatComes) {
  EXPECT_EQ(*declare(kFirst), 1);
  EXPECT_EQ(insert(1, R"({"kind": "a"})"), "");
  EXPECT_EQ(insert(2, R"({"kind": "a", "note": "abc"})"), "");
  EXPECT_EQ(misfits(kSecond), "1/note ");
  EXPECT_EQ(declare(R"({"unevaluatedItems": false})").error().code(), "schema_invalid");
  EXPECT_EQ(insert(3, R"({"kind": "a"})"), "") << "what cannot be used is not in force";
  EXPECT_EQ(*declare(kSecond), 2);

  EXPECT_EQ(misfits(kSecond), "1/note 3/note ");
  EXPECT_TRUE(stored(1).contains("kind")) << "read as it is";
  EXPECT_EQ(replace(1, R"({"kind": "a"})"), "/note required");
  EXPECT_EQ(insert(4, R"({"kind": "c"})"), "/note required");
  EXPECT_EQ(replace(1, R"({"kind": "c", "note": "longer"})"), "") << "the first schema is over";
  EXPECT_EQ(misfits(kSecond), "3/note ");

  // Another replica notices by itself.
  const SchemaCollection other(kForms, GetParam());
  const std::string_view open = "true";
  EXPECT_EQ(kit.get(kit.database().transact(&SchemaCollection::declare, other, open, kNow)), 3);
  EXPECT_EQ(insert(4, R"({"kind": "c"})"), "");
}

TEST_P(SchemaCollectionTest, MisfitsAreFoundPageByPage) {
  EXPECT_EQ(*declare("true"), 1);
  for (int n = 1; n <= 205; ++n)
    ASSERT_EQ(insert(n, n % 100 == 0 ? R"({"kind": "bad"})" : R"({"kind": "good"})"), "");
  EXPECT_EQ(misfits(R"({"properties": {"kind": {"const": "good"}}})"), "100/kind 200/kind ");
}

TEST_P(SchemaCollectionTest, TenantsShareTheSchemaAndHaveTheirDocuments) {
  const sql::CallContext alice(*Uuid::parse("00000000-0000-4000-8000-00000000000a"));
  const sql::CallContext bob(*Uuid::parse("00000000-0000-4000-8000-00000000000b"));
  const Uuid id = numbered(1);
  const std::string_view json = R"({"kind": "a"})";
  kit.get(kit.database().transact(&SchemaCollection::declare, own, kFirst, kNow));
  kit.get(kit.database().transact(alice, &SchemaCollection::insert, own, id, json, kNow));
  EXPECT_FALSE(kit.run(kit.database().read(bob, &SchemaCollection::find, own, id)));
  EXPECT_TRUE(kit.run(kit.database().transact(bob, &SchemaCollection::insert, own, id, json, kNow)));
  const auto nobody = kit.run(kit.database().transact(&SchemaCollection::insert, own, id, json, kNow));
  EXPECT_EQ(nobody.error().code(), "tenant_required");
}

/// Declares, writes a document, and then fails.
struct Regret {
  SchemaCollection& forms;
  Async<void> run(sql::Transaction& tx) const {
    co_await ok(forms.declare(tx, kFirst, kNow));
    co_await ok(forms.insert(tx, numbered(1), R"({"kind": "a"})", kNow));
    co_await fail(Category::conflict, "regret", "No.");
  }
};

TEST_P(SchemaCollectionTest, ASchemaThatWasRolledBackIsForgotten) {
  Regret regret{forms};
  const Result<void> failed = kit.run(kit.database().transact(&Regret::run, regret));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), "regret");
  EXPECT_EQ(insert(1, R"({"kind": "a"})"), "schema_missing");
  ASSERT_TRUE(declare(kSecond));
  EXPECT_EQ(insert(1, R"({"kind": "a"})"), "/note required");
  EXPECT_EQ(insert(1, R"({"kind": "anything", "note": "n"})"), "");
}

INSTANTIATE_TEST_SUITE_P(, SchemaCollectionTest, bedplate::testing::every_dialect(),
                         bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::documents
