#include "bedplate/config/toml.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "bedplate/base/buffer.h"
#include "bedplate/base/text.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace bedplate::config {

namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string join_path(std::string_view parent, std::string_view key) {
  std::string path(parent);
  if (!path.empty()) path.push_back('.');
  if (is_bare_key(key)) {
    path += key;
  } else {
    append_json_string(path, key);
  }
  return path;
}

template <class T>
std::string to_text(const T& value) {
  std::ostringstream out;
  out << value;
  return std::move(out).str();
}

/// Appends a node as JSON. False when a number in it is not finite. The parser bounds the depth.
bool append_json(Buffer& out, const toml::node& node) {
  if (const auto* table = node.as_table()) {
    bool good = true;
    char before = '{';
    for (const auto& [key, value] : *table) {
      out.put(std::exchange(before, ','));
      append_json_string(out, key.str());
      out.put(':');
      good = append_json(out, value) && good;
    }
    if (before == '{') out.put('{');
    out.put('}');
    return good;
  }
  if (const auto* array = node.as_array()) {
    bool good = true;
    char before = '[';
    for (const auto& value : *array) {
      out.put(std::exchange(before, ','));
      good = append_json(out, value) && good;
    }
    if (before == '[') out.put('[');
    out.put(']');
    return good;
  }
  if (const auto* text = node.as_string()) {
    append_json_string(out, text->get());
  } else if (const auto* integer = node.as_integer()) {
    out.advance_to(write_int(out.need(kIntSizeMax), integer->get()));
  } else if (const auto* real = node.as_floating_point()) {
    if (!std::isfinite(real->get())) return false;
    out.advance_to(write_double(out.need(kDoubleSizeMax), real->get()));
  } else if (const auto* boolean = node.as_boolean()) {
    out.append(boolean->get() ? "true" : "false");
  } else if (const auto* instant = node.as_date_time()) {
    append_json_string(out, to_text(instant->get()));
  } else if (const auto* date = node.as_date()) {
    append_json_string(out, to_text(date->get()));
  } else if (const auto* time = node.as_time()) {
    append_json_string(out, to_text(time->get()));
  }
  return true;
}

void walk(const toml::table& table, std::string_view parent, TomlVisitor& visitor) {
  for (const auto& [key, node] : table) {
    const std::string path = join_path(parent, key.str());
    // The key's own place; a table that only dotted headers imply has none, then the value's serves.
    const auto line =
        static_cast<unsigned>(key.source().begin ? key.source().begin.line : node.source().begin.line);
    if (const auto* inner = node.as_table()) {
      const TableIs kind = visitor.on_table(path, line);
      if (kind == TableIs::section) walk(*inner, path, visitor);
      if (kind != TableIs::value) continue;
    }
    Buffer json;
    if (append_json(json, node)) {
      visitor.on_value(path, line, json.view());
    } else {
      visitor.on_bad_value(path, line, "must be a finite number");
    }
  }
}

}  // namespace

Result<void> walk_toml(std::string_view text, TomlVisitor& visitor) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(Category::malformed, "config_malformed",
                std::to_string(error.source().begin.line) + ":" +
                    std::to_string(error.source().begin.column) + ": " + std::string(error.description()));
  }
  walk(parsed.table(), "", visitor);
  return {};
}

}  // namespace bedplate::config
