// SPDX-License-Identifier: Apache-2.0
// What every driver gives alike: decimals, dates, durations, bytes, and enum values of a newer version. Run against the
// real engines.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/base/decimal.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/money.h"
#include "bedplate/describe/scalar.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/sql/database.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::dialect_name;
using bedplate::testing::EngineKit;
using bedplate::testing::every_dialect;

enum class Stage { begun, other };
consteval auto describe(Stage) {
  using namespace schema;
  return values("A stage", {value<Stage::begun>("Under way"), value<Stage::other>()}, unknown<Stage::other>);
}

struct Offer {
  std::int64_t id = 0;
  std::optional<Decimal> price;
  std::optional<Date> day;
  std::optional<Duration> wait;
  std::optional<Bytes> seal;
  std::optional<Money> fee;

  bool operator==(const Offer&) const = default;
  static consteval auto describe() {
    using namespace schema;
    return object<Offer>("An offer", {field<&Offer::id>(), field<&Offer::price>(), field<&Offer::day>(),
                                      field<&Offer::wait>(), field<&Offer::seal>(), field<&Offer::fee>()});
  }
};

std::string schema_of(Dialect dialect) {
  if (dialect == Dialect::sqlite)
    return "CREATE TABLE offers (id INTEGER PRIMARY KEY, price TEXT, day TEXT, wait INTEGER, seal BLOB, fee "
           "TEXT, "
           "stage TEXT);";
  return "CREATE TABLE offers (id bigint PRIMARY KEY, price numeric, day date, wait bigint, seal bytea, fee "
         "jsonb, "
         "stage text);";
}

class ScalarConformance : public ::testing::TestWithParam<Dialect> {
 protected:
  EngineKit on_{GetParam(), schema_of(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Engine, ScalarConformance, every_dialect(), dialect_name);

Async<Offer> keep(Transaction& tx, const Offer& offer) {
  Offer kept = co_await ok(
      tx.one<Offer>("INSERT INTO offers (id, price, day, wait, seal, fee) VALUES ($1, $2, $3, $4, $5, $6) "
                    "RETURNING id, price, day, wait, seal, fee",
                    offer.id, offer.price, offer.day, offer.wait, offer.seal, offer.fee));
  co_return kept;
}

TEST_P(ScalarConformance, RowsComeBackAsTheyWere) {
  Offer offer;
  EXPECT_EQ(on_.get(on_.database().transact(&keep, offer)), offer) << "all NULL";
  std::int64_t id = 0;
  for (const char* price : {"0", "-0.05", "12.5", "10000", "100000000", "0.00001234", "-99990000.0001",
                            "99999999999999999999999999999999999999",
                            "0.00000000000000000000000000000000000001", "-1234567890123456789.0123456789"}) {
    offer.id = ++id;
    offer.price = Decimal::parse(price);
    EXPECT_EQ(on_.get(on_.database().transact(&keep, offer)).price, offer.price) << price;
  }
  for (const char* day : {"0001-01-01", "1969-12-31", "1970-01-01", "2026-11-30", "9999-12-31"}) {
    offer.id = ++id;
    offer.day = parse_date(day);
    EXPECT_EQ(on_.get(on_.database().transact(&keep, offer)).day, offer.day) << day;
  }
  offer.id = ++id;
  offer.wait = Duration(INT64_MIN);
  offer.seal = Bytes{std::byte(0), std::byte(255), std::byte('\'')};
  offer.fee = Money(-1250, *Currency::parse("EUR"));
  EXPECT_EQ(on_.get(on_.database().transact(&keep, offer)), offer);
  offer.id = ++id;
  offer.seal.emplace();
  EXPECT_EQ(on_.get(on_.database().transact(&keep, offer)), offer) << "no bytes are not NULL";
}

Async<std::int64_t> count_equal(Reader& db, const Offer& offer) {
  const std::int64_t count = co_await ok(
      db.value<std::int64_t>("SELECT count(*) FROM offers WHERE price = $1 AND day = $2 AND wait = $3",
                             offer.price, offer.day, offer.wait));
  co_return count;
}
Async<std::int64_t> count_before(Reader& db, Date day) {
  const std::int64_t count =
      co_await ok(db.value<std::int64_t>("SELECT count(*) FROM offers WHERE day < $1", day));
  co_return count;
}

TEST_P(ScalarConformance, EqualValuesAreFoundAndDatesAreOrdered) {
  Offer offer;
  offer.price = Decimal::parse("12.50");
  offer.day = parse_date("2026-11-30");
  offer.wait = Duration(5);
  on_.get(on_.database().transact(&keep, offer));
  offer.price = Decimal::parse("12.5000");
  EXPECT_EQ(on_.get(on_.database().read(&count_equal, offer)), 1);
  EXPECT_EQ(on_.get(on_.database().read(&count_before, *parse_date("2026-12-01"))), 1);
  EXPECT_EQ(on_.get(on_.database().read(&count_before, *parse_date("2026-11-30"))), 0);
}

Async<Stage> stage_of(Transaction& tx, std::string_view text) {
  co_await ok(tx.run("INSERT INTO offers (id, stage) VALUES (1, $1)", text));
  const Stage stage = co_await ok(tx.value<Stage>("SELECT stage FROM offers WHERE id = 1"));
  co_return stage;
}
Async<void> write_stage(Transaction& tx, Stage stage) {
  co_await ok(tx.run("UPDATE offers SET stage = $1", stage));
}

TEST_P(ScalarConformance, AValueOfANewerVersionIsReadAndNotOverwritten) {
  EXPECT_EQ(on_.get(on_.database().transact(&stage_of, std::string_view("paused"))), Stage::other);
  EXPECT_FALSE(on_.run(on_.database().transact(&write_stage, Stage::other)));
  EXPECT_TRUE(on_.run(on_.database().transact(&write_stage, Stage::begun)));
}

}  // namespace
}  // namespace bedplate::sql
