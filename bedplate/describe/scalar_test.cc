// SPDX-License-Identifier: Apache-2.0
// Values with a text form of their own, documented enums, marks and attributes, through every format.
#include "bedplate/describe/scalar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/base/decimal.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/money.h"
#include "bedplate/describe/rows.h"
#include "bedplate/describe/schema.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/describe/validate.h"

namespace bedplate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Stage { begun, ended, other };
consteval auto describe(Stage) {
  using namespace schema;
  return values("A stage.",
                {value<Stage::begun>("Under way."), value<Stage::ended>(), value<Stage::other>("Newer.")},
                unknown<Stage::other>);
}

struct FieldNumber {
  int number;
};
struct Relation {
  int to;
};

struct Offer {
  Decimal price;
  Date day{};
  Duration wait{};
  Bytes seal;
  std::optional<Decimal> rebate;
  std::vector<Date> days;
  Stage stage = Stage::begun;
  std::string buyer;

  static consteval auto describe() {
    using namespace schema;
    return object<Offer>(
        "An offer.",
        {
            field<&Offer::price>(attribute<FieldNumber{1}>, example("12.50"), "What it costs."),
            field<&Offer::day>(attribute<FieldNumber{2}>, attribute<Relation{9}>),
            field<&Offer::wait>(),
            field<&Offer::seal>(length{1, 4}),
            field<&Offer::rebate>(),
            field<&Offer::days>(optional_with_default),
            field<&Offer::stage>(optional_with_default),
            field<&Offer::buyer>(personal, optional_with_default),
        },
        attribute<Relation{7}>);
  }
};

constexpr std::string_view kOffer =
    R"({"price":"12.5","day":"2026-11-30","wait":"PT1H30M","seal":"SGk=","rebate":null,"days":["2024-02-29"],)"
    R"("stage":"ended","buyer":"Ada"})";

std::vector<std::string> faults(std::string_view json) {
  Offer offer;
  Faults found;
  EXPECT_TRUE(read_json(json, type_of<Offer>(), &offer, found));
  std::vector<std::string> all;
  for (const Fault& fault : found.list()) all.push_back(fault.pointer + " " + std::string(fault.code));
  return all;
}

TEST(ScalarTest, AreStringsInJson) {
  Result<Offer> offer = from_json<Offer>(kOffer);
  ASSERT_TRUE(offer) << offer.error().detail();
  EXPECT_EQ(offer->price, *Decimal::parse("12.5"));
  EXPECT_EQ(offer->day, std::chrono::sys_days(std::chrono::year(2026) / 11 / 30));
  EXPECT_EQ(offer->wait, 90min);
  EXPECT_THAT(offer->seal, ElementsAre(std::byte('H'), std::byte('i')));
  EXPECT_EQ(to_json(*offer), kOffer);
  EXPECT_TRUE(validate(*offer));
}

TEST(ScalarTest, FaultsNameTheFieldAndNotTheValue) {
  EXPECT_THAT(faults(R"({"price":"1e5","day":"2026-02-30","wait":"P1Y","seal":"SGk","rebate":12.5,)"
                     R"("days":["x"],"stage":"begun"})"),
              ElementsAre("/price format", "/day format", "/wait format", "/seal format",
                          "/rebate wrong_type", "/days/0 format"));
  EXPECT_THAT(faults(R"({"price":null,"day":1,"wait":"PT0S","seal":"SGVsbG8="})"),
              ElementsAre("/price null_not_allowed", "/day wrong_type", "/seal too_long"));
  Offer offer;
  offer.day = *parse_date("9999-12-31") + std::chrono::days(1);
  offer.seal.resize(1);
  EXPECT_FALSE(validate(offer));
  std::string json;
  EXPECT_FALSE(to_json(json, offer));
  EXPECT_THAT(json, HasSubstr(R"("day":null)"));
}

TEST(ScalarTest, Base64HasOneForm) {
  for (const char* text : {"", "AA==", "AAA=", "AAAA", "+/+/"}) {
    Result<Bytes> bytes = from_text<Bytes>(text);
    ASSERT_TRUE(bytes) << text;
    EXPECT_EQ(to_text(*bytes), text);
  }
  for (const char* text : {"A", "A===", "AA=", "AB==", "-_-_", "AA=A", "=AAA", "AAAA====", "AA A"})
    EXPECT_FALSE(from_text<Bytes>(text)) << text;
}

