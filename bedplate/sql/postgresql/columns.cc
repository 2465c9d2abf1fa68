// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/columns.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace bedplate::sql {
namespace {

template <class T>
T big_endian(const char* bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>((value << 8) | static_cast<unsigned char>(bytes[i]));
  return value;
}

std::int64_t signed_of(std::string_view bytes) {
  switch (bytes.size()) {
    case 1:
      return bytes[0] != 0;
    case 2:
      return static_cast<std::int16_t>(big_endian<std::uint16_t>(bytes.data()));
    case 4:
      return static_cast<std::int32_t>(big_endian<std::uint32_t>(bytes.data()));
    case 8:
      return static_cast<std::int64_t>(big_endian<std::uint64_t>(bytes.data()));
    default:
      return 0;
  }
}

constexpr Oid kRead[] = {oid::kBool, oid::kBytea,     oid::kInt8,        oid::kInt2,    oid::kInt4,
                         oid::kOid,  oid::kFloat4,    oid::kFloat8,      oid::kDate,    oid::kJsonb,
                         oid::kUuid, oid::kTimestamp, oid::kTimestamptz, oid::kNumeric, oid::kVoid};

}  // namespace

std::optional<PostgresqlNumeric> read_postgresql_numeric(std::string_view bytes) {
  constexpr std::size_t kHead = 8;
  constexpr std::uint16_t kNegative = 0x4000, kNan = 0xC000, kInfinity = 0xD000, kMinusInfinity = 0xF000;
  if (bytes.size() < kHead) return std::nullopt;
  const auto word = [&](std::size_t i) { return big_endian<std::uint16_t>(bytes.data() + 2 * i); };
  const std::size_t digits = word(0);
  const int weight = static_cast<std::int16_t>(word(1));
  const std::uint16_t sign = word(2);
  const std::uint16_t decimals = word(3);
  if (bytes.size() < kHead + 2 * digits) return std::nullopt;
  PostgresqlNumeric number;
  if (sign == kNan) return PostgresqlNumeric{.real = std::numeric_limits<double>::quiet_NaN(), .integer = {}};
  if (sign == kInfinity || sign == kMinusInfinity) {
    const double infinity = std::numeric_limits<double>::infinity();
    return PostgresqlNumeric{.real = sign == kInfinity ? infinity : -infinity, .integer = {}};
  }
  for (std::size_t i = 0; i < digits; ++i)
    number.real += word(4 + i) * std::pow(10'000.0, weight - static_cast<int>(i));
  if (sign == kNegative) number.real = -number.real;
  if (decimals != 0 || weight > 4) return number;
  // Negative all along: there is one negative number more than there are positive ones.
  std::int64_t whole = 0;
  for (int i = 0; i <= weight; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t digit = at < digits ? word(4 + at) : 0;
    if (__builtin_mul_overflow(whole, 10'000, &whole) || __builtin_sub_overflow(whole, digit, &whole))
      return number;
  }
  if (sign != kNegative && __builtin_sub_overflow(std::int64_t{0}, whole, &whole)) return number;
  number.integer = whole;
  return number;
}

std::optional<std::string> postgresql_numeric_digits(std::string_view bytes) {
  constexpr std::size_t kHead = 8;
  constexpr std::uint16_t kPositive = 0, kNegative = 0x4000;
  constexpr int kGroupsMax = 16;  // of four digits, on either side of the point
  if (bytes.size() < kHead) return std::nullopt;
  const auto word = [&](std::size_t i) { return big_endian<std::uint16_t>(bytes.data() + 2 * i); };
  const int groups = word(0);
  const int weight = static_cast<std::int16_t>(word(1));
  const std::uint16_t sign = word(2);
  if (bytes.size() < kHead + 2 * static_cast<std::size_t>(groups)) return std::nullopt;
  if ((sign != kPositive && sign != kNegative) || weight > kGroupsMax || weight - groups < -2 * kGroupsMax)
    return std::nullopt;
  std::string digits = sign == kNegative ? "-0" : "0";
  const auto append = [&](int group) {
    const unsigned value = group >= 0 && group < groups ? word(4 + static_cast<std::size_t>(group)) : 0;
    const std::string text = std::to_string(10'000 + value);
    digits.append(text, 1, 4);
  };
  for (int i = 0; i <= weight; ++i) append(i);
  if (weight + 1 < groups) digits += '.';
  for (int i = weight + 1; i < groups; ++i) append(i);
  return digits;
}

Result<void> PostgresqlColumns::check() const {
  for (int column = 0; column < count_; ++column) {
    const Oid type = PQftype(result_, column);
    bool known = oid::is_text(type);
    for (const Oid read : kRead) known = known || read == type;
    if (!known)
      return fail(Category::internal, "row_mismatch",
                  "The column " + std::string(name(column)) + " is of a type (oid " + std::to_string(type) +
                      ") that has no C++ form: select it as text, with ::text.");
  }
  return {};
}

ColumnKind PostgresqlColumns::kind(int column) const {
  if (PQgetisnull(result_, row_, column)) return ColumnKind::null;
  switch (PQftype(result_, column)) {
    case oid::kBool:
    case oid::kInt2:
    case oid::kInt4:
    case oid::kInt8:
    case oid::kOid:
    case oid::kTimestamptz:
    case oid::kTimestamp:
    case oid::kDate:
      return ColumnKind::integer;
    case oid::kFloat4:
    case oid::kFloat8:
      return ColumnKind::real;
    case oid::kNumeric: {
      const std::optional<PostgresqlNumeric> number = read_postgresql_numeric(bytes(column));
      return number && number->integer ? ColumnKind::integer : ColumnKind::real;
    }
    case oid::kUuid:
    case oid::kBytea:
      return ColumnKind::blob;
    case oid::kVoid:
      return ColumnKind::null;
    default:
      return ColumnKind::text;
  }
}

std::int64_t PostgresqlColumns::int64(int column) const {
  const std::string_view value = bytes(column);
  switch (PQftype(result_, column)) {
    case oid::kTimestamptz:
    case oid::kTimestamp: {
      const std::int64_t since_2000 = signed_of(value);
      std::int64_t since_1970 = 0;  // infinity is the largest number there is
      return __builtin_add_overflow(since_2000, kPostgresqlEpochUs, &since_1970) ? since_2000 : since_1970;
    }
    case oid::kDate:
      return signed_of(value) * kDayUs + kPostgresqlEpochUs;
    case oid::kOid:
      return static_cast<std::uint32_t>(signed_of(value));
    case oid::kNumeric: {
      const std::optional<PostgresqlNumeric> number = read_postgresql_numeric(value);
      return number && number->integer ? *number->integer : 0;
    }
    default:
      return signed_of(value);
  }
}

double PostgresqlColumns::real(int column) const {
  const std::string_view value = bytes(column);
  switch (PQftype(result_, column)) {
    case oid::kFloat8:
      return value.size() == 8 ? std::bit_cast<double>(big_endian<std::uint64_t>(value.data())) : 0;
    case oid::kFloat4:
      return value.size() == 4 ? std::bit_cast<float>(big_endian<std::uint32_t>(value.data())) : 0;
    default: {
      const std::optional<PostgresqlNumeric> number = read_postgresql_numeric(value);
      return number ? number->real : 0;
    }
  }
}

bool PostgresqlColumns::decimal(int column, std::string& digits) const {
  if (PQftype(result_, column) != oid::kNumeric) return false;
  std::optional<std::string> read = postgresql_numeric_digits(bytes(column));
  if (read) digits = std::move(*read);
  return read.has_value();
}

std::string_view PostgresqlColumns::text(int column) const {
  std::string_view value = bytes(column);
  if (PQftype(result_, column) == oid::kJsonb && !value.empty()) value.remove_prefix(1);  // its version
  return value;
}

}  // namespace bedplate::sql
