#include "bedplate/describe/describe.h"

#include <gtest/gtest.h>

#include "bedplate/describe/any_value.h"

namespace bedplate {
namespace {

enum class Status { todo, in_progress, done };
consteval auto describe(Status) {
  using namespace schema;
  return values<Status::todo, Status::in_progress, Status::done>("How far it is");
}

struct Task {
  Id<Task> id;
  std::string title;
  Status status = Status::todo;
  std::optional<Time> due_at;
  std::vector<std::string> labels;
  std::vector<Task> subtasks;
  std::string cache;

  static consteval auto describe() {
    using namespace schema;
    return object<Task>("A unit of work",
                        {
                            field<&Task::id>(read_only, "Set by the server"),
                            field<&Task::title>(length{1, 200}, "What is to be done"),
                            field<&Task::status>(optional_with_default),
                            field<&Task::due_at>("When it must be done"),
                            field<&Task::labels>(length{0, 20}, unique, each(length{1, 40})),
                            field<&Task::subtasks, "children">(optional_with_default),
                            omit<&Task::cache>,
                        });
  }
};

struct CreateTask {
  std::string title;
  static consteval auto describe() {
    using namespace schema;
    return object<CreateTask>("A new task", {field<&CreateTask::title>(same_as<&Task::title>)});
  }
};

template <class T>
struct Page {
  std::vector<T> data;
  static consteval auto describe() {
    using namespace schema;
    return object<Page>("A page", {field<&Page::data>()});
  }
};

TEST(Describe, table) {
  const TypeInfo& type = type_of<Task>();
  EXPECT_EQ(type.name(), "Task");
  const ObjectInfo& object = type.object();
  ASSERT_EQ(object.count, 6);
  EXPECT_EQ(object.fields[1].name(), "title");
  EXPECT_EQ(object.fields[1].rules.max, 200);
  EXPECT_EQ(object.find("children"), &object.fields[5]);
  EXPECT_EQ(type_of<CreateTask>().object().fields[0].rules.max, 200);
  EXPECT_EQ(type_of<Page<Task>>().name(), "TaskPage");
  EXPECT_EQ(object.fields[2].type->enumeration().name_of(1), "in_progress");
}

}  // namespace
}  // namespace bedplate
