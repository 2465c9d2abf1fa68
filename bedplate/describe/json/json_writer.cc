// SPDX-License-Identifier: Apache-2.0
// Writing described values as JSON.
#include <charconv>
#include <cmath>
#include <cstring>

#include "bedplate/base/id.h"
#include "bedplate/base/text.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/bytes16.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/json/json_value.h"
#include "bedplate/describe/unrepresentable.h"

namespace bedplate {

namespace {

constexpr std::string_view kMask = "\"***\"";

class Writer {
 public:
  Writer(Buffer& out, View view) : out_(out), mask_secrets_(view == View::diagnostic) {
    if (view == View::input) left_out_ = kReadOnly;
    if (view == View::output) left_out_ = kWriteOnly;
  }

  void write_value(const TypeInfo& type, const void* value);
  /// Whether everything had a JSON form.
  bool complete() const { return complete_; }

 private:
  void write_string(const void* value) { append_json_string(out_, *static_cast<const std::string*>(value)); }
  void write_null() { out_.append("null"); }
  void write_unrepresentable() {
    complete_ = false;
    write_null();
  }
  void write_integer(const TypeInfo& type, const void* value);
  void write_real(const TypeInfo& type, const void* value);
  void write_enumeration(const TypeInfo& type, const void* value);
  void write_uuid(const void* value);
  void write_time(const void* value);
  void write_scalar(const TypeInfo& type, const void* value);
  void write_list(const TypeInfo& type, const void* value);
  void write_map(const TypeInfo& type, const void* value);
  void write_variant(const TypeInfo& type, const void* value);
  void write_object(const ObjectInfo& object, const void* value, const VariantOps* tagged = nullptr,
                    std::size_t alternative = 0);
  bool is_left_out(const ObjectInfo& object, const FieldInfo& field, const void* value) const;

