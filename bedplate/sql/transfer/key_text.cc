// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/transfer/key_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "bedplate/base/id.h"
#include "bedplate/base/text.h"

namespace bedplate::sql {
namespace {

std::optional<ColumnValue> read_value(std::string_view text) {
  if (text.empty()) return std::nullopt;
  ColumnValue value;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == 'i' || kind == 'r') {
    const std::optional<std::int64_t> number = parse_int(text);
    if (!number) return std::nullopt;
    if (kind == 'i') return ColumnValue{.kind = ColumnKind::integer, .integer = *number};
    return ColumnValue{.kind = ColumnKind::real, .real = std::bit_cast<double>(*number)};
  }
  if (kind != 't' && kind != 'b') return std::nullopt;
  std::optional<std::string> bytes = from_hex(text);
  if (!bytes) return std::nullopt;
  value.kind = kind == 't' ? ColumnKind::text : ColumnKind::blob;
  value.bytes = std::move(*bytes);
  return value;
}

}  // namespace

namespace {

void append_json(std::string& out, const ColumnValue& value) {
  switch (value.kind) {
    case ColumnKind::null:
      out += "null";
      return;
    case ColumnKind::integer:
      out += std::to_string(value.integer);
      return;
    case ColumnKind::real:
      out += fmt::format("{}", value.real);
      return;
    case ColumnKind::text:
      append_json_string(out, is_valid_utf8(value.bytes) ? value.bytes : to_hex(value.bytes));
      return;
    case ColumnKind::blob: {
      Uuid uuid;
      const bool is_uuid = value.bytes.size() == uuid.bytes.size();
      if (is_uuid) std::memcpy(uuid.bytes.data(), value.bytes.data(), uuid.bytes.size());
      append_json_string(out, is_uuid ? uuid.to_string() : to_hex(value.bytes));
      return;
    }
  }
}

}  // namespace

std::string json_of_key(const TableShape& table, std::span<const ColumnValue> key) {
  std::string json = "{";
  for (std::size_t i = 0; i < key.size() && i < table.primary_key.size(); ++i) {
    if (i > 0) json += ',';
    append_json_string(json, table.primary_key[i]);
    json += ':';
    append_json(json, key[i]);
  }
  return json + "}";
}

std::string write_key(std::span<const ColumnValue> key) {
  std::string text;
  for (const ColumnValue& value : key) {
    if (!text.empty()) text += '|';
    switch (value.kind) {
      case ColumnKind::null:  // no key has one
        break;
      case ColumnKind::integer:
        text += 'i' + std::to_string(value.integer);
        break;
      case ColumnKind::real:
        text += 'r' + std::to_string(std::bit_cast<std::int64_t>(value.real));
        break;
      case ColumnKind::text:
      case ColumnKind::blob:
        text += value.kind == ColumnKind::text ? 't' : 'b';
        text += to_hex(value.bytes);
        break;
    }
  }
  return text;
}

std::optional<std::vector<ColumnValue>> read_key(std::string_view text) {
  std::vector<ColumnValue> key;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('|', at), text.size());
    std::optional<ColumnValue> value = read_value(text.substr(at, end - at));
    if (!value) return std::nullopt;
    key.push_back(std::move(*value));
    at = end + 1;
  }
  return key;
}

}  // namespace bedplate::sql
