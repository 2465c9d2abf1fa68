// SPDX-License-Identifier: Apache-2.0
// json: reading and writing a task of about 1 KB, hardened both times (UTF-8 checked, types, lengths and
// ranges checked, unknown fields refused), into and from the same struct, against rapidjson used as its users
// would: a document checked by hand one way, its writer the other.
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/buffer.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/json/json.h"

namespace {

using namespace bedplate;

struct Comment {
  std::string author;
  std::string text;
  std::int64_t at = 0;

  static consteval auto describe() {
    using namespace schema;
    return object<Comment>("A remark", {
                                           field<&Comment::author>(length{1, 80}),
                                           field<&Comment::text>(length{0, 4000}),
                                           field<&Comment::at>(),
                                       });
  }
};

struct Task {
  std::string id;
  std::string project_id;
  std::string title;
  std::string description;
  std::string status;
  int priority = 0;
  std::optional<std::string> assignee;
  std::vector<std::string> tags;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  bool archived = false;
  double estimate = 0;
  std::vector<Comment> comments;

  static consteval auto describe() {
    using namespace schema;
    return object<Task>("A unit of work", {
                                              field<&Task::id>(length{36, 36}),
                                              field<&Task::project_id>(length{36, 36}),
                                              field<&Task::title>(length{1, 200}),
                                              field<&Task::description>(length{0, 10000}),
                                              field<&Task::status>(length{1, 20}),
                                              field<&Task::priority>(range{0, 9}),
                                              field<&Task::assignee>(length{1, 80}),
                                              field<&Task::tags>(length{0, 20}, each(length{1, 40})),
                                              field<&Task::created_at>(),
                                              field<&Task::updated_at>(),
                                              field<&Task::archived>(),
                                              field<&Task::estimate>(limits{0, 1000}),
                                              field<&Task::comments>(length{0, 100}),
                                          });
  }
};

Task sample() {
  Task task;
  task.id = "018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f";
  task.project_id = "018f3c1e-0000-7c3d-9e4f-5a6b7c8d9e0f";
  task.title = "Fix the flaky reconnect test in the gateway";
  task.description =
      "When the upstream drops the connection during the handshake the retry loop sleeps twice.\nSteps: "
      "start the stub, "
      "cut the link after the first byte, watch the \"backoff\" counter. Expected one sleep; seen two. "
      "Probably the "
      "timer is re-armed in both the error path and the completion path.";
  task.status = "in_progress";
  task.priority = 3;
  task.assignee = "user-4471";
  task.tags = {"backend", "flaky-test", "gateway", "p2"};
  task.created_at = 1763715600123;
  task.updated_at = 1763719200456;
  task.estimate = 2.5;
  task.comments = {
      {"maria", "Reproduced on the second try, log attached to the build.", 1763716600000},
      {"deniz", "I think on_error re-arms; moving it to a single finish() fixes it locally.", 1763717600000},
      {"bot", "CI run 88121 passed with the patch applied.", 1763718600000},
  };
  return task;
}

// ---- rapidjson

using rapidjson::Value;

std::size_t code_points(const Value& text) {
  std::size_t count = 0;
  for (const char* p = text.GetString(); p != text.GetString() + text.GetStringLength(); ++p)
    count += (*p & 0xC0) != 0x80;
  return count;
}

bool get_text(const Value& value, std::size_t min, std::size_t max, std::string& out) {
  if (!value.IsString()) return false;
  const std::size_t size = code_points(value);
  if (size < min || size > max) return false;
  out.assign(value.GetString(), value.GetStringLength());
  return true;
}

const Value* find(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member == object.MemberEnd() ? nullptr : &member->value;
}

bool get_text(const Value& object, const char* name, std::size_t min, std::size_t max, std::string& out) {
  const Value* value = find(object, name);
  return value != nullptr && get_text(*value, min, max, out);
}

bool get_integer(const Value& object, const char* name, std::int64_t& out) {
  const Value* value = find(object, name);
  if (value == nullptr || !value->IsInt64()) return false;
  out = value->GetInt64();
  return true;
}

bool read_comment(const Value& value, Comment& comment) {
  return value.IsObject() && value.MemberCount() == 3 && get_text(value, "author", 1, 80, comment.author) &&
         get_text(value, "text", 0, 4000, comment.text) && get_integer(value, "at", comment.at);
}

bool read_lists(const Value& document, Task& task) {
  const Value* tags = find(document, "tags");
  if (tags == nullptr || !tags->IsArray() || tags->Size() > 20) return false;
  task.tags.reserve(tags->Size());
  for (const Value& tag : tags->GetArray())
    if (!get_text(tag, 1, 40, task.tags.emplace_back())) return false;
  const Value* comments = find(document, "comments");
  if (comments == nullptr || !comments->IsArray() || comments->Size() > 100) return false;
  task.comments.reserve(comments->Size());
  for (const Value& comment : comments->GetArray())
    if (!read_comment(comment, task.comments.emplace_back())) return false;
  return true;
}

bool read_with_rapidjson(std::string_view text, Task& task) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject() || document.MemberCount() != 13) return false;
  if (!get_text(document, "id", 36, 36, task.id) ||
      !get_text(document, "project_id", 36, 36, task.project_id) ||
      !get_text(document, "title", 1, 200, task.title) ||
      !get_text(document, "description", 0, 10000, task.description) ||
      !get_text(document, "status", 1, 20, task.status) ||
      !get_integer(document, "created_at", task.created_at) ||
      !get_integer(document, "updated_at", task.updated_at))
    return false;
  std::int64_t priority = 0;
  if (!get_integer(document, "priority", priority) || priority < 0 || priority > 9) return false;
  task.priority = static_cast<int>(priority);
  const Value* assignee = find(document, "assignee");
  if (assignee != nullptr && !assignee->IsNull() && !get_text(*assignee, 1, 80, task.assignee.emplace()))
    return false;
  const Value* archived = find(document, "archived");
  if (archived == nullptr || !archived->IsBool()) return false;
  task.archived = archived->GetBool();
  const Value* estimate = find(document, "estimate");
  if (estimate == nullptr || !estimate->IsNumber()) return false;
  task.estimate = estimate->GetDouble();
  return task.estimate >= 0 && task.estimate <= 1000 && read_lists(document, task);
}

