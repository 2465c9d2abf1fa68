// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/rows.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <variant>

#include "bedplate/describe/any_row.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/json/json_value.h"

namespace bedplate {
namespace {

using namespace std::string_literals;
using Cell = std::variant<std::nullptr_t, std::int64_t, double, std::string, std::vector<char>>;

/// A row in memory, in the forms that a driver gives.
class Row final : public ColumnSource {
 public:
  explicit Row(std::vector<std::pair<std::string, Cell>> cells) : cells_(std::move(cells)) {}
  int count() const override { return static_cast<int>(cells_.size()); }
  std::string_view name(int column) const override { return at(column).first; }
  ColumnKind kind(int column) const override { return static_cast<ColumnKind>(at(column).second.index()); }
  std::int64_t int64(int column) const override { return std::get<std::int64_t>(at(column).second); }
  double real(int column) const override { return std::get<double>(at(column).second); }
  std::string_view text(int column) const override { return std::get<std::string>(at(column).second); }
  std::string_view blob(int column) const override {
    const auto& bytes = std::get<std::vector<char>>(at(column).second);
    return {bytes.data(), bytes.size()};
  }
  Cell& operator[](std::size_t column) { return cells_[column].second; }

 private:
  const std::pair<std::string, Cell>& at(int column) const {
    return cells_[static_cast<std::size_t>(column)];
  }
  std::vector<std::pair<std::string, Cell>> cells_;
};

enum class Status { todo, done };
consteval auto describe(Status) {
  return schema::values<Status::todo, Status::done>();
}

struct Task {
  Id<Task> id;
  std::string title;
  Status status = Status::todo;
  std::optional<Time> due_at;
  std::vector<std::string> labels;
  bool open = false;
  std::uint8_t priority = 0;
  double estimate = 0;
  Json extra;
  static consteval auto describe() {
    using namespace schema;
    return object<Task>("", {
                                field<&Task::id>(read_only),
                                field<&Task::title>(),
                                field<&Task::status>(),
                                field<&Task::due_at>(),
                                field<&Task::labels>(),
                                field<&Task::open, "is_open">(),
                                field<&Task::priority>(),
                                field<&Task::estimate>(),
                                field<&Task::extra>(),
                            });
  }
};

Row good_row() {
  return Row({{"title", "Buy milk"},
              {"id", std::vector<char>(16, '\x07')},
              {"status", "done"},
              {"due_at", std::int64_t{1'700'000'000'000'000}},
              {"labels", R"(["a","b"])"},
              {"is_open", std::int64_t{1}},
              {"priority", std::int64_t{255}},
              {"estimate", std::int64_t{2}},
              {"extra", R"({"x":1})"}});
}

TEST(Rows, fill_a_struct) {
  Row row = good_row();
  const Result<RowMap> map = RowMap::make(type_of<Task>(), row);
  ASSERT_TRUE(map.has_value()) << map.error().detail();
  Task task;
  ASSERT_TRUE(map->read(row, &task).has_value());
  EXPECT_EQ(task.title, "Buy milk");
  EXPECT_EQ(task.id.bytes[3], 7);
  EXPECT_EQ(task.status, Status::done);
  EXPECT_EQ(task.due_at->time_since_epoch().count(), 1'700'000'000'000'000);
  EXPECT_EQ(task.labels.size(), 2u);
  EXPECT_TRUE(task.open);
  EXPECT_EQ(task.priority, 255);
  EXPECT_EQ(task.estimate, 2.0);
  EXPECT_EQ(task.extra.text(), R"({"x":1})");
  row[3] = nullptr;
  ASSERT_TRUE(map->read(row, &task).has_value());
  EXPECT_FALSE(task.due_at.has_value());
}

TEST(Rows, say_what_does_not_fit) {
  const auto error_of = [](std::size_t column, Cell cell) {
    Row row = good_row();
    const Result<RowMap> map = RowMap::make(type_of<Task>(), row);
    row[column] = std::move(cell);
    Task task;
    const Result<void> read = map->read(row, &task);
    return read.has_value() ? "ok" : read.error().code() + ": " + read.error().detail();
  };
  EXPECT_EQ(error_of(0, nullptr), "row_mismatch: Column title of Task holds NULL, which its field cannot.");
  EXPECT_EQ(error_of(0, std::int64_t{1}),
            "row_mismatch: Column title of Task holds an integer, which its field cannot.");
  EXPECT_EQ(error_of(1, std::vector<char>(15)),
            "row_mismatch: Column id of Task holds a blob, which its field cannot.");
  EXPECT_EQ(error_of(2, "gone"), "row_mismatch: Column status of Task holds text, which its field cannot.");
  EXPECT_EQ(error_of(3, "soon"), "row_mismatch: Column due_at of Task holds text, which its field cannot.");
  EXPECT_EQ(error_of(4, "[1]"), "row_mismatch: Column labels of Task holds text, which its field cannot.");
  EXPECT_EQ(error_of(5, std::int64_t{2}),
            "row_mismatch: Column is_open of Task holds an integer, which its field cannot.");
  EXPECT_EQ(error_of(6, std::int64_t{256}),
            "row_mismatch: Column priority of Task holds an integer, which its field cannot.");
  EXPECT_EQ(error_of(7, 0.5), "ok");
}

TEST(Rows, every_column_and_every_field_has_its_other) {
  const Row row({{"id", std::vector<char>(16)}, {"titel", "x"}, {"status", "todo"}, {"status", "todo"}});
  const Result<RowMap> map = RowMap::make(type_of<Task>(), row);
  ASSERT_FALSE(map.has_value());
  EXPECT_EQ(map.error().category(), Category::internal);
  EXPECT_EQ(map.error().detail(),
            "The row does not fit Task: no field for column titel, status; no column for field title, "
            "due_at, labels, "
            "is_open, priority, estimate, extra.");
}

struct Person {
  Id<Person> id;
  std::string name;
  static consteval auto describe() {
    using namespace schema;
    return object<Person>("", {field<&Person::id>(), field<&Person::name>()});
  }
};
struct Note {
  std::string text;
  Person owner;
  std::optional<Person> editor;
  std::string owner_name;
  static consteval auto describe() {
    using namespace schema;
    return object<Note>("", {field<&Note::text>(), field<&Note::owner>(), field<&Note::editor>(),
                             field<&Note::owner_name>()});
  }
};

TEST(Rows, a_joined_row_fills_structs_by_prefix) {
  Row row({{"editor_name", "Bob"},
           {"text", "Milk"},
           {"owner_name", "direct"},  // the field of this name, though a struct could have it
           {"owner", R"({"id": "07070707-0707-0707-0707-070707070707", "name": "Ada"})"},
           {"editor_id", std::vector<char>(16, '\x08')}});
  const Result<RowMap> map = RowMap::make(type_of<Note>(), row);
  ASSERT_TRUE(map.has_value()) << map.error().detail();
  Note note;
  ASSERT_TRUE(map->read(row, &note).has_value());
  EXPECT_EQ(note.owner.name, "Ada");  // a column of the struct's own name is JSON
  EXPECT_EQ(note.owner_name, "direct");
  ASSERT_TRUE(note.editor.has_value());
  EXPECT_EQ(note.editor->name, "Bob");
  EXPECT_EQ(note.editor->id.bytes[0], 8);

  row[0] = nullptr;
  EXPECT_FALSE(map->read(row, &note).has_value());  // a half of an editor
  row[4] = nullptr;
  ASSERT_TRUE(map->read(row, &note).has_value());
  EXPECT_FALSE(note.editor.has_value());
}

TEST(Rows, a_prefix_says_which_field_of_the_struct_has_no_column) {
  Row row({{"id", std::vector<char>(16, '\x01')}, {"by_id", std::vector<char>(16, '\x02')}, {"by_age", "9"}});
  struct Entry {
    Id<Person> id;
    Person by;
    static consteval auto describe() {
      using namespace schema;
      return object<Entry>("", {field<&Entry::id>(), field<&Entry::by>()});
    }
  };
  const Result<RowMap> map = RowMap::make(type_of<Entry>(), row);
  ASSERT_FALSE(map.has_value());
  EXPECT_EQ(map.error().detail(),
            "The row does not fit Entry: no field for column by_age; no column for field by_name.");
}

TEST(Rows, a_single_value) {
  const Row row({{"count(*)", std::int64_t{42}}});
  const Result<RowMap> map = RowMap::make(type_of<int>(), row);
  ASSERT_TRUE(map.has_value());
  int count = 0;
  ASSERT_TRUE(map->read(row, &count).has_value());
  EXPECT_EQ(count, 42);
  const Row two({{"a", std::int64_t{42}}, {"b", std::int64_t{42}}});
  EXPECT_FALSE(RowMap::make(type_of<int>(), two).has_value());
}

template <class T>
SqlValue sql_of(const T& value, std::string& storage) {
  Result<SqlValue> sql = to_sql_value(type_of<T>(), &value, storage);
  EXPECT_TRUE(sql.has_value());
  return sql.value_or(SqlValue{});
}

TEST(Rows, values_as_parameters) {
  std::string storage;
  EXPECT_EQ(sql_of(true, storage).kind, SqlValue::Kind::boolean);
  EXPECT_EQ(sql_of(std::uint8_t{200}, storage).integer, 200);
  EXPECT_EQ(sql_of(std::int8_t{-1}, storage).integer, -1);
  EXPECT_EQ(sql_of(0.5f, storage).real, 0.5);
  EXPECT_EQ(sql_of("x"s, storage).text, "x");
  EXPECT_EQ(sql_of(Status::done, storage).text, "done");
  EXPECT_EQ(sql_of(Time(std::chrono::microseconds(5)), storage).integer, 5);
  EXPECT_EQ(sql_of(std::optional<int>(), storage).kind, SqlValue::Kind::null);
  EXPECT_EQ(sql_of(std::optional<int>(3), storage).integer, 3);
  EXPECT_EQ(sql_of(Patch<int>(nullptr), storage).kind, SqlValue::Kind::null);
  EXPECT_EQ(sql_of(std::vector<std::string>{"a", "b"}, storage).text, R"(["a","b"])");
  EXPECT_EQ(sql_of(std::map<std::string, int>{{"a", 1}}, storage).text, R"({"a":1})");
  const std::uint64_t large = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(to_sql_value(type_of<std::uint64_t>(), &large, storage).has_value());
  const auto unlisted = static_cast<Status>(9);
  EXPECT_FALSE(to_sql_value(type_of<Status>(), &unlisted, storage).has_value());
  const std::vector<double> infinite{std::numeric_limits<double>::infinity()};
  EXPECT_FALSE(to_sql_value(type_of<std::vector<double>>(), &infinite, storage).has_value());
}

TEST(Rows, an_any_row_takes_whatever_columns_there_are) {
  const Row row(
      {{"id", std::vector<char>{1, 2}}, {"n", std::int64_t{-5}}, {"r", 0.5}, {"t", "x"s}, {"e", {}}});
  Result<RowMap> map = RowMap::make(type_of<AnyRow>(), row);
  ASSERT_TRUE(map);
  AnyRow read;
  ASSERT_TRUE(map->read(row, &read));
  ASSERT_EQ(read.values.size(), 5u);
  EXPECT_EQ(read.values[0], (ColumnValue{.kind = ColumnKind::blob, .bytes = "\x01\x02"}));
  EXPECT_EQ(read.values[1], (ColumnValue{.kind = ColumnKind::integer, .integer = -5}));
  EXPECT_EQ(read.values[2], (ColumnValue{.kind = ColumnKind::real, .real = 0.5}));
  EXPECT_EQ(read.values[3], (ColumnValue{.kind = ColumnKind::text, .bytes = "x"}));
  EXPECT_EQ(read.values[4].kind, ColumnKind::null);
}

}  // namespace
}  // namespace bedplate
