// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <tuple>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "tests/servers/daemon.h"
#include "tests/servers/tls_files.h"

namespace bedplate {
namespace {

using ::testing::HasSubstr;

class Tls : public ::testing::Test {
 protected:
  Tls() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    near_ = std::move(*Stream::adopt(loop_, ends[0], {}));
    far_ = std::move(*Stream::adopt(loop_, ends[1], {}));
  }
  TlsContext trusting() const {
    TlsClientOptions options;
    options.authorities_file = files_.authority;
    return *TlsContext::for_clients(options);
  }
  /// What the client got back, or how it ended.
  std::string exchange(const TlsContext& client, std::string host, std::string text) {
    const TlsContext server = *TlsContext::for_servers({files_.certificate, files_.key});
    TlsStream served(std::move(far_), server);
    loop_.spawn(echo(served));
    TlsStream stream(std::move(near_), client);
    Result<std::string> got = run_to_end(loop_, talk(stream, std::move(host), std::move(text)));
    return got ? *got : got.error().code() + ": " + got.error().detail();
  }

  testing::ServerDirectory directory_{"tls"};
  const testing::TlsFiles files_ = testing::make_tls_files(directory_.path());
  Loop loop_;
  Stream near_;
  Stream far_;

 private:
  Async<void> echo(TlsStream& stream) {
    std::array<char, 5000> buffer;
    Result<void> shaken = co_await stream.accept();
    while (shaken) {
      Result<std::size_t> size = co_await stream.read(buffer);
      if (!size || *size == 0) break;
      std::ignore = co_await stream.write_all(std::string_view(buffer.data(), *size));
    }
    stream.close();
    echo_ended_ = true;
  }
  Async<void> send(TlsStream& stream, const std::string& text) {
    std::ignore = co_await stream.write_all(text);
    send_ended_ = true;
  }
  // Reads while it still writes: neither end could hold so much.
  Async<std::string> talk(TlsStream& stream, std::string host, std::string text) {
    Result<void> shaken = co_await stream.connect(std::move(host));
    std::string got;
    if (shaken) {
      send_ended_ = false;
      send(stream, text).detach(nullptr);
    }
    std::array<char, 3000> buffer;
    while (shaken && got.size() < text.size()) {
      Result<std::size_t> size = co_await stream.read(buffer);
      if (!size || *size == 0) break;
      got.append(buffer.data(), *size);
    }
    stream.close();
    while (!echo_ended_ || !send_ended_) co_await ok(yield());
    if (!shaken) co_return std::unexpected(std::move(shaken.error()));
    co_return got;
  }

  bool echo_ended_ = false;
  bool send_ended_ = true;
};

TEST_F(Tls, CarriesWhatIsWrittenBothWays) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i);
  EXPECT_EQ(exchange(trusting(), "localhost", text), text);
}

TEST_F(Tls, ChecksAddressesToo) {
  EXPECT_EQ(exchange(trusting(), "127.0.0.1", "hello"), "hello");
}

TEST_F(Tls, RefusesACertificateForAnotherName) {
  EXPECT_THAT(exchange(trusting(), "redis.example.com", "hello"), HasSubstr("tls_failed"));
}

TEST_F(Tls, RefusesACertificateForAnotherAddress) {
  EXPECT_THAT(exchange(trusting(), "192.0.2.1", "hello"), HasSubstr("tls_failed"));
}

TEST_F(Tls, RefusesAStranger) {
  EXPECT_THAT(exchange(*TlsContext::for_clients({}), "localhost", "hello"), HasSubstr("tls_failed"));
}

TEST_F(Tls, CanBeToldNotToCheck) {
  TlsClientOptions options;
  options.verify = false;
  EXPECT_EQ(exchange(*TlsContext::for_clients(options), "redis.example.com", "hello"), "hello");
}

TEST_F(Tls, SaysWhichFileItCannotUse) {
  TlsClientOptions options;
  options.authorities_file = "/nowhere.pem";
  Result<TlsContext> context = TlsContext::for_clients(options);
  ASSERT_FALSE(context);
  EXPECT_THAT(context.error().detail(), HasSubstr("/nowhere.pem"));
  EXPECT_FALSE(TlsContext::for_servers({files_.key, files_.key}));
}

// Somebody in between who cuts the connection must not be able to pass half an answer off as a whole one.
TEST_F(Tls, AnEndWithoutGoodbyeIsNoEndOfTheData) {
  const TlsContext server = *TlsContext::for_servers({files_.certificate, files_.key});
  const TlsContext client = trusting();
  TlsStream served(std::move(far_), server);
  TlsStream stream(std::move(near_), client);
  auto serve = [](TlsStream& to) -> Async<void> {
    std::ignore = co_await to.accept();
    std::ignore = co_await to.write_all("half");
    to.close();
  };
  auto read = [](TlsStream& from) -> Async<std::string> {
    co_await ok(from.connect("localhost"));
    std::array<char, 100> buffer;
    std::size_t size = co_await ok(from.read(buffer));
    EXPECT_EQ(size, 4u);
    Result<std::size_t> more = co_await from.read(buffer);
    co_return more ? "end" : more.error().code();
  };
  loop_.spawn(serve(served));
  EXPECT_EQ(*run_to_end(loop_, read(stream)), "connection_closed");
}

}  // namespace
}  // namespace bedplate
