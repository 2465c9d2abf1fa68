// SPDX-License-Identifier: Apache-2.0
// What tasks publish, on both engines.
#include "apps/tasks/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <ranges>
#include <string>
#include <vector>

#include "bedplate/describe/json/json.h"
#include "bedplate/events/event_log.h"
#include "bedplate/testing/database_suite.h"
#include "bedplate/testing/test_app.h"
#include "services/identity/module.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::tasks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TaskEventsTest : public testing::DatabaseTest {
 protected:
  /// The oldest first, once there are `count`: the sequencer of PostgreSQL numbers them in the background.
  std::vector<events::StoredEvent> published(std::size_t count) {
    std::vector<events::StoredEvent> found;
    EXPECT_TRUE(testing::wait_until([&] {
      const events::EventLog log(app.database());
      auto read = app.host().wait_for(log.read(0, 100));
      if (read) found = std::move(read->events);
      return found.size() >= count;
    })) << found.size();
    return found;
  }
  std::vector<std::string> types(std::size_t count) {
    std::vector<std::string> result;
    for (const events::StoredEvent& event : published(count))
      result.push_back(event.type + " " + std::to_string(event.version));
    return result;
  }
  Task create(Status status = Status::todo) {
    auto made = ann.call(kCreate, api::New<Task>({.title = "Buy milk", .status = status}));
    EXPECT_TRUE(made);
    return *made;
  }
  std::string path_of(const Task& task) { return "/v1/tasks/" + task.id.to_string(); }

  testing::TestApp app{{identity::identity_module_for_tests(), tasks_module()},
                       {{"database.url", database_url()}}};
  testing::User ann = app.user("ann");
};

TEST_P(TaskEventsTest, AChangeThatMakesATaskDoneSaysBoth) {
  const Task task = create();
  EXPECT_EQ(ann.request("PATCH", path_of(task), R"({"title":"Buy bread"})").status, 200);
  EXPECT_EQ(ann.request("PATCH", path_of(task), R"({"status":"done"})").status, 200);
  EXPECT_EQ(ann.request("PATCH", path_of(task), R"({"status":"done"})").status, 200) << "no change";
  EXPECT_EQ(ann.request("PATCH", path_of(task), R"({"title":"Buy wine"})").status, 200)
      << "it was done before";
  EXPECT_EQ(ann.request("DELETE", path_of(task)).status, 204);
  EXPECT_THAT(types(6), ElementsAre("task.created 1", "task.updated 2", "task.updated 3", "task.done 4",
                                    "task.updated 5", "task.deleted 6"));
}

TEST_P(TaskEventsTest, DataIsTheTaskAsTheApiShowsIt) {
  const Task task = create(Status::done);
  const std::string shown = ann.request("GET", path_of(task)).body;
  EXPECT_EQ(ann.request("DELETE", path_of(task)).status, 204);
  const auto events = published(3);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].data, shown);
  EXPECT_EQ(events[1].type, kTaskDone);
  EXPECT_EQ(events[1].data, shown);
  EXPECT_EQ(events[1].stream, "task/" + task.id.to_string());
  EXPECT_EQ(events[2].data, to_json(DeletedTask{task.id, 1}));
}

TEST_P(TaskEventsTest, WhatIsRefusedPublishesNothing) {
  const Task task = create();
  EXPECT_EQ(ann.request("PATCH", path_of(task), R"({"status":"done"})", {{"If-Match", "\"7\""}}).status, 412);
  EXPECT_EQ(ann.request("DELETE", path_of(task)).status, 204);
  EXPECT_THAT(types(2), ElementsAre("task.created 1", "task.deleted 2"));
}

INSTANTIATE_TEST_SUITE_P(, TaskEventsTest, testing::every_database(), testing::database_name);

}  // namespace
}  // namespace bedplate::tasks
