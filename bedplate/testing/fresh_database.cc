// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/fresh_database.h"

#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bedplate/base/id.h"

namespace bedplate::testing {
namespace {

std::string (*g_url)() = nullptr;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bedplate test: %s\n", why.c_str());
  std::abort();
}

/// Runs one statement; "" or the server's words.
std::string run(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) return PQerrorMessage(connection.get());
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), PQclear);
  return PQresultStatus(result.get()) == PGRES_COMMAND_OK ? "" : PQerrorMessage(connection.get());
}

/// The same URL with another database: "postgresql://role:password@host/NAME?parameters".
std::string with_database(const std::string& url, const std::string& name) {
  const std::size_t authority = url.find("://");
  if (authority == std::string::npos)
    give_up("TEST_POSTGRESQL_URL is a URL: postgresql://role@host/database");
  const std::size_t parameters = std::min(url.find('?'), url.size());
  const std::size_t path = std::min(url.find('/', authority + 3), parameters);
  return url.substr(0, path) + "/" + name + url.substr(parameters);
}

}  // namespace

std::string postgresql_for_tests() {
  if (g_url) return g_url();
  const char* url = std::getenv("TEST_POSTGRESQL_URL");
  return url ? url : "";
}

bool use_postgresql_for_tests(std::string (*url)()) {
  g_url = url;
  return true;
}

bool has_postgresql_for_tests() {
  return g_url || !postgresql_for_tests().empty();
}

FreshDatabase::FreshDatabase(std::string_view engine) {
  if (engine == "sqlite") {
    directory_.emplace();
    url_ = "sqlite:" + directory_->path() + "/test.db";
    return;
  }
  if (engine != "postgresql") give_up("FreshDatabase: \"" + std::string(engine) + "\" is no engine");
  server_url_ = postgresql_for_tests();
  if (server_url_.empty()) give_up("FreshDatabase: set TEST_POSTGRESQL_URL");
  name_ = "test_" + new_uuid().to_string();
  std::ranges::replace(name_, '-', '_');
  if (const std::string wrong = run(server_url_, "CREATE DATABASE " + name_); !wrong.empty())
    give_up("CREATE DATABASE: " + wrong);
  url_ = with_database(server_url_, name_);
}

FreshDatabase::~FreshDatabase() {
  if (name_.empty()) return;
  if (const std::string wrong = run(server_url_, "DROP DATABASE " + name_ + " WITH (FORCE)"); !wrong.empty())
    std::fprintf(stderr, "bedplate test: %s is left behind: %s\n", name_.c_str(), wrong.c_str());
}

}  // namespace bedplate::testing
