// SPDX-License-Identifier: Apache-2.0
#include "tests/servers/tls_files.h"

#include "tests/servers/daemon.h"

namespace bedplate::testing {

TlsFiles make_tls_files(const std::string& directory) {
  const std::string at = directory + "/";
  const std::string log = at + "openssl.log";
  const TlsFiles files{at + "authority.crt", at + "server.crt", at + "server.key"};
  write_server_file(at + "extensions",
                    "subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost\nbasicConstraints = CA:FALSE\n");
  auto openssl = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/openssl");
    Daemon::run({.arguments = std::move(arguments), .log = log});
  };
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
           "2", "-subj", "/CN=Test authority", "-keyout", at + "authority.key", "-out", files.authority});
  openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
           "/CN=localhost", "-keyout", files.key, "-out", at + "server.csr"});
  openssl({"x509", "-req", "-in", at + "server.csr", "-CA", files.authority, "-CAkey", at + "authority.key",
           "-CAcreateserial", "-days", "2", "-extfile", at + "extensions", "-out", files.certificate});
  return files;
}

}  // namespace bedplate::testing
