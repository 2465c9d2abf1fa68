// SPDX-License-Identifier: Apache-2.0
// TLS over a Stream: the same two operations, encrypted (OpenSSL over memory buffers; TLS 1.2 and 1.3).
//
//   Result<TlsContext> context = TlsContext::for_clients({});         // once; the system's certificate authorities
//   TlsStream stream(std::move(connected), *context);
//   co_await ok(stream.connect("redis.example.com"));                 // handshake; checks the certificate and the name
//   co_await ok(stream.write_all("PING\r\n"));
//   std::size_t size = co_await ok(stream.read(buffer));
//
// The other side's certificate must come from an authority that the context trusts, and name the host that was asked
// for; a client asks for that name (SNI). Turning that off is for tests.
//
// Beside what stream.h says of errors: Category::unavailable `tls_failed` when the handshake fails (the detail says
// why: an expired certificate, a wrong name, no common version) or the other side breaks the protocol. An end without a
// close_notify is connection_closed, never taken for the end of the data.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bedplate/async/stream.h"

namespace bedplate {

struct TlsClientOptions {
  std::string authorities_file;  ///< PEM; empty: those that the system trusts
  std::string certificate_file;  ///< PEM, with the chain; empty: the client shows none
  std::string key_file;          ///< PEM
  bool verify = true;            ///< false: anybody may be in between
};

struct TlsServerOptions {
  std::string certificate_file;  ///< PEM, with the chain
  std::string key_file;          ///< PEM
};

/// What connections share. Copies are cheap and may be used by any thread.
class TlsContext {
 public:
  /// Category::invalid `tls_settings`, with the file that is wrong.
  static Result<TlsContext> for_clients(const TlsClientOptions& options);
  static Result<TlsContext> for_servers(const TlsServerOptions& options);

 private:
  friend class TlsStream;
  explicit TlsContext(std::shared_ptr<void> context, bool verify)
      : context_(std::move(context)), verify_(verify) {}

  std::shared_ptr<void> context_;  ///< SSL_CTX
  bool verify_;
};

/// One coroutine may read while another writes. Do not move or destroy it while either waits.
class TlsStream {
 public:
  TlsStream(Stream stream, const TlsContext& context);
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;
  ~TlsStream();

  /// The handshake, as the one that connected to `host` (a name or an address), or as the one that accepted.
  Async<void> connect(std::string host);
  Async<void> accept();

  /// As Stream's.
  Async<std::size_t> read(std::span<char> buffer);
  Async<void> write_all(std::string_view data);
  void set_deadline(std::chrono::milliseconds from_now) { stream_.set_deadline(from_now); }
  void clear_deadline() { stream_.clear_deadline(); }
  void close() { stream_.close(); }
  bool is_open() const { return stream_.is_open(); }

 private:
  struct State;

  Async<void> shake_hands();
  /// Takes what came over the wire.
  Async<void> fill();
  /// Sends what is to go over the wire; nothing to do while another coroutine does.
  Async<void> flush();

  Stream stream_;
  std::unique_ptr<State> state_;
};

}  // namespace bedplate
