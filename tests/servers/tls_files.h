// SPDX-License-Identifier: Apache-2.0
// Keys and certificates for a test's server.
#pragma once

#include <string>

namespace bedplate::testing {

/// Paths of PEM files. The certificate is for 127.0.0.1, ::1 and localhost, signed by `authority`, which is also the
/// only thing that a client needs.
struct TlsFiles {
  std::string authority;
  std::string certificate;
  std::string key;
};

/// Makes them in `directory` with openssl(1), readable by the server's user: a few milliseconds, elliptic keys.
TlsFiles make_tls_files(const std::string& directory);

}  // namespace bedplate::testing
