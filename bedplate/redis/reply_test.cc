// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstring>

#include "bedplate/redis/command.h"

namespace bedplate::redis {
namespace {

using Kind = Reply::Kind;

void feed(ReplyParser& parser, std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(parser.room(bytes.size()).data(), bytes.data(), bytes.size());
  parser.received(bytes.size());
}

/// A reply as text, so that a test can say what it expects in a line.
std::string shown(const Reply& reply) {
  std::string items;
  for (const Reply& item : reply.items) items += (items.empty() ? "" : " ") + shown(item);
  switch (reply.kind) {
    case Kind::null:
      return "null";
    case Kind::text:
      return "'" + reply.text + "'";
    case Kind::error:
      return "error'" + reply.text + "'";
    case Kind::integer:
      return std::to_string(reply.integer);
    case Kind::real:
      return "real" + std::to_string(reply.real);
    case Kind::boolean:
      return reply.integer ? "true" : "false";
    case Kind::array:
      return "[" + items + "]";
    case Kind::set:
      return "set[" + items + "]";
    case Kind::map:
      return "map[" + items + "]";
    case Kind::push:
      return "push[" + items + "]";
  }
  return "?";
}

std::string parsed(std::string_view bytes, ReplyLimits limits = {}) {
  ReplyParser parser(limits);
  feed(parser, bytes);
  std::string all;
  for (;;) {
    Result<std::optional<Reply>> reply = parser.next();
    if (!reply) return all + "broken";
    if (!*reply) return all;
    all += shown(**reply) + ";";
  }
}

TEST(Reply, ReadsEveryType) {
  EXPECT_EQ(parsed("+OK\r\n"), "'OK';");
  EXPECT_EQ(parsed("-ERR no\r\n"), "error'ERR no';");
  EXPECT_EQ(parsed(":-42\r\n:+7\r\n"), "-42;7;");
  EXPECT_EQ(parsed("$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n"), "'a\r\nbc';'';null;");
  EXPECT_EQ(parsed("*2\r\n:1\r\n*1\r\n+x\r\n*0\r\n*-1\r\n"), "[1 ['x']];[];null;");
  EXPECT_EQ(parsed("_\r\n#t\r\n#f\r\n,1.5\r\n,inf\r\n"), "null;true;false;real1.500000;realinf;");
  EXPECT_EQ(parsed("(34928903284092385094\r\n"), "'34928903284092385094';");
  EXPECT_EQ(parsed("!4\r\nE oh\r\n=7\r\ntxt:abc\r\n"), "error'E oh';'abc';");
  EXPECT_EQ(parsed("%1\r\n+a\r\n:1\r\n~1\r\n+b\r\n>2\r\n+message\r\n+c\r\n"),
            "map['a' 1];set['b'];push['message' 'c'];");
}

TEST(Reply, DropsAttributes) {
  EXPECT_EQ(parsed("|1\r\n+ttl\r\n:3600\r\n*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n|0\r\n:2\r\n"), "[1 2];");
}

TEST(Reply, ReadsWhatIsStreamed) {
  EXPECT_EQ(parsed("$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n"), "'Hello';");
  EXPECT_EQ(parsed("*?\r\n:1\r\n%?\r\n+a\r\n:2\r\n.\r\n.\r\n"), "[1 map['a' 2]];");
  EXPECT_EQ(parsed("%?\r\n+a\r\n.\r\n"), "broken");
  EXPECT_EQ(parsed(".\r\n"), "broken");
  EXPECT_EQ(parsed("$?\r\n:1\r\n"), "broken");
}

TEST(Reply, RefusesWhatIsNoReply) {
  for (std::string_view bytes :
       {"hello\r\n", "+OK\n", ":12a\r\n", ":\r\n", "$-2\r\n", "$3\r\nabcd\r\n", "#x\r\n", "_x\r\n",
        "=3\r\nabc\r\n", "*-2\r\n", "*99999999999999999999\r\n", ",one\r\n", "\r\n"})
    EXPECT_EQ(parsed(bytes), "broken") << bytes;
}

TEST(Reply, StaysBroken) {
  ReplyParser parser;
  feed(parser, "?\r\n+OK\r\n");
  EXPECT_FALSE(parser.next());
  EXPECT_FALSE(parser.next());
}

TEST(Reply, BoundsWhatTheOtherSideClaims) {
  EXPECT_EQ(parsed("$100\r\n", {.size_bytes_max = 50}), "broken");
  EXPECT_EQ(parsed("*2\r\n$30\r\n" + std::string(30, 'x') + "\r\n$30\r\n", {.size_bytes_max = 50}), "broken");
  EXPECT_EQ(parsed("*1000000\r\n", {.items_max = 1000}), "broken");
  EXPECT_EQ(parsed("*2\r\n*600\r\n", {.items_max = 1000}), "");
  EXPECT_EQ(parsed(std::string("*1\r\n*1\r\n*1\r\n:1\r\n"), {.depth_max = 2}), "broken");
  EXPECT_EQ(parsed(std::string(70'000, '+')), "broken");
}

// ---- what is written is what is read, however it is cut into pieces

Reply any_reply(std::uint32_t seed, int depth, std::string& wire) {
  Reply reply;
  const std::string number = std::to_string(seed % 1000);
  switch (seed % (depth > 0 ? 9 : 6)) {
    case 0:
      wire += "_\r\n";
      return reply;
    case 1:
      wire += ":" + number + "\r\n";
      reply.kind = Kind::integer;
      reply.integer = seed % 1000;
      return reply;
    case 2:
      wire += "$" + std::to_string(number.size() + 2) + "\r\n" + number + "\r\n\r\n";
      reply.kind = Kind::text;
      reply.text = number + "\r\n";
      return reply;
    case 3:
      wire += "-" + number + "\r\n";
      reply.kind = Kind::error;
      reply.text = number;
      return reply;
    case 4:
      wire += "#t\r\n";
      reply.kind = Kind::boolean;
      reply.integer = 1;
      return reply;
    case 5:
      wire += "$?\r\n;2\r\nab\r\n;" + std::to_string(number.size()) + "\r\n" + number + "\r\n;0\r\n";
      reply.kind = Kind::text;
      reply.text = "ab" + number;
      return reply;
    default:
      break;
  }
  const std::uint32_t count = seed / 16 % 4;
  const bool map = seed % 9 == 6;
  reply.kind = map ? Kind::map : seed % 9 == 7 ? Kind::push : Kind::array;
  const bool streamed = reply.kind != Kind::push && seed / 64 % 2 == 0;
  wire += (map             ? "%"
           : seed % 9 == 7 ? ">"
                           : "*") +
          (streamed ? std::string("?") : std::to_string(count)) + "\r\n";
  for (std::uint32_t i = 0; i < count * (map ? 2 : 1); ++i)
    reply.items.push_back(any_reply(seed * 2654435761u + i * 40503u + 1, depth - 1, wire));
  if (streamed) wire += ".\r\n";
  return reply;
}

TEST(Reply, ComesOutTheSameHoweverItArrives) {
  EXPECT_TRUE(
      rc::check("any replies, in any pieces", [](std::vector<std::uint32_t> seeds, std::uint32_t pieces) {
        std::string wire;
        std::string expected;
        for (std::uint32_t seed : seeds) expected += shown(any_reply(seed, 4, wire)) + ";";
        ReplyParser parser;
        std::string got;
        while (!wire.empty()) {
          const std::size_t size =
              std::min<std::size_t>(1 + (pieces = pieces * 1664525u + 1013904223u) % 23, wire.size());
          feed(parser, wire.substr(0, size));
          wire.erase(0, size);
          for (;;) {
            Result<std::optional<Reply>> reply = parser.next();
            RC_ASSERT(reply.has_value());
            if (!*reply) break;
            got += shown(**reply) + ";";
          }
        }
        RC_ASSERT(got == expected);
      }));
}

TEST(Command, IsWrittenAsAnArrayOfStrings) {
  EXPECT_EQ(Command("SET", "k", std::string("v\r\n"), "PX", 1500).wire(),
            "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nv\r\n\r\n$2\r\nPX\r\n$4\r\n1500\r\n");
}

// The values of the Cluster specification, and what CLUSTER KEYSLOT says.
TEST(Command, KnowsItsSlot) {
  EXPECT_EQ(slot_of("123456789"), 0x31C3);
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
  EXPECT_EQ(slot_of("foo{}{bar}"), slot_of("foo{}{bar}"));
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
  EXPECT_EQ(slot_of("foo"), 12182);
  EXPECT_EQ(Command("GET", "foo").slot(), 12182);
  EXPECT_EQ(Command("PING").slot(), -1);
  EXPECT_EQ(Command("PUBLISH", "foo", "news").slot(), -1) << "any node passes it on";
  EXPECT_EQ(Command("EVALSHA", "x", 1, "foo").with_key("foo").slot(), 12182);
}

}  // namespace
}  // namespace bedplate::redis