  Buffer& out_;
  std::uint16_t left_out_ = 0;  ///< fields with any of these flags
  const bool mask_secrets_;
  bool complete_ = true;
  std::string scratch_;
};

void Writer::write_value(const TypeInfo& type, const void* value) {
  switch (type.kind) {
    case Kind::string:
      return write_string(value);
    case Kind::integer:
      return write_integer(type, value);
    case Kind::boolean:
      return out_.append(*static_cast<const bool*>(value) ? "true" : "false");
    case Kind::real:
      return write_real(type, value);
    case Kind::enumeration:
      return write_enumeration(type, value);
    case Kind::uuid:
      return write_uuid(value);
    case Kind::time:
      return write_time(value);
    case Kind::json:
      return out_.append(static_cast<const Json*>(value)->text());
    case Kind::scalar:
      return write_scalar(type, value);
    case Kind::optional:
      if (const void* inside = type.optional->get(value); inside != nullptr)
        return write_value(*type.element, inside);
      return write_null();
    case Kind::patch:
      if (type.patch->state(value) == PatchState::value)
        return write_value(*type.element, type.patch->get(value));
      return write_null();
    case Kind::list:
      return write_list(type, value);
    case Kind::map:
      return write_map(type, value);
    case Kind::object:
      return write_object(type.object(), value);
    case Kind::variant:
      return write_variant(type, value);
  }
}

void Writer::write_integer(const TypeInfo& type, const void* value) {
  const std::int64_t integer = load_integer(value, type.width, type.is_signed);
  char* const to = out_.need(kIntSizeMax);
  out_.advance_to(type.is_signed ? write_int(to, integer)
                                 : write_uint(to, static_cast<std::uint64_t>(integer)));
}

void Writer::write_real(const TypeInfo& type, const void* value) {
  char* const to = out_.need(kDoubleSizeMax);
  if (type.width == 4) {
    const float real = *static_cast<const float*>(value);
    if (!std::isfinite(real)) return write_unrepresentable();
    return out_.advance_to(std::to_chars(to, to + kDoubleSizeMax, real).ptr);
  }
  const double real = *static_cast<const double*>(value);
  if (!std::isfinite(real)) return write_unrepresentable();
  out_.advance_to(write_double(to, real));
}

void Writer::write_enumeration(const TypeInfo& type, const void* value) {
  const std::string_view name = type.enumeration().name_of(load_integer(value, type.width, type.is_signed));
  if (name.empty()) return write_unrepresentable();
  char* to = out_.need(name.size() + 2);
  *to++ = '"';
  std::memcpy(to, name.data(), name.size());
  to += name.size();
  *to++ = '"';
  out_.advance_to(to);
}

void Writer::write_uuid(const void* value) {
  constexpr std::size_t kTextSize = 36;
  char* const to = out_.need(kTextSize + 2);
  to[0] = '"';
  static_cast<const Uuid*>(value)->write(to + 1);
  to[kTextSize + 1] = '"';
  out_.advance_to(to + kTextSize + 2);
}

void Writer::write_time(const void* value) {
  char* const to = out_.need(kRfc3339SizeMax + 2);
  const std::size_t size = write_rfc3339(*static_cast<const Time*>(value), to + 1);
  if (size == 0) return write_unrepresentable();
  to[0] = '"';
  to[size + 1] = '"';
  out_.advance_to(to + size + 2);
}

void Writer::write_scalar(const TypeInfo& type, const void* value) {
  scratch_.clear();
  if (!type.scalar->write(value, scratch_)) return write_unrepresentable();
  out_.put('"');
  out_.append(scratch_);
  out_.put('"');
}

void Writer::write_list(const TypeInfo& type, const void* value) {
  const ListView list = type.list->view(value);
  const TypeInfo& element = *type.element;
  const char* item = static_cast<const char*>(list.data);
  out_.put('[');
  for (std::size_t i = 0; i < list.size; ++i, item += element.size) {
    if (i > 0) out_.put(',');
    write_value(element, item);
  }
  out_.put(']');
}

void Writer::write_map(const TypeInfo& type, const void* value) {
  struct Context {
    Writer& writer;
    const TypeInfo& element;
    bool first = true;
  } context{*this, *type.element};
  out_.put('{');
  type.map->each(value, &context, [](void* at, std::string_view key, const void* item) {
    Context& c = *static_cast<Context*>(at);
    if (!c.first) c.writer.out_.put(',');
    c.first = false;
    append_json_string(c.writer.out_, key);
    c.writer.out_.put(':');
    c.writer.write_value(c.element, item);
  });
  out_.put('}');
}

void Writer::write_variant(const TypeInfo& type, const void* value) {
  const VariantOps& variant = *type.variant;
  const std::size_t at = variant.index(value);
  if (at >= variant.count) return write_unrepresentable();  // valueless by exception
  if (!variant.discriminator.empty())
    return write_object(variant.alternatives[at]->object(), variant.get(value), &variant, at);
  out_.append("{\"");
  out_.append(variant.tags[at]);
  out_.append("\":");
  write_value(*variant.alternatives[at], variant.get(value));
  out_.put('}');
}

bool Writer::is_left_out(const ObjectInfo& object, const FieldInfo& field, const void* value) const {
  if ((field.flags & left_out_) != 0) return true;
  const TypeInfo& type = *field.type;
  if (type.kind == Kind::patch) return type.patch->state(field.in(value)) == PatchState::absent;
  if (!object.is_given(field, value)) return true;
  return field.has(kOmitNull) && type.optional->get(field.in(value)) == nullptr;
}

void Writer::write_object(const ObjectInfo& object, const void* value, const VariantOps* tagged,
                          std::size_t alternative) {
  std::size_t comma = 1;  // the first key goes without
  out_.put('{');
  if (tagged != nullptr) [[unlikely]] {
    append_json_string(out_, tagged->discriminator);
    out_.put(':');
    append_json_string(out_, tagged->tags[alternative]);
    comma = 0;
  }
  for (const FieldInfo& field : object.all()) {
    const void* const member = field.in(value);
    const TypeInfo& type = *field.type;
    if (((field.flags & (left_out_ | kOmitNull | kMayBeAbsent)) != 0 || type.kind == Kind::patch) &&
        is_left_out(object, field, value))
      continue;
    // The key's text has 16 bytes behind it, so that one store writes most keys.
    const char* const key = field.key + comma;
    const std::size_t size = field.key_size - comma;
    comma = 0;
    char* const to = out_.need(size + 16);
    detail::Bytes16::load(key).store(to);
    if (size > 16) [[unlikely]]
      std::memcpy(to + 16, key + 16, size - 16);
    out_.advance_to(to + size);
    if (mask_secrets_ && (field.flags & (kSecret | kPersonal | kWriteOnly)) != 0) [[unlikely]]
      out_.append(kMask);
    else
      write_value(type, member);
  }
  out_.put('}');
}

}  // namespace

bool write_json(Buffer& out, const TypeInfo& type, const void* value, View view, Faults* faults) {
  Writer writer(out, view);
  writer.write_value(type, value);
  if (!writer.complete() && faults != nullptr) detail::report_unrepresentable(type, value, *faults);
  return writer.complete();
}

bool append_json(std::string& out, const TypeInfo& type, const void* value, View view) {
  Buffer buffer;
  const bool complete = write_json(buffer, type, value, view);
  out.append(buffer.view());
  return complete;
}

}  // namespace bedplate