TEST(ScalarTest, HaveSchemas) {
  const std::string schema = json_schema(type_of<Offer>(), View::input);
  EXPECT_THAT(schema, HasSubstr(R"("price":{"type":"string","format":"decimal","pattern":)"));
  EXPECT_THAT(schema, HasSubstr(R"("examples":["12.50"])"));
  EXPECT_THAT(schema, HasSubstr(R"("day":{"type":"string","format":"date"})"));
  EXPECT_THAT(schema, HasSubstr(R"("wait":{"type":"string","format":"duration"})"));
  EXPECT_THAT(schema, HasSubstr(R"("contentEncoding":"base64","minLength":4,"maxLength":8)"));
  EXPECT_THAT(schema, HasSubstr(R"("rebate":{"type":["string","null"],"format":"decimal")"));
  EXPECT_THAT(schema, HasSubstr(R"("x-personal":true)"));
}

TEST(ScalarTest, AreTextsOfQueriesAndSettings) {
  EXPECT_TRUE(is_text_scalar(type_of<Decimal>()));
  EXPECT_EQ(to_text(*from_text<Decimal>("1.50")), "1.5");
  EXPECT_EQ(to_text(*from_text<Date>("2026-11-30")), "2026-11-30");
  EXPECT_EQ(to_text(*from_text<Duration>("P1D")), "PT24H");
  EXPECT_FALSE(from_text<Date>("30.11.2026"));
}

/// A row with one column.
class OneColumn final : public ColumnSource {
 public:
  OneColumn(ColumnKind kind, std::string text, std::int64_t integer = 0)
      : kind_(kind), text_(std::move(text)), integer_(integer) {}
  int count() const override { return 1; }
  std::string_view name(int) const override { return "value"; }
  ColumnKind kind(int) const override { return kind_; }
  std::int64_t int64(int) const override { return integer_; }
  double real(int) const override { return 0; }
  std::string_view text(int) const override { return text_; }
  std::string_view blob(int) const override { return text_; }

 private:
  const ColumnKind kind_;
  const std::string text_;
  const std::int64_t integer_;
};

template <class T>
Result<T> from_column(const OneColumn& column) {
  Result<RowMap> map = RowMap::make(type_of<T>(), column);
  if (!map) return std::unexpected(std::move(map.error()));
  T value{};
  Result<void> read = map->read(column, &value);
  if (!read) return std::unexpected(std::move(read.error()));
  return value;
}

