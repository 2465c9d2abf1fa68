// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/server.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <string>
#include <thread>

#include "tests/kits/http_server_kit.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::http {
namespace {

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

// ---- What is refused

struct Refused {
  const char* name;
  std::string request;
  int status;
};

std::string with(std::string_view lines, std::string_view body = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n" + std::string(body);
}
std::string chunked(std::string_view body) {
  return with("Transfer-Encoding: chunked\r\n", body);
}

const std::vector<Refused>& refused() {
  using namespace std::string_literals;
  static const std::vector<Refused> cases = {
      // Two readings of where the body ends.
      {"two equal lengths", with("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
      {"two different lengths", with("Content-Length: 3\r\nContent-Length: 30\r\n", "abc"), 400},
      {"list of lengths", with("Content-Length: 3, 3\r\n", "abc"), 400},
      {"length and chunked", with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"chunked and length", with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400},
      {"length with sign", with("Content-Length: +3\r\n", "abc"), 400},
      {"negative length", with("Content-Length: -3\r\n", "abc"), 400},
      {"hexadecimal length", with("Content-Length: 0x3\r\n", "abc"), 400},
      {"length with inner blank", with("Content-Length: 3 3\r\n", "abc"), 400},
      {"empty length", with("Content-Length:\r\n", "abc"), 400},
      {"length beyond 64 bits", with("Content-Length: 18446744073709551617\r\n", "abc"), 400},
      {"length beyond 63 bits", with("Content-Length: 9999999999999999999\r\n", "abc"), 400},
      {"length with letters", with("Content-Length: 3abc\r\n", "abc"), 400},
      {"chunked twice in one line", with("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400},
      {"chunked in two lines",
       with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"chunked not last", with("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400},
      {"chunked not alone", with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"identity coding", with("Transfer-Encoding: identity\r\n", "abc"), 400},
      {"unknown coding", with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400},
      {"quoted chunked", with("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 400},
      {"chunked with vertical tab", with("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), 400},
      {"empty coding", with("Transfer-Encoding:\r\n", "0\r\n\r\n"), 400},
      {"chunked in 1.0", "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      // Lines.
      {"bare LF after the request line", "GET /hello HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare LF everywhere", "GET /hello HTTP/1.1\nHost: a\n\n", 400},
      {"bare LF after a field", "GET /hello HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"bare LF as empty line", "GET /hello HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"bare CR in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400},
      {"bare CR as line end", "GET /hello HTTP/1.1\rHost: a\r\r", 400},
      {"CR CR LF", "GET /hello HTTP/1.1\r\r\nHost: a\r\n\r\n", 400},
      {"NUL in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"s, 400},
      {"NUL in a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"s, 400},
      {"control character in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\x01\r\n\r\n", 400},
      {"DEL in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\x7f\r\n\r\n", 400},
      {"blank before the colon", with("Content-Length : 3\r\n", "abc"), 400},
      {"tab before the colon", with("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), 400},
      {"blank inside a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", 400},
      {"folded line", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400},
      {"folded with a tab", with("Transfer-Encoding:\r\n\tchunked\r\n", "0\r\n\r\n"), 400},
      {"blank before the first field", "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"empty name", "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
      {"no colon", "GET /hello HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n", 400},
      {"bad character in a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n", 400},
      {"non-ASCII name", "GET /hello HTTP/1.1\r\nHost: a\r\n\xc3\xa4: b\r\n\r\n", 400},
      // The request line.
      {"no version", "GET /hello\r\nHost: a\r\n\r\n", 400},
      {"version 0.9", "GET /hello HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"version 2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"lower-case version", "GET /hello http/1.1\r\nHost: a\r\n\r\n", 400},
      {"version of three digits", "GET /hello HTTP/1.10\r\nHost: a\r\n\r\n", 400},
      {"version without dot", "GET /hello HTTP/11\r\nHost: a\r\n\r\n", 400},
      {"blank after the version", "GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"two spaces after the method", "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces before the version", "GET /hello  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"tab in the request line", "GET\t/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"leading space", " GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"bad character in the method", "G@T /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a very long method", std::string(100, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s, 400},
      {"two empty lines before", "\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      // The target.
      {"relative target", "GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"fragment", "GET /hello#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"raw non-ASCII", "GET /h\xc3\xa4llo HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"encoded NUL", "GET /hello%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"cut escape", "GET /hello%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"bad escape", "GET /hello%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"encoded slash", "GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"encoded backslash", "GET /a%5cb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"path not UTF-8", "GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"overlong slash", "GET /%c0%af HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"user in an absolute target", "GET http://u@a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"other scheme", "GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute without host", "GET http:///hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501},
      {"long target", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      // Host.
      {"no Host", "GET /hello HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"empty Host", "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"Host with path", "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"Host with user", "GET /hello HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"Host with blank", "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"Host with bad port", "GET /hello HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400},
      {"Host with a list", "GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      // Fields.
      {"too many fields",
       [] {
         std::string request = "GET /hello HTTP/1.1\r\nHost: a\r\n";
         for (int i = 0; i < 101; ++i) request += "X: y\r\n";
         return request + "\r\n";
       }(),
       431},
      {"a large field", "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(17000, 'y') + "\r\n\r\n", 431},
      {"unknown expectation", with("Expect: 200-ok\r\nContent-Length: 3\r\n", "abc"), 417},
      {"two Authorizations", "GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
       400},
      // Chunks.
      {"chunk size with 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size with sign", chunked("+3\r\nabc\r\n0\r\n\r\n"), 400},
      {"negative chunk size", chunked("-1\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size with blank before", chunked(" 3\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size with blank after", chunked("3 \r\nabc\r\n0\r\n\r\n"), 400},
      {"empty chunk size", chunked("\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size overflow", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size of 64 bits", chunked("ffffffffffffffff\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk size letters", chunked("3g\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n"), 400},
      {"chunk shorter than its size", chunked("5\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk with bare LF", chunked("3\nabc\n0\n\n"), 400},
      {"chunk data ended by LF", chunked("3\r\nabc\n0\r\n\r\n"), 400},
      {"chunk size ended by CR", chunked("3\rabc\r\n0\r\n\r\n"), 400},
      {"chunk extension with LF", chunked("3;a\nb\r\nabc\r\n0\r\n\r\n"), 400},
      {"chunk extension with NUL", chunked("3;a\0b\r\nabc\r\n0\r\n\r\n"s), 400},
      {"chunk extension without end", chunked("3;" + std::string(20000, 'a') + "\r\nabc\r\n0\r\n\r\n"), 400},
      {"trailer that frames", chunked("3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n"), 400},
      {"trailer that codes", chunked("3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
      {"trailer that routes", chunked("3\r\nabc\r\n0\r\nHost: b\r\n\r\n"), 400},
      {"trailer that authorises", chunked("3\r\nabc\r\n0\r\nAuthorization: b\r\n\r\n"), 400},
      {"trailer with blank before colon", chunked("3\r\nabc\r\n0\r\nX : b\r\n\r\n"), 400},
      {"trailer folded", chunked("3\r\nabc\r\n0\r\nX: b\r\n c\r\n\r\n"), 400},
      {"trailer too large", chunked("0\r\nX: " + std::string(9000, 'a') + "\r\n\r\n"), 400},
  };
  return cases;
}

TEST(ServerTest, RefusesWhatCouldBeReadInTwoWays) {
  TestServer server;
  for (const Refused& refusal : refused()) {
    SCOPED_TRACE(refusal.name);
    // What follows a refused request is never read as a request of its own.
    const std::string answer =
        exchange(server.port(), refusal.request + "GET /hello HTTP/1.1\r\nHost: smuggled\r\n\r\n");
    EXPECT_EQ(status_of(answer), refusal.status) << answer;
    EXPECT_EQ(count_answers(answer), 1u) << answer;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos) << answer;
  }
}

TEST(ServerTest, RefusesTheSameByteByByte) {
  TestServer server;
  for (const Refused& refusal : refused()) {
    if (refusal.request.size() > 200) continue;
    SCOPED_TRACE(refusal.name);
    RawClient client(server.port());
    for (char byte : refusal.request) client.send({&byte, 1});
    const std::string answer = client.read_to_end();
    EXPECT_EQ(status_of(answer), refusal.status) << answer;
    EXPECT_EQ(count_answers(answer), 1u) << answer;
  }
}

// ---- What is accepted

struct Accepted {
  const char* name;
  std::string request;
  int status;
  std::string body;
};

const std::vector<Accepted>& accepted() {
  static const std::vector<Accepted> cases = {
      {"plain", std::string(kHello), 200, "Hello"},
      {"empty line before", "\r\n" + std::string(kHello), 200, "Hello"},
      {"no blank after the colon", "GET /hello HTTP/1.1\r\nHost:a\r\n\r\n", 200, "Hello"},
      {"blanks around a value", "GET /hello HTTP/1.1\r\nHost: \t a \t\r\n\r\n", 200, "Hello"},
      {"empty value", "GET /hello HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", 200, "Hello"},
      {"later minor version", "GET /hello HTTP/1.9\r\nHost: a\r\n\r\n", 200, "Hello"},
      {"non-ASCII value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n", 200, "Hello"},
      {"absolute target", "GET http://b:80/hello HTTP/1.1\r\nHost: a\r\n\r\n", 200, "Hello"},
      {"IPv6 host", "GET /hello HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200, "Hello"},
      {"escapes", "GET /h%65l%6Co HTTP/1.1\r\nHost: a\r\n\r\n", 200, "Hello"},
      {"dot segments", "GET /a/./b/../../hello HTTP/1.1\r\nHost: a\r\n\r\n", 200, "Hello"},
      {"encoded dot segments", "GET /a/%2e%2E/hello HTTP/1.1\r\nHost: a\r\n\r\n", 200, "Hello"},
      {"dots above the root", "GET /../../hello HTTP/1.1\r\nHost: a\r\n\r\n", 200, "Hello"},
      {"decoded once", "GET /%2565 HTTP/1.1\r\nHost: a\r\n\r\n", 404, "/%65"},
      {"query", "GET /hello?a=%zz&b[]={} HTTP/1.1\r\nHost: a\r\n\r\n", 200, "Hello"},
      {"unknown method", "hello /x HTTP/1.1\r\nHost: a\r\n\r\n", 404, "/x"},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404, "*"},
      {"sized body", with("Content-Length: 3\r\n", "abc"), 200, "abc"},
      {"zero length", with("Content-Length: 0\r\n"), 200, ""},
      {"leading zeros", with("Content-Length: 0003\r\n", "abc"), 200, "abc"},
      {"one chunk", chunked("3\r\nabc\r\n0\r\n\r\n"), 200, "abc"},
      {"many chunks", chunked("1\r\na\r\n2\r\nbc\r\nA\r\n0123456789\r\n0\r\n\r\n"), 200, "abc0123456789"},
      {"zeros before a chunk size", chunked("0000003\r\nabc\r\n000\r\n\r\n"), 200, "abc"},
      {"blank before a chunk extension", chunked("3 ;a=b\r\nabc\r\n0\r\n\r\n"), 200, "abc"},
      {"chunk extensions", chunked("3;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\n"), 200, "abc"},
      {"trailers", chunked("3\r\nabc\r\n0\r\nX-Checksum: 1\r\nX-Other: 2\r\n\r\n"), 200, "abc"},
      {"chunked in any case", with("Transfer-Encoding: ChUnKeD\r\n", "3\r\nabc\r\n0\r\n\r\n"), 200, "abc"},
      {"GET with a body", "GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200, "abc"},
  };
  return cases;
}

TEST(ServerTest, AcceptsWhatIsValidAndGoesOn) {
  TestServer server;
  RawClient client(server.port());
  for (const Accepted& valid : accepted()) {
    SCOPED_TRACE(valid.name);
    const Answer answer = client.send(valid.request).read_answer();
    EXPECT_EQ(answer.status, valid.status);
    EXPECT_EQ(answer.body, valid.body);
    EXPECT_EQ(answer.field("Connection"), "");
  }
}

TEST(ServerTest, AnswersTheSameHoweverTheBytesAreSplit) {
  TestServer server;
  RawClient client(server.port());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX-Y: z\r\n\r\n"
      "3;e\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n";
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    client.send(request.substr(0, cut));
    client.send(request.substr(cut));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200) << cut;
    EXPECT_EQ(answer.body, "abcde") << cut;
  }
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  RawClient client(server.port());
  std::string batch;
  for (int i = 0; i < 200; ++i) {
    batch += "GET /n" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    batch += with("Content-Length: 2\r\n", "ab");
    batch += chunked("2\r\ncd\r\n0\r\n\r\n");
    batch += "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz";
  }
  std::thread writer([&] { client.send(batch); });
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.read_answer().body, "/n" + std::to_string(i));
    EXPECT_EQ(client.read_answer().body, "ab");
    EXPECT_EQ(client.read_answer().body, "cd");
    EXPECT_EQ(client.read_answer().body, "ignored");
  }
  writer.join();
}

TEST(ServerTest, HeadHasTheFieldsOfGetAndNoBody) {
  TestServer server;
  for (std::string_view path : {"/hello", "/big?n=100000", "/stream?n=3", "/static", "/json?n=5000"}) {
    RawClient client(server.port());
    const std::string rest =
        " " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n";
    const Answer get = client.send("GET" + rest).read_answer();
    const Answer head = client.send("HEAD" + rest).read_answer(true);
    EXPECT_EQ(head.head.substr(head.head.find("\r\nContent-Type")),
              get.head.substr(get.head.find("\r\nContent-Type")));
    EXPECT_EQ(client.send(kHello).read_answer().body, "Hello");
  }
}

TEST(ServerTest, KeepsOrClosesTheConnectionAsAsked) {
  TestServer server;
  const auto closes = [&](std::string request) {
    RawClient client(server.port());
    EXPECT_EQ(client.send(request).read_answer().status, 200);
    client.send(kHello);
    return client.read_answer().status == 0;
  };
  EXPECT_FALSE(closes(std::string(kHello)));
  EXPECT_FALSE(closes("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_TRUE(closes("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(closes("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: foo, CLOSE\r\n\r\n"));
  EXPECT_TRUE(closes("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: foo\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(closes("GET /hello HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(closes("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(ServerTest, Http10GetsNoChunks) {
  TestServer server;
  const std::string answer =
      exchange(server.port(), "GET /stream?n=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.find("Transfer-Encoding"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\npart 0\npart 1\n")) << answer;
  RawClient client(server.port());
  const Answer kept = client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").read_answer();
  EXPECT_EQ(kept.field("Connection"), "keep-alive");
}

TEST(ServerTest, ClosesAfterTheLastRequestAllowed) {
  ServerSettings settings;
  settings.requests_per_connection_max = 2;
  TestServer server(settings);
  const std::string answers =
      exchange(server.port(), std::string(kHello) + std::string(kHello) + std::string(kHello));
  EXPECT_EQ(count_answers(answers), 2u);
  EXPECT_EQ(answers.rfind("Connection: close"), answers.find("Connection: close"));
}

// ---- Bodies

TEST(ServerTest, SaysContinueOnlyWhenTheBodyIsWanted) {
  TestServer server;
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100);
  EXPECT_EQ(client.send("abc").read_answer().body, "abc");
  // Sent at once: no 100 any more.
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().status, 200);
  // Not wanted: the final answer, and the connection cannot go on.
  client.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Connection"), "close");
}

TEST(ServerTest, RefusesLargeBodiesAndTheClientHearsIt) {
  TestServer server;
  const std::string large(2 << 20, 'x');
  RawClient sized(server.port());
  sized.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n");
  sized.send(large.substr(0, 300'000));
  EXPECT_EQ(status_of(sized.read_to_end()), 413);
  RawClient chunks(server.port());
  chunks.send(chunked("200000\r\n" + large.substr(0, 1'200'000)));
  EXPECT_EQ(status_of(chunks.read_to_end()), 413);
  // 100-continue is not said to a body that will be refused.
  RawClient careful(server.port());
  careful.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(careful.read_answer().status, 413);
}

TEST(ServerTest, StreamsLargeBodiesBothWays) {
  TestServer server;
  RawClient client(server.port());
  const std::string large(20 << 20, 'x');
  std::thread writer([&] {
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(large.size()) +
                "\r\n\r\n");
    client.send(large);
  });
  EXPECT_EQ(client.read_answer().body, std::to_string(large.size()));
  writer.join();
  const Answer big = client.send("GET /big?n=10000000 HTTP/1.1\r\nHost: a\r\n\r\n").read_answer();
  EXPECT_EQ(big.body.size(), 10'000'000u);
  const Answer stream = client.send("GET /stream?n=1000 HTTP/1.1\r\nHost: a\r\n\r\n").read_answer();
  EXPECT_TRUE(stream.whole);
  EXPECT_TRUE(stream.body.ends_with("part 999\n"));
}

TEST(ServerTest, EchoesAStreamWhileItComes) {
  TestServer server;
  RawClient client(server.port());
  client.send("POST /echo-stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("3\r\nabc\r\n");
  std::string seen;
  while (seen.find("abc\r\n") == std::string::npos) seen += client.read_some(1);
  client.send("2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().ends_with("de\r\n0\r\n\r\n"));
}

TEST(ServerTest, SkipsASmallBodyThatNobodyRead) {
  TestServer server;
  RawClient client(server.port());
  client.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().body, "ignored");
  EXPECT_EQ(client.send("def" + std::string(kHello)).read_answer().body, "Hello");
  client.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().field("Connection"), "close");
}

// Who sends a body of 50 MB before reading anything sees the answer, and neither a broken pipe nor a reset.
TEST(ServerTest, AnEarlyAnswerReachesAClientThatSendsToTheEnd) {
  TestServer server;
  const std::string body(50'000'000, 'x');
  const std::string sized = " HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n";
  const std::string in_chunks = " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2faf080\r\n";
  struct Early {
    std::string head;
    int status;
  };
  for (const Early& early : {Early{"POST /ignore" + sized, 200}, Early{"POST /echo" + sized, 413},
                             Early{"POST /ignore" + in_chunks, 200}, Early{"POST /echo" + in_chunks, 413}}) {
    for (int run = 0; run < 10; ++run) {
      RawClient client(server.port());
      client.send(early.head).send(body);
      EXPECT_FALSE(client.failed_to_send()) << early.head;
      EXPECT_EQ(client.read_answer().status, early.status) << early.head;
    }
  }
}

TEST(ServerTest, RefusesEncodedBodies) {
  TestServer server;
  const std::string request = with("Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc");
  RawClient client(server.port());
  EXPECT_EQ(client.send(request).read_answer().status, 415);
}

// ---- Answers

TEST(ServerTest, BodilessAnswersHaveNoBody) {
  TestServer server;
  RawClient client(server.port());
  const Answer answer = client.send("GET /no-content HTTP/1.1\r\nHost: a\r\n\r\n").read_answer();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("Content-Length"), "");
  EXPECT_EQ(client.send(kHello).read_answer().body, "Hello");
}

TEST(ServerTest, HeaderInjectionBecomesA500) {
  TestServer server;
  RawClient client(server.port());
  const Answer answer = client.send("GET /inject HTTP/1.1\r\nHost: a\r\n\r\n").read_answer();
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.head.find("evil"), std::string::npos);
  EXPECT_EQ(client.send(kHello).read_answer().body, "Hello");
}

TEST(ServerTest, ErrorsOfHandlersBecomeProblems) {
  TestServer server;
  RawClient client(server.port());
  const Answer answer = client.send("GET /fail HTTP/1.1\r\nHost: a\r\n\r\n").read_answer();
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(
      answer.body,
      R"({"type":"about:blank","title":"Conflict","status":409,"detail":"It is taken.","code":"taken"})");
}

std::string gunzip(std::string_view bytes) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return result == Z_STREAM_END ? out : "not gzip";
}

TEST(ServerTest, CompressesForThoseWhoAsk) {
  TestServer server;
  RawClient client(server.port());
  const Answer plain = client.send("GET /json?n=5000 HTTP/1.1\r\nHost: a\r\n\r\n").read_answer();
  EXPECT_EQ(plain.field("Content-Encoding"), "");
  EXPECT_EQ(plain.field("Vary"), "Accept-Encoding");
  EXPECT_EQ(plain.field("ETag"), "\"7\"");
  const Answer gzip =
      client.send("GET /json?n=5000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0.5\r\n\r\n")
          .read_answer();
  EXPECT_EQ(gzip.field("Content-Encoding"), "gzip");
  EXPECT_EQ(gzip.field("ETag"), "\"7-gzip\"");
  EXPECT_LT(gzip.body.size(), plain.body.size() / 4);
  EXPECT_EQ(gunzip(gzip.body), plain.body);
  const Answer small =
      client.send("GET /json?n=500 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n").read_answer();
  EXPECT_EQ(small.field("Content-Encoding"), "");
  const Answer not_modified = client
                                  .send(
                                      "GET /json?n=5000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: "
                                      "gzip\r\nIf-None-Match: \"7-gzip\"\r\n\r\n")
                                  .read_answer();
  EXPECT_EQ(not_modified.status, 304);
  EXPECT_EQ(not_modified.field("ETag"), "\"7-gzip\"");
  EXPECT_EQ(not_modified.field("Vary"), "Accept-Encoding") << "as the 200 has it";
  EXPECT_EQ(not_modified.field("Content-Type"), "");
  const Answer stream =
      client.send("GET /stream?n=100 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n").read_answer();
  EXPECT_TRUE(stream.whole);
  EXPECT_TRUE(gunzip(stream.body).ends_with("part 99\n"));
}

// ---- Sockets, settings

TEST(ServerTest, ServesUnixSocketsAndIpv6) {
  const std::string path =
      ::testing::TempDir() + "bedplate_http_test_" + std::to_string(::getpid()) + ".sock";
  TestServer local({}, 2, "unix:" + path);
  EXPECT_EQ(RawClient(path).send("GET /client HTTP/1.1\r\nHost: a\r\n\r\n").read_answer().body, "unix");
  EXPECT_TRUE(local.server().urls().front().starts_with("http+unix://"));
  LoopGroup loops(1);
  TestHandler handler;
  Server server(loops, handler, {});
  loops.start();
  if (!server.listen("[::1]:0")) GTEST_SKIP() << "no IPv6 here";
  EXPECT_TRUE(server.urls().front().starts_with("http://[::1]:"));
  EXPECT_TRUE(server.drain(testing::kPatience));
}

TEST(ServerTest, TrustsOnlyTheProxiesItIsToldToTrust) {
  const std::string request =
      "GET /client HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1, 198.51.100.7, 10.1.2.3\r\n\r\n";
  TestServer nobody;
  EXPECT_EQ(RawClient(nobody.port()).send(request).read_answer().body, "127.0.0.1");
  ServerSettings settings;
  settings.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
  TestServer proxied(settings);
  EXPECT_EQ(RawClient(proxied.port()).send(request).read_answer().body, "198.51.100.7");
}

TEST(ServerTest, AllowsOnlyTheHostsItIsToldTo) {
  ServerSettings settings;
  settings.allowed_hosts = {"example.org", "*.example.net"};
  TestServer server(settings);
  const auto status = [&](std::string_view host) {
    const std::string request = "GET /hello HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
    return RawClient(server.port()).send(request).read_answer().status;
  };
  EXPECT_EQ(status("example.org"), 200);
  EXPECT_EQ(status("EXAMPLE.org:8080"), 200);
  EXPECT_EQ(status("a.example.net"), 200);
  EXPECT_EQ(status("example.net"), 421);
  EXPECT_EQ(status("evil.org"), 421);
}

TEST(ServerTest, BadSettingsAreNamed) {
  LoopGroup loops(1);
  TestHandler handler;
  ServerSettings settings;
  settings.trusted_proxies = {"10.0.0.0/33"};
  Server server(loops, handler, settings);
  Result<void> listening = server.listen("127.0.0.1:0");
  ASSERT_FALSE(listening);
  EXPECT_NE(listening.error().detail().find("10.0.0.0/33"), std::string::npos);
}

TEST(ServerTest, ManyConnectionsOnSeveralLoops) {
  TestServer server({}, 2);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        RawClient client(server.port());
        for (int n = 0; n < 4; ++n) {
          const Answer echo = client.send(with("Content-Length: 3\r\n", "abc")).read_answer();
          const Answer stream = client.send("GET /stream?n=2 HTTP/1.1\r\nHost: a\r\n\r\n").read_answer();
          good += echo.body == "abc" && stream.body == "part 0\npart 1\n";
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 400);
  EXPECT_EQ(server.server().stats().requests, 800u);
}

}  // namespace
}  // namespace bedplate::http
