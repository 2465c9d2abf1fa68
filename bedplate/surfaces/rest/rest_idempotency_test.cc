// SPDX-License-Identifier: Apache-2.0
// The field Idempotency-Key: what a repeated request gets, and which keys are refused.
#include <gmock/gmock.h>

#include "tests/kits/rest_kit.h"

namespace bedplate::api {
namespace {

using ::testing::HasSubstr;

class RestIdempotencyTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  RestKit kit_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, RestIdempotencyTest, testing::every_dialect(), testing::dialect_name);

TEST_P(RestIdempotencyTest, ReplaysTheAnswerOfAKey) {
  Reply first = kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", "key-1"}});
  Reply again = kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", "\"key-1\""}});
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.field("Location"), first.field("Location"));
  EXPECT_EQ(again.field("ETag"), first.field("ETag"));
  EXPECT_EQ(again.field("Idempotency-Replayed"), "true");
  EXPECT_EQ(first.field("Idempotency-Replayed"), "");
  EXPECT_EQ(kit_.things.runs, 1);
  Reply other = kit_.send("POST", "/v1/things", R"({"title":"Table"})", {{"Idempotency-Key", "key-1"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_THAT(other.body, HasSubstr("idempotency_key_reused"));
  EXPECT_EQ(
      kit_.send("POST", "/v1/things", R"({ "labels": [], "title": "Lamp" })", {{"Idempotency-Key", "key-1"}})
          .field("Idempotency-Replayed"),
      "true")
      << "the same input in other words";
  // One that is not valid has no canonical form: that comes first.
  EXPECT_THAT(kit_.send("POST", "/v1/things", R"({"title":""})", {{"Idempotency-Key", "key-1"}}).body,
              HasSubstr("validation_failed"));
}

TEST_P(RestIdempotencyTest, KeysBelongToOnePrincipalAndOperation) {
  kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", "key-1"}});
  kit_.token = "Bearer other";
  Reply other = kit_.send("POST", "/v1/things", R"({"title":"Table"})", {{"Idempotency-Key", "key-1"}});
  EXPECT_EQ(other.status, 201) << other.body;
  Reply renamed =
      kit_.send("PATCH", other.field("Location"), R"({"title":"Desk"})", {{"Idempotency-Key", "key-1"}});
  EXPECT_EQ(renamed.status, 200);
  EXPECT_EQ(renamed.field("Idempotency-Replayed"), "");
}

TEST_P(RestIdempotencyTest, OnlyCommittedAnswersAreKept) {
  EXPECT_EQ(kit_.send("POST", "/v1/things", R"({"title":"taken"})", {{"Idempotency-Key", "key-2"}}).status,
            409);
  EXPECT_EQ(kit_.send("POST", "/v1/things", R"({"title":""})", {{"Idempotency-Key", "key-2"}}).status, 422);
  EXPECT_EQ(kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", "key-2"}}).status,
            201);
  EXPECT_EQ(
      kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", std::string(200, 'k')}})
          .status,
      400);
}

TEST_P(RestIdempotencyTest, KeysExpire) {
  kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", "key-3"}});
  kit_.clock.time += std::chrono::hours(25);
  Reply later = kit_.send("POST", "/v1/things", R"({"title":"Table"})", {{"Idempotency-Key", "key-3"}});
  EXPECT_EQ(later.status, 201);
  EXPECT_EQ(kit_.things.runs, 2);
}

TEST_P(RestIdempotencyTest, OneCallerHasSoManyKeysAndNoMore) {
  kit_.execution.idempotency.keys_max = 8;  // four at once, and one more every six hours
  kit_.start();
  const auto create = [&](int key) {
    return kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", std::to_string(key)}});
  };
  for (int key = 0; key < 4; ++key) EXPECT_EQ(create(key).status, 201);
  Reply refused = create(4);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("too_many_idempotency_keys"));
  EXPECT_EQ(refused.field("Retry-After"), std::to_string(6 * 3600));
  EXPECT_EQ(kit_.things.runs, 4);
  EXPECT_EQ(create(0).field("Idempotency-Replayed"), "true") << "a record is answered from";
  EXPECT_EQ(kit_.send("POST", "/v1/things", R"({"title":"Lamp"})").status, 201) << "without a key";
  kit_.clock.time += std::chrono::hours(6);
  EXPECT_EQ(create(4).status, 201) << "what was refused left nothing behind";
  EXPECT_EQ(create(5).status, 429);
  kit_.token = "Bearer other";
  EXPECT_EQ(create(5).status, 201) << "others have keys of their own";
}

Async<std::int64_t> count_records(sql::Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM idempotency_keys"));
  co_return n;
}

TEST(RestIdempotencyRecordsTest, ExpiredRecordsGoAFewAtATime) {
  RestKit kit(sql::Dialect::sqlite);
  const auto create = [&](const std::string& key) {
    kit.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", key}});
  };
  for (int key = 0; key < 9; ++key) create(std::to_string(key));
  kit.clock.time += std::chrono::hours(25);
  for (const std::int64_t left : {7, 5, 3, 4, 5}) {  // three go and one comes, until none is expired
    create("later-" + std::to_string(left) + new_uuid().to_string());
    EXPECT_EQ(kit.sql.get(kit.sql.database().read(&count_records)), left);
  }
}

TEST_P(RestIdempotencyTest, AnAnswerTooLargeToKeepStillRunsOnce) {
  kit_.execution.idempotency.answer_size_max = 10;
  kit_.start();
  kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", "key-4"}});
  Reply again = kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", {{"Idempotency-Key", "key-4"}});
  EXPECT_EQ(again.status, 409);
  EXPECT_THAT(again.body, HasSubstr("idempotency_answer_not_kept"));
  EXPECT_EQ(kit_.things.runs, 1);
}

}  // namespace
}  // namespace bedplate::api
