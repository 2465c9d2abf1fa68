// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/trace.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace bedplate::telemetry {
namespace {

const std::string kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, ReadsAndWritesVersionZero) {
  const auto context = parse_traceparent(kGood);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id[0], 0x4b);
  EXPECT_EQ(context->trace_id[15], 0x36);
  EXPECT_EQ(context->span_id[1], 0xf0);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(to_traceparent(*context), kGood);
  EXPECT_FALSE(parse_traceparent(kGood.substr(0, 53) + "00")->sampled);
}

TEST(Traceparent, PassesOnOnlyTheFlagItKnows) {
  const auto context = parse_traceparent(kGood.substr(0, 53) + "ff");
  ASSERT_TRUE(context);
  EXPECT_EQ(to_traceparent(*context), kGood);
  EXPECT_FALSE(parse_traceparent(kGood.substr(0, 53) + "fe")->sampled);
}

TEST(Traceparent, ReadsLaterVersionsByTheirFirstFields) {
  const std::string later = "01" + kGood.substr(2);
  EXPECT_TRUE(parse_traceparent(later));
  EXPECT_TRUE(parse_traceparent(later + "-what-the-future-brings"));
  EXPECT_TRUE(parse_traceparent("cc" + kGood.substr(2) + "-"));
  EXPECT_FALSE(parse_traceparent(later + "."));
  EXPECT_FALSE(parse_traceparent(later + "1"));
}

TEST(Traceparent, RefusesEverythingElse) {
  for (const std::string& header : {std::string(),
                                    std::string("00"),
                                    kGood.substr(0, 54),
                                    kGood + "-",
                                    kGood + "-extra",
                                    kGood + " ",
                                    " " + kGood,
                                    "ff" + kGood.substr(2),
                                    "FF" + kGood.substr(2),
                                    "0x" + kGood.substr(2),
                                    std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
                                    std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
                                    std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
                                    std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00F067aa0ba902b7-01"),
                                    std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A"),
                                    std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"),
                                    std::string("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                                    std::string("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01"),
                                    std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01"),
                                    std::string("00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01")}) {
    EXPECT_FALSE(parse_traceparent(header)) << header;
  }
}

TEST(Traceparent, RefusesEveryWrongByte) {
  for (std::size_t i = 0; i < kGood.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      std::string header = kGood;
      header[i] = c;
      const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      const bool fits = kGood[i] == '-' ? c == '-' : is_hex;
      ASSERT_EQ(parse_traceparent(header).has_value(), fits) << header;
    }
  }
}

RC_GTEST_PROP(Traceparent, AnyBytesAreReadOrRefused, (std::string tail)) {
  parse_traceparent(tail);
  parse_traceparent(kGood.substr(0, *rc::gen::inRange<std::size_t>(0, kGood.size())) + tail);
}

TEST(TraceContext, StartsAndContinuesTraces) {
  const TraceContext root = new_trace(true);
  EXPECT_TRUE(parse_traceparent(to_traceparent(root)) == root);
  const TraceContext child = child_of(root);
  EXPECT_EQ(child.trace_id, root.trace_id);
  EXPECT_NE(child.span_id, root.span_id);
  EXPECT_TRUE(child.sampled);
  EXPECT_NE(new_trace().trace_id, new_trace().trace_id);
  EXPECT_FALSE(new_trace().sampled);
}

std::string join(std::vector<std::string> headers) {
  const std::vector<std::string_view> views(headers.begin(), headers.end());
  return join_tracestate(views);
}

TEST(Tracestate, PassesMembersOnInOrder) {
  EXPECT_EQ(join({"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  EXPECT_EQ(join({"a=1", "b=2"}), "a=1,b=2");
  EXPECT_EQ(join({" a=1 \t,, b= 2", ""}), "a=1,b= 2");
  EXPECT_EQ(join({"0tenant@system=x,fw529a3039@dt=FfIAWn"}), "0tenant@system=x,fw529a3039@dt=FfIAWn");
  EXPECT_EQ(join({}), "");
}

TEST(Tracestate, IsDroppedWhenAnyMemberIsMalformed) {
  for (const char* header :
       {"a", "a=", "=1", "A=1", "1a=1", "a b=1", "a=1=2", "a=\x7f", "a=\xC3\xA9", "a=1,a=2", "a;b=1", "a@=1",
        "@b=1", "a@b@c=1", "a@1b=1", "a@systemnameistoolong=1", "a=\t1\tb"}) {
    EXPECT_EQ(join({"ok=1", header}), "") << header;
  }
  EXPECT_EQ(join({std::string(257, 'a') + "=1"}), "");
  EXPECT_EQ(join({"a=" + std::string(257, 'x')}), "");
}

TEST(Tracestate, IsBounded) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  EXPECT_EQ(join({many}), "");
  const std::string long_one = "long=" + std::string(200, 'x');
  std::string rest;
  for (int i = 0; i < 5; ++i) rest += ",k" + std::to_string(i) + "=" + std::string(75, 'y');
  EXPECT_EQ(join({long_one + rest}), rest.substr(1)) << "long members go first";
  const std::string three = "a=" + std::string(250, 'x');
  EXPECT_EQ(join({"k=v", three, "b" + three, "c" + three}), "k=v," + three + ",b" + three)
      << "then from the end";
}

RC_GTEST_PROP(Tracestate, AnythingIsBoundedAndStable, (const std::vector<std::string>& headers)) {
  const std::string joined = join(headers);
  RC_ASSERT(joined.size() <= kTracestateSizeMax);
  RC_ASSERT(join({joined}) == joined);
}

}  // namespace
}  // namespace bedplate::telemetry
