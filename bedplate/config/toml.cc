// SPDX-License-Identifier: Apache-2.0
#include "bedplate/config/toml.h"

#include <algorithm>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/config/toml_parser.h"

namespace bedplate::config {

namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
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

/// Appends a node as JSON. False when a number in it is not finite. The parser bounds the depth.
bool append_json(std::string& out, const TomlNode& node) {
  if (node.kind == TomlNode::Kind::scalar) {
    out += node.json.empty() ? "null" : node.json;
    return !node.json.empty();
  }
  const bool is_table = node.kind == TomlNode::Kind::table;
  bool good = true;
  out.push_back(is_table ? '{' : '[');
  for (const TomlNode& member : node.members) {
    if (&member != &node.members.front()) out.push_back(',');
    if (is_table) {
      append_json_string(out, member.key);
      out.push_back(':');
    }
    good = append_json(out, member) && good;
  }
  out.push_back(is_table ? '}' : ']');
  return good;
}

void walk(const TomlNode& table, std::string_view parent, TomlVisitor& visitor) {
  for (const TomlNode& node : table.members) {
    const std::string path = join_path(parent, node.key);
    if (node.kind == TomlNode::Kind::table) {
      const TableIs kind = visitor.on_table(path, node.line);
      if (kind == TableIs::section) walk(node, path, visitor);
      if (kind != TableIs::value) continue;
    }
    std::string json;
    if (append_json(json, node)) {
      visitor.on_value(path, node.line, json);
    } else {
      visitor.on_bad_value(path, node.line, "must be a finite number");
    }
  }
}

}  // namespace

Result<void> walk_toml(std::string_view text, TomlVisitor& visitor) {
  const Result<TomlNode> document = parse_toml(text);
  if (!document) return std::unexpected(document.error().clone());
  walk(*document, "", visitor);
  return {};
}

}  // namespace bedplate::config
