// SPDX-License-Identifier: Apache-2.0
// Application and Host as a service uses them, through the kit that tests of services use.
#include "bedplate/testing/test_app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <semaphore>
#include <string>
#include <vector>

#include "bedplate/async/timer.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Greeting {
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<Greeting>("A greeting", {field<&Greeting::text>("What is said")});
  }
};

class Greeter {
 public:
  Result<Greeting> greet() { return Greeting{"hello"}; }
};

void serve_greetings(app::Host& host) {
  auto& greeter = host.make<Greeter>();
  host.serve(api::Api("greetings", "Says hello")
                 .pure<&Greeter::greet>("greet", greeter, api::get("/v1/greeting"), api::open_to_all()));
}

TEST(TestAppTest, ServesWhatWasWired) {
  TestApp app([](app::Application& application) {
    application.wire([](app::Host& host) -> Result<void> {
      serve_greetings(host);
      return {};
    });
  });
  HttpConnection http(app.url());
  HttpResponse answer = http.get("/v1/greeting");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"text":"hello"})");
}

TEST(TestAppTest, HealthLooksAtDatabaseDiskAndTimeZones) {
  TestApp app([](app::Application&) {});
  HttpConnection http(app.url());
  EXPECT_EQ(http.get("/livez").status, 200);
  HttpConnection operations(app.operations_url());
  HttpResponse answer;
  EXPECT_TRUE(wait_until([&] { return (answer = operations.get("/healthz")).status == 200; })) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr(R"("name":"database","status":"pass")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("name":"disk")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("name":"time zones","status":"pass","detail":"Time zones are 2)"));
  EXPECT_THAT(operations.get("/metrics").body, HasSubstr("bedplate_http_connections_open 1"));
}

TEST(TestAppTest, HooksRunInOrderAndBackgroundTasksEnd) {
  std::vector<std::string> events;
  std::atomic<int> rounds{0};
  {
    TestApp app([&](app::Application& application) {
      application.wire([&](app::Host& host) -> Result<void> {
        host.on_start([&]() -> Result<void> {
          events.push_back("start");
          return {};
        });
        host.on_stop([&] { events.push_back("stop of the first"); });
        host.on_stop([&] { events.push_back("stop of the second"); });
        host.in_background("counting", [&rounds] {
          return [](std::atomic<int>& count) -> Async<void> {
            for (;;) {
              ++count;
              count.notify_all();
              co_await ok(sleep_for(std::chrono::milliseconds(1)));
            }
          }(rounds);
        });
        return {};
      });
    });
    rounds.wait(0);
  }
  EXPECT_THAT(events, ElementsAre("start", "stop of the second", "stop of the first"));
}

Async<void> name_thread(std::string& name, std::binary_semaphore& known) {
  char text[16] = {};
  ::pthread_getname_np(::pthread_self(), text, sizeof text);
  if (name.empty()) {
    name = text;
    known.release();
  }
  co_await ok(sleep_for(std::chrono::hours(1)));
}

std::string thread_of_background(const std::string& worker_threads) {
  std::string name;
  std::binary_semaphore known{0};
  TestApp app(
      [&](app::Application& application) {
        application.wire([&](app::Host& host) -> Result<void> {
          host.in_background("where", [&] { return name_thread(name, known); });
          return {};
        });
      },
      {{"server.worker_threads", worker_threads}});
  known.acquire();
  return name;
}

TEST(TestAppTest, BackgroundTasksRunOnLoopsOfTheirOwn) {
  EXPECT_EQ(thread_of_background("1"), "worker-0");
  EXPECT_THAT(thread_of_background("0"), ::testing::StartsWith("loop-"));
}

TEST(TestAppTest, ASecondHostOnTheSameDataIsRefused) {
  TestApp app([](app::Application&) {});
  app::Application second({"second", "0", "Comes too late."});
  app::CommonOptions options;
  options.settings = {{"data.directory", app.data_directory()}, {"server.listen", "127.0.0.1:0"}};
  ASSERT_TRUE(second.configure(options));
  auto host = app::Host::open(second, app::HostPurpose::serve);
  ASSERT_FALSE(host);
  EXPECT_THAT(host.error().detail(), HasSubstr(app.data_directory()));
}

}  // namespace
}  // namespace bedplate::testing
