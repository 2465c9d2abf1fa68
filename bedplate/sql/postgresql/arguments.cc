// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/arguments.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/error.h"

namespace bedplate::sql {
namespace {

Error out_of_range() {
  return Error(Category::invalid, kCheckViolation, "A number is larger than can be stored.");
}

Error unfit(const char* what, Oid type) {
  log_error("a parameter does not fit what the statement needs", {{"parameter", what}, {"type_oid", type}});
  return postgresql_fault_of_ours();
}

template <class T>
bool fits(std::int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

std::optional<Error> PostgresqlArguments::set(std::span<const Param> params, std::span<const Oid> types,
                                              std::size_t value_size_max_bytes) {
  values_.resize(params.size());
  lengths_.resize(params.size());
  formats_.resize(params.size());
  if (scratch_.size() < params.size()) scratch_.resize(params.size());
  if (!kept_.empty()) kept_.clear();
  for (std::size_t i = 0; i < params.size(); ++i) {
    const Param::Kind kind = params[i].kind();
    if ((kind == Param::Kind::text || kind == Param::Kind::blob) &&
        params[i].bytes().size() > value_size_max_bytes)
      return Error(Category::too_large, kValueTooLarge, "A value is larger than can be stored.");
    if (std::optional<Error> wrong = set_one(i, params[i], types[i])) return wrong;
  }
  return std::nullopt;
}

std::optional<Error> PostgresqlArguments::set_one(std::size_t i, const Param& param, Oid type) {
  switch (param.kind()) {
    case Param::Kind::null:
      values_[i] = nullptr;
      lengths_[i] = 0;
      formats_[i] = 1;
      return std::nullopt;
    case Param::Kind::boolean:
    case Param::Kind::integer:
      return set_integer(i, param.integer(), type);
    case Param::Kind::real:
      return set_real(i, param.real(), type);
    case Param::Kind::text:
      return set_text(i, param.bytes(), type);
    case Param::Kind::blob:
      return set_blob(i, param.bytes(), type);
    case Param::Kind::uuid:
      return set_uuid(i, param.uuid(), type);
    case Param::Kind::time:
      return set_time(i, param.integer(), type);
    case Param::Kind::unfit:
      break;
  }
  return unfit("a value without a SQL form", type);
}

template <class T>
std::optional<Error> PostgresqlArguments::set_big_endian(std::size_t i, T value) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  const auto bits = std::bit_cast<Bits>(value);
  unsigned char* out = scratch_[i].bytes;
  for (std::size_t byte = 0; byte < sizeof bits; ++byte)
    out[byte] = static_cast<unsigned char>(bits >> (8 * (sizeof bits - 1 - byte)));
  return set_bytes(i, out, sizeof bits);
}

std::optional<Error> PostgresqlArguments::set_bytes(std::size_t i, const void* data, std::size_t size) {
  values_[i] = size > 0 ? static_cast<const char*>(data) : "";  // no address would be NULL
  lengths_[i] = static_cast<int>(size);
  formats_[i] = 1;
  return std::nullopt;
}

// The type's text form, which every type has.
std::optional<Error> PostgresqlArguments::set_copy(std::size_t i, std::string_view text) {
  values_[i] = kept_.emplace_back(text).c_str();
  lengths_[i] = 0;
  formats_[i] = 0;
  return std::nullopt;
}

std::optional<Error> PostgresqlArguments::set_integer(std::size_t i, std::int64_t value, Oid type) {
  switch (type) {
    case oid::kInt8:
      return set_big_endian(i, value);
    case oid::kInt4:
      if (!fits<std::int32_t>(value)) return out_of_range();
      return set_big_endian(i, static_cast<std::int32_t>(value));
    case oid::kInt2:
      if (!fits<std::int16_t>(value)) return out_of_range();
      return set_big_endian(i, static_cast<std::int16_t>(value));
    case oid::kFloat8:
      return set_big_endian(i, static_cast<double>(value));
    case oid::kFloat4:
      return set_big_endian(i, static_cast<float>(value));
    case oid::kBool: {
      scratch_[i].bytes[0] = value != 0;
      return set_bytes(i, scratch_[i].bytes, 1);
    }
    default:
      return set_copy(i, fmt::format_int(value).str());
  }
}

std::optional<Error> PostgresqlArguments::set_real(std::size_t i, double value, Oid type) {
  if (type == oid::kFloat8) return set_big_endian(i, value);
  if (type == oid::kFloat4) return set_big_endian(i, static_cast<float>(value));
  return set_copy(i, fmt::format("{}", value));
}

std::optional<Error> PostgresqlArguments::set_text(std::size_t i, std::string_view text, Oid type) {
  if (!text.empty() && std::memchr(text.data(), 0, text.size()))
    return Error(Category::invalid, kTextInvalid, "A text holds characters that cannot be stored.");
  if (oid::is_text(type)) return set_bytes(i, text.data(), text.size());
  return set_copy(i, text);
}

std::optional<Error> PostgresqlArguments::set_blob(std::size_t i, std::string_view bytes, Oid type) {
  if (type == oid::kBytea || (type == oid::kUuid && bytes.size() == 16))
    return set_bytes(i, bytes.data(), bytes.size());
  return unfit("bytes", type);
}

std::optional<Error> PostgresqlArguments::set_uuid(std::size_t i, const unsigned char* uuid, Oid type) {
  if (type == oid::kUuid || type == oid::kBytea) return set_bytes(i, uuid, 16);
  if (!oid::is_text(type)) return unfit("a uuid", type);
  Uuid id;
  std::memcpy(id.bytes.data(), uuid, 16);
  id.write(reinterpret_cast<char*>(scratch_[i].bytes));
  return set_bytes(i, scratch_[i].bytes, 36);
}

std::optional<Error> PostgresqlArguments::set_time(std::size_t i, std::int64_t microseconds, Oid type) {
  if (type == oid::kInt8) return set_big_endian(i, microseconds);
  if (microseconds < std::numeric_limits<std::int64_t>::min() + kPostgresqlEpochUs) return out_of_range();
  const std::int64_t since_2000 = microseconds - kPostgresqlEpochUs;
  if (type == oid::kTimestamptz || type == oid::kTimestamp) return set_big_endian(i, since_2000);
  if (type == oid::kDate) return set_big_endian(i, static_cast<std::int32_t>(floor_div(since_2000, kDayUs)));
  return unfit("a time", type);
}

}  // namespace bedplate::sql
