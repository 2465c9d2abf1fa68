// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/json.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace bedplate::testing {
namespace {

constexpr int kDepthMax = 200;

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr unsigned char kLead[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(kLead[more] | (code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3f));
}

}  // namespace

/// Reads from the front of what is left; every function is false at the first mistake.
class Json::Reader {
 public:
  explicit Reader(std::string_view left) : left_(left) {}

  bool whole(Json& into) {
    if (!value(into, 0)) return false;
    skip_space();
    return left_.empty();
  }

 private:
  void skip_space() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t\r\n"), left_.size())); }

  bool take(std::string_view token) {
    if (!left_.starts_with(token)) return false;
    left_.remove_prefix(token.size());
    return true;
  }

  bool value(Json& into, int depth) {
    skip_space();
    if (left_.empty() || depth > kDepthMax) return false;
    switch (left_.front()) {
      case '{':
        return object(into, depth);
      case '[':
        return list(into, depth);
      case '"':
        into.kind_ = Kind::text;
        return string(into.text_);
      case 'n':
        into.kind_ = Kind::null;
        return take("null");
      case 't':
        into.kind_ = Kind::boolean;
        into.number_ = 1;
        return take("true");
      case 'f':
        into.kind_ = Kind::boolean;
        return take("false");
      default:
        into.kind_ = Kind::number;
        return number(into.number_);
    }
  }

  bool object(Json& into, int depth) {
    into.kind_ = Kind::object;
    left_.remove_prefix(1);
    skip_space();
    if (take("}")) return true;
    do {
      skip_space();
      if (!left_.starts_with('"') || !string(into.names_.emplace_back())) return false;
      skip_space();
      if (!take(":") || !value(into.items_.emplace_back(), depth + 1)) return false;
      skip_space();
    } while (take(","));
    return take("}");
  }

  bool list(Json& into, int depth) {
    into.kind_ = Kind::list;
    left_.remove_prefix(1);
    skip_space();
    if (take("]")) return true;
    do {
      if (!value(into.items_.emplace_back(), depth + 1)) return false;
      skip_space();
    } while (take(","));
    return take("]");
  }

  bool number(double& into) {
    std::string_view digits = left_.substr(left_.starts_with('-') ? 1 : 0);
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return false;
    if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return false;
    auto read = std::from_chars(left_.data(), left_.data() + left_.size(), into);
    if (read.ec != std::errc()) return false;
    left_.remove_prefix(static_cast<std::size_t>(read.ptr - left_.data()));
    return true;
  }

  bool string(std::string& into) {
    left_.remove_prefix(1);
    while (!left_.empty()) {
      const char c = left_.front();
      left_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\')
        into += c;
      else if (!escape(into))
        return false;
    }
    return false;
  }

  bool escape(std::string& into) {
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (left_.empty()) return false;
    const char c = left_.front();
    left_.remove_prefix(1);
    if (std::size_t at = kNames.find(c); at != std::string_view::npos) {
      into += kMeanings[at];
      return true;
    }
    std::uint32_t code = 0, low = 0;
    if (c != 'u' || !unit(code)) return false;
    if (code >= 0xdc00 && code < 0xe000) return false;
    if (code >= 0xd800 && code < 0xdc00) {
      if (!take("\\u") || !unit(low) || low < 0xdc00 || low >= 0xe000) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(into, code);
    return true;
  }

  bool unit(std::uint32_t& code) {
    if (left_.size() < 4) return false;
    auto read = std::from_chars(left_.data(), left_.data() + 4, code, 16);
    if (read.ec != std::errc() || read.ptr != left_.data() + 4) return false;
    left_.remove_prefix(4);
    return true;
  }

  std::string_view left_;
};

Json Json::parse(std::string_view text) {
  Json value;
  return Reader(text).whole(value) ? value : Json();
}

const Json& Json::operator[](std::size_t index) const {
  static const Json kMissing;
  return index < items_.size() ? items_[index] : kMissing;
}

const Json& Json::operator[](std::string_view member) const {
  static const Json kMissing;
  const auto at = std::ranges::find(names_, member);
  return at == names_.end() ? kMissing : items_[static_cast<std::size_t>(at - names_.begin())];
}

}  // namespace bedplate::testing
