// SPDX-License-Identifier: Apache-2.0
// The operators' listener: where /healthz and /metrics are, who reaches them, and the commands that ask there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server.h"

namespace bedplate::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Output serve_in_vain(const std::string& directory, const std::string& operations) {
  return run(
      {"serve", "--data", directory, "--listen", "127.0.0.1:0", "--set", "telemetry.listen=" + operations});
}

/// What the server logged as the place of its operations listener.
std::string logged_address(const Server& server) {
  constexpr std::string_view kKey = R"("address":"http)";
  const std::string log = server.process().err();
  std::size_t at = log.find(kKey);
  if (at == std::string::npos) return "";
  at += kKey.size() - 4;
  return log.substr(at, log.find('"', at) - at);
}

class OperationsListener : public ::testing::Test {
 protected:
  TempDir directory_;
};

TEST_F(OperationsListener, IsASocketThatItsUserAloneMayUse) {
  // The limits of clients are not those of operators.
  Server server(directory_.path(), {.settings = {"rate_limit.enabled=true", "rate_limit.address_burst=2",
                                                 "rate_limit.address_rate=0.01"}});
  struct stat info{};
  ASSERT_EQ(::stat((directory_ / "operations.sock").c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  HttpConnection operations(server.operations_url());
  for (int i = 0; i < 5; ++i)
    for (const char* path : {"/metrics", "/livez", "/readyz"})
      EXPECT_EQ(operations.get(path).status, 200) << path;
  EXPECT_THAT(operations.get("/healthz").body, StartsWith(R"({"status":")"));
  EXPECT_EQ(operations.get("/v1/tasks").status, 404) << "nothing else is here";
  EXPECT_EQ(server.terminate().status, 0);
  EXPECT_NE(::access((directory_ / "operations.sock").c_str(), F_OK), 0);
}

// Whatever a proxy adds or leaves out, and from wherever the request comes.
TEST_F(OperationsListener, IsTheOnlyOneThatShowsThem) {
  Server server(directory_.path());
  HttpConnection http(server.url());
  for (const char* path : {"/metrics", "/healthz"}) {
    const std::vector<HttpFields> proxies = {
        {}, {{"X-Forwarded-For", "8.8.8.8"}}, {{"X-Real-IP", "8.8.8.8"}}, {{"Via", "1.1 proxy"}}, bearer("")};
    for (const HttpFields& fields : proxies) EXPECT_EQ(http.get(path, fields).status, 404) << path;
    EXPECT_EQ(http.request("HEAD", path).status, 404);
    EXPECT_EQ(http.post(path, "{}").status, 404);
  }
  const HttpResponse missing = http.get("/metrics"), nothing = http.get("/nothing");
  EXPECT_EQ(Json::parse(missing.body)["code"].text(), Json::parse(nothing.body)["code"].text());
}

TEST_F(OperationsListener, MayHaveAnAddressOfItsOwn) {
  Server server(directory_.path(), {.settings = {"telemetry.listen=127.0.0.1:0"}});
  EXPECT_FALSE(std::filesystem::exists(directory_ / "operations.sock"));
  const std::string url = logged_address(server);
  ASSERT_THAT(url, StartsWith("http://127.0.0.1:")) << server.process().err();
  EXPECT_EQ(HttpConnection(url).get("/metrics").status, 200);
  EXPECT_EQ(HttpConnection(server.url()).get("/metrics").status, 404);
  const std::string address = url.substr(std::string("http://").size());
  EXPECT_THAT(run_well({"metrics", "--set", "telemetry.listen=" + address}), HasSubstr("process_open_fds"));

  const Output second = serve_in_vain(directory_ / "second", address);
  EXPECT_EQ(second.exit.status, 1);
  EXPECT_THAT(second.err,
              HasSubstr("bedplate: Cannot listen on " + address + ": another process already does."));
  EXPECT_THAT(second.err, HasSubstr("telemetry.listen names another address.\n"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "second")) << "it is known before anything is made";
}

TEST_F(OperationsListener, IsRefusedWhereThePublicIs) {
  const Output output = run({"serve", "--data", directory_ / "data", "--listen", "127.0.0.1:18080", "--set",
                             "telemetry.listen=127.0.0.1:18080"});
  EXPECT_EQ(output.exit.status, 2);
  EXPECT_THAT(output.err, HasSubstr("telemetry.listen: 127.0.0.1:18080 is an address of server.listen"));
}

TEST_F(OperationsListener, ReplacesTheSocketOfAKilledServer) {
  Server(directory_.path()).kill();
  ASSERT_TRUE(std::filesystem::exists(directory_ / "operations.sock"));
  Server again(directory_.path());
  EXPECT_EQ(HttpConnection(again.operations_url()).get("/metrics").status, 200);
}

TEST_F(OperationsListener, ReplacesNoFileAndNoServersSocket) {
  const std::string file = directory_ / "notes.txt";
  std::ofstream(file) << "keep me";
  const Output refused = serve_in_vain(directory_ / "data", "unix:" + file);
  EXPECT_EQ(refused.exit.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("bedplate: Cannot listen on unix:" + file +
                                     ": there is a file at this path, and it is not a socket."));
  std::string text;
  std::getline(std::ifstream(file), text);
  EXPECT_EQ(text, "keep me");

  Server server(directory_ / "one");
  const Output second = serve_in_vain(directory_ / "two", "unix:" + directory_ / "one/operations.sock");
  EXPECT_EQ(second.exit.status, 1);
  EXPECT_THAT(second.err, HasSubstr("another process already does"));
  EXPECT_EQ(HttpConnection(server.operations_url()).get("/metrics").status, 200);
}

// The path of a Unix socket has at most 107 bytes, that of a directory 4095.
TEST_F(OperationsListener, IsReachedInADirectoryWithALongName) {
  const std::string folder = directory_ / std::string(150, 'd');
  {
    Server server(folder);
    EXPECT_TRUE(std::filesystem::is_socket(folder + "/operations.sock"));
    EXPECT_THAT(run_well({"metrics", "--data", folder}), HasSubstr("process_open_fds"));
    EXPECT_EQ(server.terminate().status, 0);
  }
  EXPECT_FALSE(std::filesystem::exists(folder + "/operations.sock"));
  EXPECT_THAT(run({"metrics", "--data", folder}).err, HasSubstr("Cannot connect to unix:" + folder));
  const Output named = serve_in_vain(directory_ / "data", "unix:" + folder + "/s");
  EXPECT_EQ(named.exit.status, 2);
  EXPECT_THAT(named.err, HasSubstr("the path of a Unix socket has at most 107 bytes"));
}

// ---- Commands

TEST_F(OperationsListener, IsAskedByCommands) {
  Server server(directory_.path());
  Output health;
  // A check has two seconds; a busy machine takes them sometimes.
  EXPECT_TRUE(wait_until([&] {
    return (health = run({"health", "--data", directory_.path()})).exit.status == 0;
  })) << health.err;
  const Json report = Json::parse(health.out);
  EXPECT_EQ(report["readiness"].text(), "ready");
  std::vector<std::string> names;
  for (const Json& check : report["checks"].items()) names.push_back(check["name"].text());
  EXPECT_THAT(names, ::testing::IsSupersetOf({"database", "disk", "background task identity: revocations",
                                              "background task identity: maintenance"}));
  EXPECT_THAT(run_well({"metrics", "--data", directory_.path()}),
              HasSubstr("bedplate_background_restarts_total{task=\"identity: revocations\"} 0\n"));
  EXPECT_EQ(server.terminate().status, 0);

  for (const char* command : {"health", "metrics"}) {
    const Output refused = run({command, "--data", directory_.path()});
    EXPECT_EQ(refused.exit.status, 1);
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(refused.err,
              "bedplate: Cannot connect to unix:" + directory_.path() +
                  "/operations.sock: No such file or directory. Does the server run, and is --data "
                  "(data.directory) its directory?\n");
  }
}

}  // namespace
}  // namespace bedplate::e2e
