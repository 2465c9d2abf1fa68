// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/copy.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/base/log.h"
#include "bedplate/base/time.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/error.h"

namespace bedplate::sql {
namespace {

constexpr std::size_t kBlock = 64 << 10;  // what is gathered before it is given to libpq

// COPY's text format (PostgreSQL's documentation of COPY, "Text Format"): tabs between values, \N for null.
void write_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
}

void write_bytes(std::string& out, std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\\\x";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 0xf];
  }
}

class PostgresqlCopy final : public BulkInsert {
 public:
  PostgresqlCopy(PGconn* connection, std::size_t value_size_max_bytes, std::vector<Oid> types)
      : connection_(connection), value_size_max_bytes_(value_size_max_bytes), types_(std::move(types)) {}
  ~PostgresqlCopy() override {
    if (open_) static_cast<void>(end("given up"));
  }

  Result<void> add(std::span<const Param> row) override;
  Result<std::int64_t> finish() override;

 private:
  std::optional<Error> write(const Param& param, Oid type);
  Result<void> send();
  Result<std::int64_t> end(const char* reason);

  PGconn* connection_;
  const std::size_t value_size_max_bytes_;
  const std::vector<Oid> types_;
  std::string block_;
  bool open_ = true;
};

std::optional<Error> PostgresqlCopy::write(const Param& param, Oid type) {
  switch (param.kind()) {
    case Param::Kind::null:
      block_ += "\\N";
      return std::nullopt;
    case Param::Kind::boolean:
    case Param::Kind::integer:
      block_ += fmt::format_int(param.integer()).c_str();
      return std::nullopt;
    case Param::Kind::real:
      block_ += fmt::format("{}", param.real());
      return std::nullopt;
    case Param::Kind::text:
      if (!is_storable_text(param.bytes()))
        return Error(Category::invalid, kTextInvalid, "A text holds characters that cannot be stored.");
      [[fallthrough]];
    case Param::Kind::blob:
      if (param.bytes().size() > value_size_max_bytes_)
        return Error(Category::too_large, kValueTooLarge, "A value is larger than can be stored.");
      if (param.kind() == Param::Kind::text)
        write_text(block_, param.bytes());
      else
        write_bytes(block_, param.bytes());
      return std::nullopt;
    case Param::Kind::uuid: {
      const std::string_view bytes(reinterpret_cast<const char*>(param.uuid()), 16);
      if (type == oid::kBytea) {
        write_bytes(block_, bytes);
      } else {
        Uuid id;
        bytes.copy(reinterpret_cast<char*>(id.bytes.data()), 16);
        block_ += id.to_string();
      }
      return std::nullopt;
    }
    case Param::Kind::time:
      if (type == oid::kInt8)
        block_ += fmt::format_int(param.integer()).c_str();
      else
        block_ += to_rfc3339(Time(std::chrono::microseconds(param.integer())));
      return std::nullopt;
    case Param::Kind::unfit:
      break;
  }
  return postgresql_fault_of_ours();
}

Result<void> PostgresqlCopy::add(std::span<const Param> row) {
  if (row.size() != types_.size()) return std::unexpected(postgresql_fault_of_ours());
  const std::size_t before = block_.size();
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) block_ += '\t';
    if (std::optional<Error> wrong = write(row[i], types_[i])) {
      block_.resize(before);
      return std::unexpected(std::move(*wrong));
    }
  }
  block_ += '\n';
  if (block_.size() < kBlock) return {};
  return send();
}

Result<void> PostgresqlCopy::send() {
  const int sent = PQputCopyData(connection_, block_.data(), static_cast<int>(block_.size()));
  block_.clear();
  if (sent == 1) return {};
  Result<std::int64_t> ended = end(nullptr);
  if (!ended) return std::unexpected(std::move(ended.error()));
  return std::unexpected(postgresql_unavailable());
}

Result<std::int64_t> PostgresqlCopy::finish() {
  if (!open_) return std::unexpected(postgresql_fault_of_ours());
  if (!block_.empty())
    if (Result<void> sent = send(); !sent) return std::unexpected(std::move(sent.error()));
  return end(nullptr);
}

// `reason`: why it fails; null: it does not.
Result<std::int64_t> PostgresqlCopy::end(const char* reason) {
  open_ = false;
  PQputCopyEnd(connection_, reason);
  std::optional<Error> error;
  std::int64_t rows = 0;
  while (PostgresqlResult result = PostgresqlResult(PQgetResult(connection_))) {
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
      const std::string_view count = PQcmdTuples(result.get());
      std::from_chars(count.data(), count.data() + count.size(), rows);
    } else if (!error && !reason) {
      const bool lost = PQstatus(connection_) == CONNECTION_BAD;
      error = lost ? postgresql_unavailable() : postgresql_error(result.get(), "COPY");
    }
  }
  if (error) return std::unexpected(std::move(*error));
  return rows;
}

}  // namespace

Result<std::unique_ptr<BulkInsert>> start_postgresql_copy(PGconn* connection,
                                                          std::size_t value_size_max_bytes,
                                                          std::string_view table,
                                                          std::span<const std::string_view> columns) {
  std::string names;
  for (std::string_view column : columns) names += (names.empty() ? "" : ", ") + quoted_name(column);
  const std::string look = "SELECT " + names + " FROM " + quoted_name(table) + " LIMIT 0";
  const PostgresqlResult shape(PQexec(connection, look.c_str()));
  if (PQresultStatus(shape.get()) != PGRES_TUPLES_OK)
    return std::unexpected(postgresql_error(shape.get(), look));
  std::vector<Oid> types;
  for (int i = 0; i < PQnfields(shape.get()); ++i) types.push_back(PQftype(shape.get(), i));
  const std::string copy = "COPY " + quoted_name(table) + " (" + names + ") FROM STDIN";
  const PostgresqlResult begun(PQexec(connection, copy.c_str()));
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN)
    return std::unexpected(postgresql_error(begun.get(), copy));
  return std::make_unique<PostgresqlCopy>(connection, value_size_max_bytes, std::move(types));
}

}  // namespace bedplate::sql
