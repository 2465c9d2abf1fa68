#include "bedplate/describe/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <variant>

#include "bedplate/describe/describe.h"

namespace bedplate {
namespace {

enum class Level { low, mid, high };
consteval auto describe(Level) {
  using namespace schema;
  return values<Level::low, Level::mid, Level::high>();
}

struct Node {
  std::string name;
  std::vector<Node> kids;
  static consteval auto describe() {
    using namespace schema;
    return object<Node>("A tree", {field<&Node::name>(), field<&Node::kids>(optional_with_default)});
  }
};

struct Email {
  std::string address;
  static consteval auto describe() {
    using namespace schema;
    return object<Email>("By e-mail", {field<&Email::address>(format::email)});
  }
};

struct TextMessage {
  std::string phone;
  static consteval auto describe() {
    using namespace schema;
    return object<TextMessage>("By phone", {field<&TextMessage::phone>(pattern("^\\+[0-9]+$"))});
  }
};

struct All {
  Id<Node> id;
  bool on = false;
  std::int8_t i8 = 0;
  std::uint8_t u8 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  double d = 0;
  float f = 0;
  Level level = Level::low;
  Time at{};
  std::optional<std::vector<int>> numbers;
  Patch<std::string> name;
  Patch<int> rank;
  std::map<std::string, std::vector<double>> samples;
  std::optional<Node> node;
  std::variant<Email, TextMessage> via;
  Json extra;
  static consteval auto describe() {
    using namespace schema;
    return object<All>("Everything", {
                                         field<&All::id>(),
                                         field<&All::on>(),
                                         field<&All::i8>(),
                                         field<&All::u8>(),
                                         field<&All::i64>(),
                                         field<&All::u64>(),
                                         field<&All::d>(),
                                         field<&All::f>(),
                                         field<&All::level>(),
                                         field<&All::at>(),
                                         field<&All::numbers>(length{1, 3}),
                                         field<&All::name>(length{2, 5}),
                                         field<&All::rank>(nullable, range{-3, 3}),
                                         field<&All::samples>(),
                                         field<&All::node>(),
                                         field<&All::via>(),
                                         field<&All::extra>(optional_with_default),
                                     });
  }
};

constexpr std::string_view kAll =
    R"({"id":"018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f","on":true,"i8":-128,"u8":255,"i64":-9223372036854775808,)"
    R"("u64":18446744073709551615,"d":-0.0015,"f":0.1,"level":"high","at":"2024-02-29T21:59:59.500Z",)"
    R"("numbers":[1,-2,3],"rank":null,"samples":{"a/b":[1,2.25],"c":[]},"node":{"name":"r","kids":[)"
    R"({"name":"k","kids":[]}]},"via":{"text_message":{"phone":"+49"}},"extra":{"x":[1, 2]}})";

/// "pointer code; pointer code", or the error, or "ok".
template <class T>
std::string faults_of(std::string_view text, T* out = nullptr, const JsonLimits& limits = {}) {
  T value{};
  Faults faults;
  if (Result<void> read = read_json(text, type_of<T>(), &value, faults, limits); !read)
    return read.error().code() + " " + read.error().detail();
  std::string all;
  for (const Fault& fault : faults.list())
    all += (all.empty() ? "" : "; ") + fault.pointer + " " + fault.code;
  if (out != nullptr) *out = std::move(value);
  return all.empty() ? "ok" : all;
}

TEST(Json, every_kind_there_and_back) {
  All all;
  ASSERT_EQ(faults_of<All>(kAll, &all), "ok");
  EXPECT_EQ(to_json(all), kAll);
  EXPECT_TRUE(all.name.is_absent());
  EXPECT_TRUE(all.rank.is_null());
  EXPECT_EQ(all.u64, std::numeric_limits<std::uint64_t>::max());
}

TEST(Json, every_fault_at_once) {
  EXPECT_EQ(
      faults_of<All>(
          R"({"id":"x","on":1,"i8":128,"u8":-1,"i64":9223372036854775808,"u64":18446744073709551616,)"
          R"("d":"1","f":1e39,"level":"top","at":"2023-02-29T00:00:00Z","numbers":[1,2,3,4],"name":null,)"
          R"("rank":4,"zz":{"a":[1,{}]},"on":true,"samples":{"a/b":[null],"a/b":[]},"node":null,)"
          R"("via":{"text_message":{"phone":"49"}}})"),
      "/id format; /on wrong_type; /i8 too_large; /u8 too_small; /i64 too_large; /u64 too_large; /d "
      "wrong_type; "
      "/f too_large; /level not_one_of; /at format; /numbers too_long; /name null_not_allowed; /rank "
      "too_large; "
      "/zz unknown_field; /on duplicate_field; /samples/a~1b/0 null_not_allowed; /samples/a~1b "
      "duplicate_field; "
      "/via/text_message/phone pattern");
}

}  // namespace
}  // namespace bedplate
