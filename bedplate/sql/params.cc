// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/params.h"

#include "bedplate/base/text.h"
#include "bedplate/describe/rows.h"

namespace bedplate::sql {

Param Param::described(const TypeInfo& type, const void* value) {
  Param param;
  std::string storage;
  Result<SqlValue> form = to_sql_value(type, value, storage);
  if (!form) {
    param.kind_ = Kind::unfit;
    return param;
  }
  switch (form->kind) {
    case SqlValue::Kind::null:
      break;
    case SqlValue::Kind::boolean:
      return Param(form->integer != 0);
    case SqlValue::Kind::integer:
      return Param(form->integer);
    case SqlValue::Kind::real:
      return Param(form->real);
    case SqlValue::Kind::text:
      param.kind_ = Kind::text;
      param.value_.bytes = {form->text.data(), form->text.size()};
      if (form->text.data() == storage.data()) return std::move(param).owned();
      break;
    case SqlValue::Kind::blob:
      param.kind_ = Kind::blob;
      param.value_.bytes = {form->text.data(), form->text.size()};
      break;
    case SqlValue::Kind::uuid:
      param.kind_ = Kind::uuid;
      std::memcpy(param.value_.uuid, form->uuid, sizeof param.value_.uuid);
      break;
    case SqlValue::Kind::time:
      param.kind_ = Kind::time;
      param.value_.integer = form->integer;
      break;
  }
  return param;
}

Param&& Param::owned() && {
  if ((kind_ == Kind::text || kind_ == Kind::blob) && !kept_) {
    kept_ = std::make_unique<std::string>(bytes());
    value_.bytes = {kept_->data(), kept_->size()};
  }
  return std::move(*this);
}

Param Param::copy() const {
  Param copy;
  copy.kind_ = kind_;
  copy.value_ = value_;
  return std::move(copy).owned();
}

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + '"';
}

bool is_storable_text(std::string_view text) {
  if (text.empty()) return true;
  return !std::memchr(text.data(), 0, text.size()) && is_valid_utf8(text);
}

}  // namespace bedplate::sql