TEST(ScalarTest, AreReadFromColumns) {
  EXPECT_EQ(from_column<Decimal>({ColumnKind::text, "12.50"}), *Decimal::parse("12.5"));
  EXPECT_EQ(from_column<Decimal>({ColumnKind::integer, "", 7}), Decimal(7));
  EXPECT_FALSE(from_column<Decimal>({ColumnKind::real, ""})) << "a binary fraction is not exact";
  EXPECT_EQ(to_text(*from_column<Date>({ColumnKind::text, "2026-11-30"})), "2026-11-30");
  EXPECT_EQ(to_text(*from_column<Date>({ColumnKind::integer, "", -86'400'000'000})), "1969-12-31");
  EXPECT_FALSE(from_column<Date>({ColumnKind::integer, "", 1}));
  EXPECT_EQ(from_column<Duration>({ColumnKind::integer, "", 1500}), Duration(1500));
  EXPECT_EQ(from_column<Bytes>({ColumnKind::blob, std::string("\0a", 2)})->size(), 2u);
  EXPECT_FALSE(from_column<Bytes>({ColumnKind::text, "aa"}));
}

TEST(ScalarTest, AreParametersOfStatements) {
  std::string storage;
  const Decimal price = *Decimal::parse("12.50");
  EXPECT_EQ(to_sql_value(type_of<Decimal>(), &price, storage)->text, "12.5");
  const Duration wait = 5us;
  EXPECT_EQ(to_sql_value(type_of<Duration>(), &wait, storage)->integer, 5);
  const Bytes bytes(3);
  const SqlValue blob = *to_sql_value(type_of<Bytes>(), &bytes, storage);
  EXPECT_EQ(blob.kind, SqlValue::Kind::blob);
  EXPECT_EQ(blob.text.size(), 3u);
}

// ---- enums

// A newer version has written "paused". This one shows it as another stage, and neither takes nor writes that.
TEST(EnumTest, AValueOfANewerVersionReadsAsTheFallback) {
  EXPECT_EQ(from_column<Stage>({ColumnKind::text, "paused"}), Stage::other);
  EXPECT_EQ(from_column<Stage>({ColumnKind::text, "ended"}), Stage::ended);
  JsonLimits stored;
  stored.view = View::stored;
  EXPECT_EQ(from_json<Stage>("\"paused\"", stored), Stage::other);
  EXPECT_FALSE(from_json<Stage>("\"paused\""));
  EXPECT_FALSE(from_json<Stage>("\"other\""));
  EXPECT_FALSE(from_text<Stage>("other"));
  EXPECT_EQ(from_json<Stage>("\"x\"").error().faults().at(0).message, "must be one of begun, ended");
  EXPECT_EQ(to_json(Stage::other), "\"other\"");
  std::string storage;
  const Stage other = Stage::other;
  EXPECT_EQ(to_sql_value(type_of<Stage>(), &other, storage).error().code(), "unknown_value");
}

TEST(EnumTest, DocumentsItsValues) {
  const std::string schema = json_schema(type_of<Stage>(), View::output);
  EXPECT_THAT(
      schema,
      HasSubstr(R"("description":"A stage.\n\n- `begun`: Under way.\n- `other`: Newer. (Stands for)"));
  EXPECT_THAT(schema, HasSubstr(R"("enum":["begun","ended","other"])"));
}

// ---- marks and attributes

TEST(MarkTest, PersonalFieldsAreMaskedInDiagnostics) {
  Offer offer = *from_json<Offer>(kOffer);
  EXPECT_THAT(to_json(offer, View::diagnostic), HasSubstr(R"("buyer":"***")"));
  EXPECT_THAT(to_json(offer, View::stored), HasSubstr(R"("buyer":"Ada")"));
}

TEST(AttributeTest, ASurfaceFindsItsOwnByType) {
  const ObjectInfo& object = type_of<Offer>().object();
  ASSERT_NE(find_attribute<FieldNumber>(*object.find("price")), nullptr);
  EXPECT_EQ(find_attribute<FieldNumber>(*object.find("price"))->number, 1);
  EXPECT_EQ(find_attribute<Relation>(*object.find("price")), nullptr);
  EXPECT_EQ(find_attribute<FieldNumber>(*object.find("day"))->number, 2);
  EXPECT_EQ(find_attribute<Relation>(*object.find("day"))->to, 9);
  EXPECT_EQ(find_attribute<FieldNumber>(*object.find("wait")), nullptr);
  EXPECT_EQ(find_attribute<Relation>(object)->to, 7);
}

// ---- money

const Currency kEuro = *Currency::parse("EUR");
const Currency kYen = *Currency::parse("JPY");

TEST(MoneyTest, CountsMinorUnits) {
  const Money price(1250, kEuro);
  EXPECT_EQ(to_json(price), R"({"amount_minor":1250,"currency":"EUR"})");
  EXPECT_EQ(from_json<Money>(R"({"amount_minor":1250,"currency":"EUR"})"), price);
  EXPECT_EQ(price.times(3)->to_string(), "37.50 EUR");
  EXPECT_EQ(Money(-5, kEuro).to_string(), "-0.05 EUR");
  EXPECT_EQ(Money(1250, kYen).to_string(), "1250 JPY");
  EXPECT_EQ(Currency::parse("KWD")->decimals(), 3);
}

TEST(MoneyTest, RefusesToMixCurrenciesAndToOverflow) {
  const Money most(INT64_MAX, kEuro);
  EXPECT_EQ(most.plus(Money(1, kYen)).error().code(), "currency_mismatch");
  EXPECT_EQ(most.minus(Money(1, kYen)).error().code(), "currency_mismatch");
  EXPECT_EQ(most.plus(Money(1, kEuro)).error().code(), "money_overflow");
  EXPECT_EQ(Money(INT64_MIN, kEuro).minus(Money(1, kEuro)).error().code(), "money_overflow");
  EXPECT_EQ(most.times(2).error().code(), "money_overflow");
}

TEST(MoneyTest, KnowsCurrenciesInUse) {
  for (const char* code : {"EUR", "USD", "ZWG", "AED", "CLF"}) EXPECT_TRUE(Currency::parse(code)) << code;
  for (const char* code : {"eur", "EU", "EURO", "DEM", "UR ", "R A", ""})
    EXPECT_FALSE(Currency::parse(code)) << code;
  EXPECT_EQ(Currency::parse(Currency().code()), Currency()) << "no currency is one of them";
  EXPECT_FALSE(from_json<Money>(R"({"amount_minor":1,"currency":"DEM"})"));
}

}  // namespace
}  // namespace bedplate
