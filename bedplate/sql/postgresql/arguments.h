// SPDX-License-Identifier: Apache-2.0
// The parameters of a statement as libpq takes them: in the binary form of the types that the server asked
// for. Private header of the driver.
//
// The server says what each $n is (from the column that it meets, and so on), and the value is converted to
// that: an integer goes to an int4, a numeric or a text column alike, a Time to a timestamptz or to a bigint
// that counts microseconds. What it cannot work out it takes for text: write `$1::bigint` in `SELECT $1`.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/postgresql/handle.h"

namespace bedplate::sql {

/// Used again for each statement, so that it allocates nothing once it is warm.
class PostgresqlArguments {
 public:
  /// Converts all; `params` are as many as `types`, and outlive the use of it. Nothing, or why not.
  std::optional<Error> set(std::span<const Param> params, std::span<const Oid> types,
                           std::size_t value_size_max_bytes);

  int count() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  struct Scratch {
    unsigned char bytes[48];
  };
  std::optional<Error> set_one(std::size_t i, const Param& param, Oid type);
  std::optional<Error> set_integer(std::size_t i, std::int64_t value, Oid type);
  std::optional<Error> set_real(std::size_t i, double value, Oid type);
  std::optional<Error> set_text(std::size_t i, std::string_view text, Oid type);
  std::optional<Error> set_blob(std::size_t i, std::string_view bytes, Oid type);
  std::optional<Error> set_uuid(std::size_t i, const unsigned char* uuid, Oid type);
  std::optional<Error> set_time(std::size_t i, std::int64_t microseconds, Oid type);
  template <class T>
  std::optional<Error> set_big_endian(std::size_t i, T value);
  std::optional<Error> set_bytes(std::size_t i, const void* data, std::size_t size);
  std::optional<Error> set_copy(std::size_t i, std::string_view text);

  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::vector<Scratch> scratch_;
  std::deque<std::string> kept_;  ///< texts that need a terminator: their addresses stay
};

}  // namespace bedplate::sql
