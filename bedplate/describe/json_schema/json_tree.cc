// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/json_schema/json_tree.h"

#include <algorithm>

#include "bedplate/base/text.h"
#include "bedplate/describe/json/json_cursor.h"

namespace bedplate::detail {

namespace {

class Reader : public JsonCursor {
 public:
  using JsonCursor::JsonCursor;
  std::size_t nodes_left = kJsonNodesMax;
};

bool read_value(Reader& in, JsonNode& node);

bool read_array(Reader& in, JsonNode& node) {
  node.kind = JsonNode::Kind::array;
  in.advance(1);
  if (!in.enter()) return false;
  if (!in.take(']')) {
    do {
      if (!read_value(in, node.items.emplace_back())) return false;
    } while (in.take(','));
    if (!in.take(']')) return in.syntax("a list is not closed");
  }
  in.leave();
  return true;
}

bool read_object(Reader& in, JsonNode& node) {
  node.kind = JsonNode::Kind::object;
  in.advance(1);
  if (!in.enter()) return false;
  if (!in.take('}')) {
    std::string decoded;
    do {
      std::string_view name;
      if (!in.key(name, decoded)) return false;
      JsonNode::Member& member = node.members.emplace_back();
      member.name = name;
      if (!read_value(in, member.value)) return false;
    } while (in.take(','));
    if (!in.take('}')) return in.syntax("an object is not closed");
  }
  in.leave();
  std::ranges::sort(node.members, {}, &JsonNode::Member::name);
  if (std::ranges::adjacent_find(node.members, {}, &JsonNode::Member::name) != node.members.end())
    return in.syntax("a name is given twice");
  return true;
}

bool read_value(Reader& in, JsonNode& node) {
  if (in.nodes_left-- == 0) return in.syntax("has too many values");
  switch (in.peek()) {
    case '{':
      return read_object(in, node);
    case '[':
      return read_array(in, node);
    case '"':
      node.kind = JsonNode::Kind::string;
      return in.string(node.string);
    case 't':
    case 'f':
      node.kind = JsonNode::Kind::boolean;
      node.boolean = in.peek() == 't';
      return in.literal(node.boolean ? "true" : "false");
    case 'n':
      return in.literal("null");
    default: {
      node.kind = JsonNode::Kind::number;
      NumberToken token;
      if (!in.number(token)) return false;
      node.number = Decimal(token.text);
      return true;
    }
  }
}

void append_canonical(std::string& out, const JsonNode& node) {
  switch (node.kind) {
    case JsonNode::Kind::null:
      out += "null";
      break;
    case JsonNode::Kind::boolean:
      out += node.boolean ? "true" : "false";
      break;
    case JsonNode::Kind::number:
      out += node.number.to_string();
      break;
    case JsonNode::Kind::string:
      append_json_string(out, node.string);
      break;
    case JsonNode::Kind::array:
      out += '[';
      for (const JsonNode& item : node.items) {
        append_canonical(out, item);
        out += ',';
      }
      out += ']';
      break;
    case JsonNode::Kind::object:
      out += '{';
      for (const auto& [name, value] : node.members) {
        append_json_string(out, name);
        out += ':';
        append_canonical(out, value);
        out += ',';
      }
      out += '}';
      break;
  }
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(members, name, {}, &Member::name);
  return found == members.end() || found->name != name ? nullptr : &found->value;
}

Result<JsonNode> parse_json_tree(std::string_view text, unsigned depth_max) {
  Reader in(text, depth_max);
  JsonNode root;
  if (!read_value(in, root) || !in.finish()) return std::unexpected(in.problem());
  return root;
}

std::string canonical(const JsonNode& node) {
  std::string out;
  append_canonical(out, node);
  return out;
}

}  // namespace bedplate::detail
