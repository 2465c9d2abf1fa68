// SPDX-License-Identifier: Apache-2.0
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

TEST(Describe, what_each_rule_sets) {
  const ObjectInfo& object = type_of<Task>().object();
  EXPECT_TRUE(object.find("id")->has(kReadOnly));
  EXPECT_FALSE(object.find("id")->has(kRequired));
  EXPECT_TRUE(object.find("title")->has(kRequired));
  EXPECT_FALSE(object.find("status")->has(kRequired));
  EXPECT_FALSE(object.find("due_at")->has(kRequired));
  EXPECT_STREQ(object.find("due_at")->doc, "When it must be done");
  EXPECT_EQ(object.find("labels")->item_rules.max, 40);
  EXPECT_EQ(object.find("labels")->rules.flags, kHasLength | kUnique);
  EXPECT_EQ(object.find("children")->member, "subtasks");
  EXPECT_EQ(object.find("cache"), nullptr);
  EXPECT_EQ(object.find(""), nullptr);
  EXPECT_STREQ(object.doc, "A unit of work");
}

TEST(Describe, same_as_borrows_rules_and_doc_only) {
  const FieldInfo& title = type_of<CreateTask>().object().fields[0];
  EXPECT_EQ(title.rules.flags, kHasLength);
  EXPECT_STREQ(title.doc, "What is to be done");
}

class Account {
 public:
  Account() = default;
  static consteval auto describe() {
    using namespace schema;
    return object<Account>("Private members, described from inside",
                           {field<&Account::owner_>(), field<&Account::cents_, "balance">()},
                           name<"BankAccount">);
  }

 private:
  std::string owner_ = "nobody";
  std::int64_t cents_ = 5;
};

struct Base {
  int first = 1;
};
struct Middle {
  int second = 2;
};
struct Derived : Base, Middle {
  int third = 3;
  static consteval auto describe() {
    using namespace schema;
    return object<Derived>("",
                           {field<&Derived::third>(), field<&Derived::second>(), field<&Derived::first>()});
  }
};

TEST(Describe, private_and_inherited_members) {
  const ObjectInfo& account = type_of<Account>().object();
  EXPECT_EQ(account.name, "BankAccount");
  EXPECT_EQ(account.fields[0].name(), "owner");
  const Account value;
  EXPECT_EQ(*static_cast<const std::string*>(account.fields[0].in(&value)), "nobody");
  const ObjectInfo& derived = type_of<Derived>().object();
  const Derived object;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(*static_cast<const int*>(derived.fields[i].in(&object)), 3 - i) << derived.fields[i].name();
}

struct Window {
  int page = 1;
  int size = 20;
  static consteval auto describe() {
    using namespace schema;
    return object<Window>("", {field<&Window::page>(range{1, 9}, optional_with_default, "The page."),
                               field<&Window::size>(optional_with_default, "How many.")});
  }
};
struct Listing : Middle, Window {
  std::string label;
  static consteval auto describe() {
    using namespace schema;
    return object<Listing>("", fields_of<Window>,
                           {field<&Listing::label>("A label."),
                            field<&Listing::size>(same_as<&Window::size>, "How many at once.")});
  }
};
struct Bare : Window {
  static consteval auto describe() { return schema::object<Bare>("", schema::fields_of<Window>); }
};
struct Unsized : Window {
  static consteval auto describe() {
    return schema::object<Unsized>("", schema::fields_of<Window>, {schema::omit<&Unsized::size>});
  }
};

TEST(Describe, takes_the_fields_of_a_base_over) {
  const ObjectInfo& object = type_of<Listing>().object();
  ASSERT_EQ(object.count, 3);
  EXPECT_EQ(object.fields[0].name(), "page");
  EXPECT_EQ(object.fields[0].rules.max, 9);
  EXPECT_STREQ(object.fields[0].doc, "The page.");
  EXPECT_TRUE(object.fields[0].has(kHasDefault));
  EXPECT_EQ(object.fields[1].name(), "size") << "in its place, described anew";
  EXPECT_STREQ(object.fields[1].doc, "How many at once.");
  EXPECT_TRUE(object.fields[1].has(kRequired)) << "as same_as says";
  EXPECT_EQ(object.find("label"), &object.fields[2]);
  const Listing listing{{2}, {3, 4}, "five"};
  EXPECT_EQ(*static_cast<const int*>(object.fields[0].in(&listing)), 3);
  EXPECT_EQ(*static_cast<const int*>(object.fields[1].in(&listing)), 4);
  EXPECT_EQ(*static_cast<const std::string*>(object.fields[2].in(&listing)), "five");
  EXPECT_EQ(type_of<Bare>().object().count, 2);
  EXPECT_EQ(type_of<Unsized>().object().count, 1);
}

struct Empty {
  static consteval auto describe() { return schema::object<Empty>("Nothing"); }
};

template <class T, class U>
struct Either {
  T left;
  U right;
  static consteval auto describe() {
    using namespace schema;
    return object<Either>("", {field<&Either::left>(), field<&Either::right>()});
  }
};

TEST(Describe, names_of_types) {
  EXPECT_EQ(type_of<Empty>().name(), "Empty");
  EXPECT_EQ(type_of<Empty>().object().count, 0);
  EXPECT_EQ(type_of<Status>().name(), "Status");
  EXPECT_EQ((type_of<Either<Task, Page<Empty>>>().name()), "TaskEmptyPageEither");
  EXPECT_EQ(type_of<int>().name(), "integer");
  EXPECT_EQ(type_of<std::optional<Task>>().value_type().name(), "Task");
}

struct Wide {
  int a00, a01, a02, a03, a04, a05, a06, a07, a08, a09, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19;
  static consteval auto describe() {
    using namespace schema;
    return object<Wide>("",
                        {field<&Wide::a00>(), field<&Wide::a01>(), field<&Wide::a02>(), field<&Wide::a03>(),
                         field<&Wide::a04>(), field<&Wide::a05>(), field<&Wide::a06>(), field<&Wide::a07>(),
                         field<&Wide::a08>(), field<&Wide::a09>(), field<&Wide::a10>(), field<&Wide::a11>(),
                         field<&Wide::a12>(), field<&Wide::a13>(), field<&Wide::a14>(), field<&Wide::a15>(),
                         field<&Wide::a16>(), field<&Wide::a17>(), field<&Wide::a18>(), field<&Wide::a19>()});
  }
};

TEST(Describe, finds_every_field_by_name) {
  const ObjectInfo& object = type_of<Wide>().object();
  for (const FieldInfo& field : object.all()) EXPECT_EQ(object.find(field.name()), &field);
  for (std::string_view unknown : {"a", "a20", "b00", "a000", "00a"})
    EXPECT_EQ(object.find(unknown), nullptr);
}

TEST(Describe, integers_of_every_width) {
  for (std::uint8_t width : {1, 2, 4, 8}) {
    std::int64_t storage = 0;
    store_integer(&storage, width, -2);
    EXPECT_EQ(load_integer(&storage, width, true), -2);
    EXPECT_EQ(load_integer(&storage, width, false), width == 8 ? -2 : (std::int64_t{1} << (8 * width)) - 2);
  }
}

}  // namespace
}  // namespace bedplate
