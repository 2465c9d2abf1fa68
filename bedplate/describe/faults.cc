// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/faults.h"

#include <algorithm>
#include <utility>

namespace bedplate {

void Faults::add(std::string pointer, std::string_view code, std::string message) {
  if (full()) {
    more_ = true;
    return;
  }
  list_.push_back({std::move(pointer), std::string(code), std::move(message)});
}

void Faults::clear() {
  list_.clear();
  more_ = false;
}

Error Faults::to_error(std::string detail) && {
  return Error(Category::invalid, "validation_failed", std::move(detail))
      .with_faults(std::move(list_), more_);
}

void append_pointer_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (char c : token) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

std::string json_pointer(const PathFrame* path) {
  if (path == nullptr) return {};
  std::string pointer = json_pointer(path->up);
  if (path->field != nullptr)
    append_pointer_token(pointer, path->field->name());
  else if (path->key.data() != nullptr)
    append_pointer_token(pointer, path->key);
  else
    append_pointer_token(pointer, std::to_string(path->index));
  return pointer;
}

std::string json_pointer(const PathFrame* path, std::string_view member) {
  std::string pointer = json_pointer(path);
  append_pointer_token(pointer, member);
  return pointer;
}

void ObjectProblems::add(std::string_view code, std::string message) {
  faults_.add(path_ == nullptr ? std::string() : json_pointer(path_), code, std::move(message));
}

void ObjectProblems::add(std::string_view member, std::string_view code, std::string message) {
  const auto fields = object_.all();
  const auto field =
      std::find_if(fields.begin(), fields.end(), [&](const FieldInfo& f) { return f.member == member; });
  faults_.add(json_pointer(path_, field == fields.end() ? member : field->name()), code, std::move(message));
}

}  // namespace bedplate
