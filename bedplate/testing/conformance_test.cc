// SPDX-License-Identifier: Apache-2.0
// What conformance() says of a small application; apps/tasks asks it of identity and the tasks.
#include "bedplate/testing/conformance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bedplate/testing/test_app.h"

namespace bedplate::testing {
namespace {

using ::testing::IsEmpty;

struct Saying {
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<Saying>("Something to say", {field<&Saying::text>("The words", length(1, 20))});
  }
};

class Echo {
 public:
  Result<Saying> say(const Saying& input) { return input; }
};

TEST(Conformance, HoldsForOpenOperations) {
  TestApp app([](app::Application& application) {
    application.wire([](app::Host& host) -> Result<void> {
      auto& echo = host.make<Echo>();
      host.serve(api::Api("echo", "Repeats")
                     .pure<&Echo::say>("say", echo, api::post("/v1/echo"), api::open_to_all()));
      return {};
    });
  });
  EXPECT_THAT(conformance(app.url(), {}), IsEmpty());
}

}  // namespace
}  // namespace bedplate::testing
