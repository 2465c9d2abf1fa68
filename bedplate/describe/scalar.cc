// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/scalar.h"

#include <algorithm>
#include <string>

#include "bedplate/base/decimal.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/money.h"

namespace bedplate::detail {
namespace {

// ---- Decimal

const char* read_decimal(std::string_view text, void* value) {
  const std::optional<Decimal> read = Decimal::parse(text);
  if (!read) return "must be a decimal number of at most 38 digits, such as 12.50";
  *static_cast<Decimal*>(value) = *read;
  return nullptr;
}
bool write_decimal(const void* value, std::string& out) {
  out += static_cast<const Decimal*>(value)->to_string();
  return true;
}
bool decimal_from_integer(std::int64_t integer, void* value) {
  *static_cast<Decimal*>(value) = Decimal(integer);
  return true;
}

// ---- Date

constexpr std::int64_t kDayUs = 86'400'000'000;

const char* read_date(std::string_view text, void* value) {
  const std::optional<Date> read = parse_date(text);
  if (!read) return "must be a date, such as 2026-11-30";
  *static_cast<Date*>(value) = *read;
  return nullptr;
}
bool write_date(const void* value, std::string& out) {
  const std::string text = to_date_text(*static_cast<const Date*>(value));
  out += text;
  return !text.empty();
}
/// PostgreSQL's driver gives the midnight of a date, in microseconds.
bool date_from_integer(std::int64_t integer, void* value) {
  if (integer % kDayUs != 0) return false;
  *static_cast<Date*>(value) = Date(std::chrono::days(integer / kDayUs));
  return true;
}

// ---- Duration

const char* read_duration(std::string_view text, void* value) {
  const std::optional<Duration> read = parse_duration(text);
  if (!read) return "must be a duration of days, hours, minutes and seconds, such as PT1H30M";
  *static_cast<Duration*>(value) = *read;
  return nullptr;
}
bool write_duration(const void* value, std::string& out) {
  out += to_iso8601(*static_cast<const Duration*>(value));
  return true;
}
std::int64_t duration_to_integer(const void* value) {
  return static_cast<const Duration*>(value)->count();
}
bool duration_from_integer(std::int64_t integer, void* value) {
  *static_cast<Duration*>(value) = Duration(integer);
  return true;
}

// ---- Bytes: base64 is base64url with two other letters, and padding

constexpr std::size_t kGroup = 4;

const char* read_bytes(std::string_view text, void* value) {
  constexpr const char* kWrong = "must be base64 with padding (RFC 4648 section 4)";
  if (text.size() % kGroup != 0 || text.find_first_of("-_") != text.npos) return kWrong;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  const std::optional<std::string> read = from_base64url(url);
  if (!read) return kWrong;
  const auto* const first = reinterpret_cast<const std::byte*>(read->data());
  static_cast<Bytes*>(value)->assign(first, first + read->size());
  return nullptr;
}
bool write_bytes(const void* value, std::string& out) {
  const Bytes& bytes = *static_cast<const Bytes*>(value);
  std::string text = to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((kGroup - text.size() % kGroup) % kGroup, '=');
  out += text;
  return true;
}

// ---- Currency

const char* read_currency(std::string_view text, void* value) {
  const std::optional<Currency> read = Currency::parse(text);
  if (!read) return "must be a currency code of ISO 4217, such as EUR";
  *static_cast<Currency*>(value) = *read;
  return nullptr;
}
bool write_currency(const void* value, std::string& out) {
  out += static_cast<const Currency*>(value)->code();
  return true;
}

}  // namespace

constinit const ScalarOps ScalarForm<bedplate::Decimal>::kOps = {.read = &read_decimal,
                                                                 .write = &write_decimal,
                                                                 .word = "decimal",
                                                                 .format = "decimal",
                                                                 .pattern = R"(^-?[0-9]{1,38}(\.[0-9]+)?$)",
                                                                 .encoding = {},
                                                                 .sql = SqlForm::decimal,
                                                                 .from_integer = &decimal_from_integer};

constinit const ScalarOps ScalarForm<Date>::kOps = {.read = &read_date,
                                                    .write = &write_date,
                                                    .word = "date",
                                                    .format = "date",
                                                    .pattern = {},
                                                    .encoding = {},
                                                    .sql = SqlForm::date,
                                                    .from_integer = &date_from_integer};

constinit const ScalarOps ScalarForm<Duration>::kOps = {.read = &read_duration,
                                                        .write = &write_duration,
                                                        .word = "duration",
                                                        .format = "duration",
                                                        .pattern = {},
                                                        .encoding = {},
                                                        .sql = SqlForm::integer,
                                                        .to_integer = &duration_to_integer,
                                                        .from_integer = &duration_from_integer};

constinit const ScalarOps ScalarForm<Bytes>::kOps = {
    .read = &read_bytes,
    .write = &write_bytes,
    .word = "base64 text",
    .format = {},
    .pattern = R"(^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$)",
    .encoding = "base64",
    .sql = SqlForm::blob};

constinit const ScalarOps ScalarForm<Currency>::kOps = {.read = &read_currency,
                                                        .write = &write_currency,
                                                        .word = "currency code",
                                                        .format = {},
                                                        .pattern = "^[A-Z]{3}$",
                                                        .encoding = {},
                                                        .sql = SqlForm::text};

}  // namespace bedplate::detail
