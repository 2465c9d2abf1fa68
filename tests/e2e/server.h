// SPDX-License-Identifier: Apache-2.0
// The server binary under test, and a user of it.
//
//   TempDir directory;
//   Server server(directory.path());
//   User ada(server, "ada@example.com");
//   EXPECT_EQ(ada.call("GET", "/v1/tasks").status, 200);
//   EXPECT_EQ(server.terminate().status, 0);        // SIGTERM; its sanitizers have had their say too
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/testing/http.h"
#include "bedplate/testing/json.h"
#include "bedplate/testing/process.h"
#include "bedplate/testing/temp_dir.h"
#include "tests/kits/patience_kit.h"

struct sqlite3;

namespace bedplate::e2e {

using testing::Exit;
using testing::HttpConnection;
using testing::HttpFields;
using testing::HttpResponse;
using testing::Json;
using testing::Output;
using testing::Process;
using testing::TempDir;
using testing::wait_until;
using testing::with_growing_limits;

/// Where the build has put the binary.
std::string binary();
/// Runs it to its end: run({"migrate", "up", "--data", directory}).
Output run(std::vector<std::string> arguments, const Process::Environment& environment = {});
/// The same, for a command that must succeed; its standard output.
std::string run_well(std::vector<std::string> arguments, const Process::Environment& environment = {});

class Server {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";
    /// After --set, beside those that every test needs: two loops, cheap password hashes, no rate limits, and patience
    /// with a machine that is busy with other tests. Later ones win.
    std::vector<std::string> settings;
  };

  /// Starts it on `directory` and waits for its line. Aborts with what it said when it does not start.
  explicit Server(const std::string& directory);
  Server(const std::string& directory, const Options& options);

  const std::string& url() const { return url_; }
  /// Of /healthz and /metrics, where telemetry.listen is not set.
  std::string operations_url() const;
  const std::string& directory() const { return directory_; }
  Process& process() { return process_; }
  const Process& process() const { return process_; }
  /// SIGTERM, and how it ended.
  Exit terminate();
  /// SIGKILL: it ends between two of its instructions.
  void kill();

 private:
  std::string directory_;
  Process process_;
  std::string url_;
};

/// The tokens of a session.
struct Tokens {
  std::string access;
  std::string refresh;
};

constexpr std::string_view kPassword = "correct horse battery staple";

std::string credentials(std::string_view email, std::string_view password = kPassword);
HttpFields bearer(const std::string& access_token);
/// The tokens in the answer to a sign-up, a log-in or a refresh.
Tokens tokens_in(const HttpResponse& response);

/// Somebody who has signed up or logged in, on a connection of their own.
class User {
 public:
  /// Signs up.
  User(const Server& server, std::string email);
  User(const Server& server, std::string email, Tokens tokens);

  /// With the access token, and as JSON when there is a body and the fields say nothing else.
  HttpResponse call(std::string_view method, std::string_view target, std::string_view body = {},
                    HttpFields fields = {});
  /// Creates a task; its id.
  std::string create(std::string_view title);
  /// Ids of every task, read page by page through the cursor.
  std::vector<std::string> all_tasks();

  const std::string& email() const { return email_; }
  Tokens& tokens() { return tokens_; }
  HttpConnection& http() { return http_; }

 private:
  HttpConnection http_;
  std::string email_;
  Tokens tokens_;
};

/// The database as its file says it, past the server. Aborts on SQL that does not run.
class DatabaseFile {
 public:
  explicit DatabaseFile(const std::string& path);
  /// An empty database, with no schema at all.
  static void make(const std::string& path);
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;
  ~DatabaseFile();

  /// The first column of every row, as text.
  std::vector<std::string> column(const std::string& sql) const;
  std::int64_t count(const std::string& sql) const;
  /// A change made behind the server's back.
  void run(const std::string& sql) const;

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace bedplate::e2e
