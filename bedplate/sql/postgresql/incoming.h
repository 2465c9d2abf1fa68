// SPDX-License-Identifier: Apache-2.0
// How much of an incomplete answer has been received. libpq keeps the rows of an answer until it has all of them, and
// does not say how many bytes they are; so the socket is asked. Private header of the driver; on its loop's thread.
//
// - Answers that come in a few reads cost nothing, and count as nothing.
// - Of a TCP socket the kernel knows what it has received (TCP_INFO, RFC 4898's HCThruOctetsReceived), what waits in it
//   included; with TLS, of the ciphertext. Asked at every fourth read.
// - A Unix socket counts nothing. What waits in it (FIONREAD) is asked around each read: a read takes what became less,
//   and not less than what libpq always has room for. That is never more than really came. Of rows with values much
//   larger than the socket's buffer (about 200 kB) it can be a hundredth: libpq then reads on while the server writes.
#pragma once

#include <cstdint>

namespace bedplate::sql {

class PostgresqlIncoming {
 public:
  explicit PostgresqlIncoming(int socket);

  /// Around each read from the socket.
  void before_read() {
    if (++reads_ > kFreeReads) [[unlikely]]
      look_before();
  }
  void after_read() {
    if (reads_ > kFreeReads) [[unlikely]]
      look_after();
  }
  /// An answer is complete.
  void restart() { reads_ = 0; }
  /// Since the last complete answer, at the last look. Below a megabyte it can be nothing.
  std::uint64_t bytes() const { return reads_ > kFreeReads ? bytes_ : 0; }

 private:
  static constexpr std::uint32_t kFreeReads = 4;
  static constexpr std::uint32_t kLookEvery = 4;

  void look_before();
  void look_after();
  std::uint64_t received() const;
  std::uint64_t waiting() const;

  const int socket_;
  const bool tcp_;
  std::uint32_t reads_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t before_ = 0;  ///< TCP: received at the first look. Unix: what waited before this read
};

}  // namespace bedplate::sql