using Output = rapidjson::StringBuffer;
using Writer = rapidjson::Writer<Output, rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::CrtAllocator,
                                 rapidjson::kWriteValidateEncodingFlag>;

void write_text(Writer& writer, const char* name, const std::string& text) {
  writer.Key(name);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void write_integer(Writer& writer, const char* name, std::int64_t integer) {
  writer.Key(name);
  writer.Int64(integer);
}

void write_with_rapidjson(Output& out, const Task& task) {
  Writer writer(out);
  writer.StartObject();
  write_text(writer, "id", task.id);
  write_text(writer, "project_id", task.project_id);
  write_text(writer, "title", task.title);
  write_text(writer, "description", task.description);
  write_text(writer, "status", task.status);
  write_integer(writer, "priority", task.priority);
  if (task.assignee) {
    write_text(writer, "assignee", *task.assignee);
  } else {
    writer.Key("assignee");
    writer.Null();
  }
  writer.Key("tags");
  writer.StartArray();
  for (const std::string& tag : task.tags)
    writer.String(tag.data(), static_cast<rapidjson::SizeType>(tag.size()));
  writer.EndArray();
  write_integer(writer, "created_at", task.created_at);
  write_integer(writer, "updated_at", task.updated_at);
  writer.Key("archived");
  writer.Bool(task.archived);
  writer.Key("estimate");
  writer.Double(task.estimate);
  writer.Key("comments");
  writer.StartArray();
  for (const Comment& comment : task.comments) {
    writer.StartObject();
    write_text(writer, "author", comment.author);
    write_text(writer, "text", comment.text);
    write_integer(writer, "at", comment.at);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

// ---- Rounds

constexpr int kRounds = 9;
constexpr int kRunsPerRound = 40000;

template <class Work>
double nanoseconds_per_run(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  for (int run = 0; run < kRunsPerRound; ++run) work();
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / kRunsPerRound;
}

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "json_bench: %s\n", what);
  std::exit(1);
}

void print_list(const char* name, const std::vector<double>& times) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < times.size(); ++i) std::printf("%s%.1f", i == 0 ? "" : ", ", times[i]);
  std::printf("]");
}

template <class Ours, class Theirs>
void measure(const char* name, Ours&& ours, Theirs&& theirs) {
  std::vector<double> our_times;
  std::vector<double> their_times;
  nanoseconds_per_run(ours);  // warm up both
  nanoseconds_per_run(theirs);
  for (int round = 0; round < kRounds; ++round) {
    our_times.push_back(nanoseconds_per_run(ours));
    their_times.push_back(nanoseconds_per_run(theirs));
  }
  std::printf("{\"measure\": \"%s\", \"yardstick\": \"rapidjson\", \"unit\": \"ns\", ", name);
  print_list("ours", our_times);
  std::printf(", ");
  print_list("theirs", their_times);
  std::printf("}\n");
}

}  // namespace

int main() {
  const Task task = sample();
  const std::string text = to_json(task);
  Output reference;
  write_with_rapidjson(reference, task);
  require(text == reference.GetString(), "the two writers disagree");

  const TypeInfo& type = type_of<Task>();
  measure(
      "read",
      [&] {
        Task read;
        Faults faults;
        require(read_json(text, type, &read, faults) && faults.empty(), "reading failed");
        require(read.comments.size() == 3, "reading went wrong");
      },
      [&] {
        Task read;
        require(read_with_rapidjson(text, read), "rapidjson failed to read");
        require(read.comments.size() == 3, "rapidjson read wrong");
      });

  Buffer ours;
  Output theirs;
  measure(
      "write",
      [&] {
        ours.clear();
        write_json(ours, type, &task);
        require(ours.size() == text.size(), "writing went wrong");
      },
      [&] {
        theirs.Clear();
        write_with_rapidjson(theirs, task);
        require(theirs.GetSize() == text.size(), "rapidjson wrote wrong");
      });
}
