// SPDX-License-Identifier: Apache-2.0
// Values with one text form, beside those that table.h has a Kind for. As JSON they are strings.
//
//   Decimal    "12.50"         exact, 38 digits (base/decimal.h)      NUMERIC on PostgreSQL, TEXT on SQLite
//   Date       "2026-11-30"    RFC 3339 full-date (base/date.h)       date on PostgreSQL, TEXT on SQLite
//   Duration   "PT1H30M"       ISO 8601 (base/date.h)                 BIGINT or INTEGER, microseconds
//   Bytes      "SGVsbG8="      base64 with padding, RFC 4648          bytea on PostgreSQL, BLOB on SQLite
//   Currency   "EUR"           ISO 4217 (money.h)                     TEXT
//
// On SQLite a Date sorts right as text; a Decimal does not ("10" comes before "9"): sort by `CAST(price AS REAL)`,
// which is exact to 15 digits, and declare the column TEXT, because a column of NUMERIC affinity would keep a binary
// fraction. Equal decimals are equal texts on both engines. The rule `length` counts the bytes of a Bytes.
//
// Another type joins by a specialisation of detail::ScalarForm with a `static const ScalarOps kOps`, and nothing else
// is edited: readers, writers, schemas, settings and rows take it from there.
#pragma once

#include <cstddef>
#include <vector>

#include "bedplate/base/date.h"
#include "bedplate/describe/table.h"

namespace bedplate {

class Currency;  // money.h
class Decimal;   // base/decimal.h

/// Bytes as they are.
using Bytes = std::vector<std::byte>;

namespace detail {

template <class T>
struct ScalarForm {};
template <>
struct ScalarForm<bedplate::Decimal> {
  static const ScalarOps kOps;
};
template <>
struct ScalarForm<Date> {
  static const ScalarOps kOps;
};
template <>
struct ScalarForm<Duration> {
  static const ScalarOps kOps;
};
template <>
struct ScalarForm<Bytes> {
  static const ScalarOps kOps;
};
template <>
struct ScalarForm<Currency> {
  static const ScalarOps kOps;
};

template <class T>
concept IsScalarForm = requires { ScalarForm<T>::kOps; };

}  // namespace detail
}  // namespace bedplate
