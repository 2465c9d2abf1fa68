// SPDX-License-Identifier: Apache-2.0
// Every operation of the server at once, from several callers: what ThreadSanitizer is to see beside the tests of what
// has threads of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/testing/api_document.h"
#include "tests/e2e/server.h"

namespace bedplate::e2e {
namespace {

// They end the caller's session or account.
const std::set<std::string> kLast = {"identity.log_out", "identity.delete_me", "identity.change_password"};

class Caller {
 public:
  Caller(const Server& server, const testing::ApiDocument& document, int number)
      : document_(document), user_(server, "caller" + std::to_string(number) + "@example.com") {}

  /// Gives how many answers were not as documented.
  int run(int rounds) {
    int wrong = 0;
    for (int round = 0; round < rounds; ++round) {
      const std::string id = user_.create("Task of round " + std::to_string(round));
      for (const testing::ApiOperation& operation : document_.operations()) {
        if (kLast.contains(operation.name)) continue;
        const std::string path = operation.path_with(id);
        const HttpResponse response = user_.call(operation.method, path, operation.body);
        wrong += !operation.statuses.contains(response.status) || response.status >= 500;
      }
    }
    return wrong;
  }

 private:
  const testing::ApiDocument& document_;
  User user_;
};

void call_every_operation(int rounds) {
  constexpr int kCallers = 4;
  TempDir directory;
  Server server(directory.path());
  const testing::ApiDocument document(server.url());
  ASSERT_GT(document.operations().size(), 15u);
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < kCallers; ++number)
      threads.emplace_back([&, number] { wrong += Caller(server, document, number).run(rounds); });
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(server.terminate().status, 0) << server.process().err();
}

TEST(Load, EveryOperationAtOnceFromSeveralCallers) {
  call_every_operation(15);
}

TEST(LoadSoak, EveryOperationAtOnceFromSeveralCallers) {
  call_every_operation(1500);
}

}  // namespace
}  // namespace bedplate::e2e
