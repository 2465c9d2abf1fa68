// SPDX-License-Identifier: Apache-2.0
// Writes a JSON document by hand, minding the commas. For documents that have no C++ type (OpenAPI); everything else
// is described. Private header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/base/buffer.h"
#include "bedplate/base/text.h"

namespace bedplate::api {

class JsonBuilder {
 public:
  JsonBuilder& begin_object() { return open('{'); }
  JsonBuilder& end_object() { return close('}'); }
  JsonBuilder& begin_array() { return open('['); }
  JsonBuilder& end_array() { return close(']'); }

  JsonBuilder& key(std::string_view name) {
    comma();
    append_json_string(out_, name);
    out_.put(':');
    fresh_ = true;
    return *this;
  }
  JsonBuilder& text(std::string_view value) {
    comma();
    append_json_string(out_, value);
    return *this;
  }
  JsonBuilder& number(std::int64_t value) {
    comma();
    char* p = out_.need(kIntSizeMax);
    out_.advance_to(write_int(p, value));
    return *this;
  }
  JsonBuilder& boolean(bool value) { return raw(value ? "true" : "false"); }
  /// JSON that is written already.
  JsonBuilder& raw(std::string_view json) {
    comma();
    out_.append(json);
    return *this;
  }
  JsonBuilder& member(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonBuilder& reference(std::string_view to) { return begin_object().member("$ref", to).end_object(); }

  /// For a writer that appends one value by itself.
  Buffer& value() {
    comma();
    return out_;
  }
  /// For a writer that appends whole members and minds the commas by itself.
  Buffer& members() {
    fresh_ = false;
    return out_;
  }
  std::string take() { return out_.to_string(); }

 private:
  JsonBuilder& open(char c) {
    comma();
    out_.put(c);
    fresh_ = true;
    return *this;
  }
  JsonBuilder& close(char c) {
    out_.put(c);
    fresh_ = false;
    return *this;
  }
  void comma() {
    if (!fresh_) out_.put(',');
    fresh_ = false;
  }

  Buffer out_;
  bool fresh_ = true;  // nothing stands before what comes next in this object or array
};

}  // namespace bedplate::api
