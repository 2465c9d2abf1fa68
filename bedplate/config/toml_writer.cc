// SPDX-License-Identifier: Apache-2.0
#include "bedplate/config/toml_writer.h"

#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"

namespace bedplate::config {

namespace {

void append_list(std::string& out, const TypeInfo& type, const void* value) {
  const ListView view = type.list->view(value);
  const auto* item = static_cast<const char*>(view.data);
  out.push_back('[');
  for (std::size_t i = 0; i < view.size; ++i, item += type.element->size) {
    if (i != 0) out += ", ";
    append_toml(out, *type.element, item);
  }
  out.push_back(']');
}

/// `{ "key" = value, ... }`; entries without a value are left out.
class InlineTable {
 public:
  explicit InlineTable(std::string& out) : out_(out) { out_ += "{"; }
  void add(std::string_view key, const TypeInfo& type, const void* value) {
    std::string text;
    if (!append_toml(text, type, value)) return;
    out_ += empty_ ? " " : ", ";
    empty_ = false;
    append_toml_string(out_, key);
    out_ += " = " + text;
  }
  void finish() { out_ += empty_ ? "}" : " }"; }

 private:
  std::string& out_;
  bool empty_ = true;
};

void append_map(std::string& out, const TypeInfo& type, const void* value) {
  struct Context {
    InlineTable table;
    const TypeInfo& element;
  };
  Context context{InlineTable(out), *type.element};
  type.map->each(value, &context, [](void* to, std::string_view key, const void* item) {
    auto* self = static_cast<Context*>(to);
    self->table.add(key, self->element, item);
  });
  context.table.finish();
}

void append_object(std::string& out, const TypeInfo& type, const void* value) {
  InlineTable table(out);
  for (const FieldInfo& field : type.object().all()) table.add(field.name(), *field.type, field.in(value));
  table.finish();
}

}  // namespace

void append_toml_string(std::string& out, std::string_view text) {
  // A JSON string is a TOML basic string but for U+007F, which TOML wants escaped.
  std::string quoted;
  append_json_string(quoted, text);
  for (const char c : quoted) {
    if (c == '\x7f') {
      out += "\\u007f";
    } else {
      out.push_back(c);
    }
  }
}

bool append_toml(std::string& out, const TypeInfo& type, const void* value) {
  switch (type.kind) {
    case Kind::optional: {
      const void* inside = type.optional->get(value);
      return inside != nullptr && append_toml(out, *type.element, inside);
    }
    case Kind::list:
      append_list(out, type, value);
      return true;
    case Kind::map:
      append_map(out, type, value);
      return true;
    case Kind::object:
      append_object(out, type, value);
      return true;
    case Kind::string:
      append_toml_string(out, *static_cast<const std::string*>(value));
      return true;
    default:
      bedplate::append_json(out, type, value, View::stored);
      return true;
  }
}

}  // namespace bedplate::config
