// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace bedplate::e2e {

namespace {

std::vector<std::string> serve_arguments(const std::string& directory, const Server::Options& options) {
  std::vector<std::string> arguments = {binary(), "serve", "--data", directory, "--listen", options.listen};
  std::vector<std::string> settings = {
      "server.threads=2",
      "rate_limit.enabled=false",
      "identity.password_memory_kib=19456",
      "server.header_timeout_ms=60000",
      "server.body_timeout_ms=60000",
      "server.request_timeout_ms=60000",
      "database.postgresql.connect_timeout_ms=60000",
      "database.read_timeout_ms=60000",
      "database.command_timeout_ms=60000",
      "database.busy_timeout_ms=60000",
  };
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
  return arguments;
}

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "end-to-end test: %s\n", what.c_str());
  std::abort();
}

}  // namespace

std::string binary() {
  return BEDPLATE_BINARY;
}

Output run(std::vector<std::string> arguments, const Process::Environment& environment) {
  arguments.insert(arguments.begin(), binary());
  return Process::run(std::move(arguments), environment);
}

std::string run_well(std::vector<std::string> arguments, const Process::Environment& environment) {
  const std::string name = arguments.front();
  Output output = run(std::move(arguments), environment);
  EXPECT_EQ(output.exit.status, 0) << name << ": " << output.err;
  EXPECT_EQ(output.exit.signal, 0) << name << ": " << output.err;
  return output.out;
}

Server::Server(const std::string& directory) : Server(directory, Options{}) {}

Server::Server(const std::string& directory, const Options& options)
    : directory_(directory), process_(serve_arguments(directory, options)) {
  const std::string line = process_.read_line();
  const std::size_t at = line.find("http");
  if (at == std::string::npos) die("the server did not start: " + line + "\n" + process_.err());
  url_ = line.substr(at);
}

std::string Server::operations_url() const {
  std::string url = "http+unix://";
  for (const char c : directory_ + "/operations.sock") url += c == '/' ? "%2F" : std::string(1, c);
  return url;
}

Exit Server::terminate() {
  process_.kill(SIGTERM);
  return process_.wait();
}

void Server::kill() {
  process_.kill(SIGKILL);
  const Exit exit = process_.wait();
  EXPECT_EQ(exit.signal, SIGKILL) << process_.err();
}

std::string credentials(std::string_view email, std::string_view password) {
  return R"({"email":")" + std::string(email) + R"(","password":")" + std::string(password) + R"("})";
}

HttpFields bearer(const std::string& access_token) {
  return {{"Authorization", "Bearer " + access_token}};
}

Tokens tokens_in(const HttpResponse& response) {
  const Json grant = Json::parse(response.body);
  EXPECT_TRUE(grant["access_token"].is_text()) << response.status << " " << response.body;
  return {grant["access_token"].text(), grant["refresh_token"].text()};
}

User::User(const Server& server, std::string email) : http_(server.url()), email_(std::move(email)) {
  tokens_ = tokens_in(http_.post("/v1/auth/signup", credentials(email_)));
}

User::User(const Server& server, std::string email, Tokens tokens)
    : http_(server.url()), email_(std::move(email)), tokens_(std::move(tokens)) {}

HttpResponse User::call(std::string_view method, std::string_view target, std::string_view body,
                        HttpFields fields) {
  fields.emplace_back("Authorization", "Bearer " + tokens_.access);
  const bool has_type =
      std::ranges::any_of(fields, [](auto& field) { return field.first == "Content-Type"; });
  if (!body.empty() && !has_type) fields.emplace_back("Content-Type", "application/json");
  return http_.request(method, target, fields, body);
}

std::string User::create(std::string_view title) {
  const HttpResponse made = call("POST", "/v1/tasks", R"({"title":")" + std::string(title) + R"("})");
  EXPECT_EQ(made.status, 201) << made.body;
  return Json::parse(made.body)["id"].text();
}

std::vector<std::string> User::all_tasks() {
  std::vector<std::string> ids;
  std::string target = "/v1/tasks?limit=100&sort=created_at";
  while (!target.empty()) {
    const HttpResponse response = call("GET", target);
    EXPECT_EQ(response.status, 200) << response.body;
    const Json page = Json::parse(response.body);
    for (const Json& task : page["data"].items()) ids.push_back(task["id"].text());
    const std::string& cursor = page["pagination"]["next_cursor"].text();
    target = cursor.empty() ? "" : "/v1/tasks?limit=100&sort=created_at&cursor=" + cursor;
  }
  return ids;
}

DatabaseFile::DatabaseFile(const std::string& path) {
  if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
    die("cannot open " + path);
  sqlite3_busy_timeout(db_, 60'000);
}

void DatabaseFile::make(const std::string& path) {
  std::ofstream(path).flush();  // to SQLite a file without a byte is an empty database
}

DatabaseFile::~DatabaseFile() {
  sqlite3_close_v2(db_);
}

std::vector<std::string> DatabaseFile::column(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    die(sql + ": " + sqlite3_errmsg(db_));
  std::vector<std::string> rows;
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    const unsigned char* text = sqlite3_column_text(statement, 0);
    rows.emplace_back(text ? reinterpret_cast<const char*>(text) : "");
  }
  if (code != SQLITE_DONE) die(sql + ": " + sqlite3_errmsg(db_));
  sqlite3_finalize(statement);
  return rows;
}

std::int64_t DatabaseFile::count(const std::string& sql) const {
  const std::vector<std::string> rows = column(sql);
  return rows.empty() ? -1 : std::atoll(rows.front().c_str());
}

void DatabaseFile::run(const std::string& sql) const {
  column(sql);
}

}  // namespace bedplate::e2e
