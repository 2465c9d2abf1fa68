// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/tagged.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "bedplate/describe/describe.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/schema.h"
#include "bedplate/describe/validate.h"

namespace bedplate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Card {
  std::string number;
  std::optional<std::string> holder;
  static consteval auto describe() {
    using namespace schema;
    return object<Card>("A card.", {field<&Card::number>(length{4, 19}), field<&Card::holder>()});
  }
};
struct BankTransfer {
  std::string iban;
  static consteval auto describe() {
    using namespace schema;
    return object<BankTransfer>("A transfer.", {field<&BankTransfer::iban>()});
  }
};
struct Cash {
  static consteval auto describe() { return schema::object<Cash>("Coins and notes."); }
};
using Method = Tagged<"method", Card, BankTransfer, Cash>;

struct Payment {
  Method how;
  std::vector<Method> tried;
  static consteval auto describe() {
    using namespace schema;
    return object<Payment>("A payment.",
                           {field<&Payment::how>(), field<&Payment::tried>(optional_with_default)});
  }
};

std::vector<std::string> faults(std::string_view json) {
  Payment payment;
  Faults found;
  EXPECT_TRUE(read_json(json, type_of<Payment>(), &payment, found));
  std::vector<std::string> all;
  for (const Fault& fault : found.list()) all.push_back(fault.pointer + " " + std::string(fault.code));
  return all;
}

TEST(TaggedTest, AFieldSaysWhichAlternativeItIs) {
  constexpr std::string_view kJson =
      R"({"how":{"method":"bank_transfer","iban":"X"},"tried":[{"method":"card","number":"1234",)"
      R"("holder":null},{"method":"cash"}]})";
  Result<Payment> payment = from_json<Payment>(kJson);
  ASSERT_TRUE(payment) << payment.error().detail();
  EXPECT_EQ(std::get<BankTransfer>(payment->how).iban, "X");
  EXPECT_TRUE(std::holds_alternative<Cash>(payment->tried.at(1)));
  EXPECT_EQ(to_json(*payment), kJson);
  EXPECT_TRUE(validate(*payment));
}

TEST(TaggedTest, TheFieldMayStandAnywhere) {
  Result<Method> method = from_json<Method>(R"({"holder": "Ada", "number": "1234", "method": "c\u0061rd"})");
  ASSERT_TRUE(method);
  EXPECT_EQ(std::get<Card>(*method).holder, "Ada");
  EXPECT_FALSE(from_json<Method>(R"({"number": "1234", "method": "card")")) << "cut short";
}

TEST(TaggedTest, FaultsStandAtTheirPlaces) {
  EXPECT_THAT(faults(R"({"how":{"method":"card","number":"1","iban":"X"}})"),
              ElementsAre("/how/number too_short", "/how/iban unknown_field"));
  EXPECT_THAT(faults(R"({"how":{"method":"shell"}})"), ElementsAre("/how/method not_one_of"));
  EXPECT_THAT(faults(R"({"how":{"method":1}})"), ElementsAre("/how/method wrong_type"));
  EXPECT_THAT(faults(R"({"how":{"number":"1234"}})"), ElementsAre("/how/method required"));
  EXPECT_THAT(faults(R"({"how":{}})"), ElementsAre("/how/method required"));
  EXPECT_THAT(faults(R"({"how":[]})"), ElementsAre("/how wrong_type"));
  EXPECT_THAT(faults(R"({"how":{"method":"cash","method":"card"}})"),
              ElementsAre("/how/method duplicate_field"));
  EXPECT_THAT(faults(R"({"how":{"method":"cash"},"tried":[{"method":"card"}]})"),
              ElementsAre("/tried/0/number required"));
  EXPECT_THAT(faults(R"({"how":{"method":"cash"}})"), IsEmpty());
  Payment payment;
  EXPECT_EQ(validate(payment).error().faults().at(0).pointer, "/how/number");
}

TEST(TaggedTest, SchemaHasADiscriminator) {
  const std::string schema = json_schema(type_of<Payment>(), View::input);
  EXPECT_THAT(schema, HasSubstr(R"("oneOf":[{"$ref":"#/$defs/Card"},{"$ref":"#/$defs/BankTransfer"})"));
  EXPECT_THAT(schema,
              HasSubstr(R"("discriminator":{"propertyName":"method","mapping":{"card":"#/$defs/Card",)"));
  EXPECT_THAT(schema,
              AllOf(HasSubstr(R"("properties":{"method":{"type":"string","const":"bank_transfer"},"iban":)"),
                    HasSubstr(R"("required":["method","iban"])")));
}

}  // namespace
}  // namespace bedplate
