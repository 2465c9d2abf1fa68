// SPDX-License-Identifier: Apache-2.0
// JWK Set (RFC 7517 section 5): the public keys of access tokens, for those who verify them elsewhere.
#pragma once

#include <string>
#include <vector>

#include "bedplate/auth/key_ring.h"
#include "bedplate/describe/describe.h"

namespace bedplate::auth {

/// An Ed25519 public key (RFC 8037 section 2).
struct Jwk {
  std::string kty = "OKP";
  std::string crv = "Ed25519";
  std::string use = "sig";
  std::string alg = "EdDSA";
  std::string kid;
  std::string x;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Jwk>("An Ed25519 public key (RFC 8037)",
                       {
                           field<&Jwk::kty>("Key type: always OKP"),
                           field<&Jwk::crv>("Curve: always Ed25519"),
                           field<&Jwk::use>("Always sig: it verifies signatures"),
                           field<&Jwk::alg>("Always EdDSA"),
                           field<&Jwk::kid>("Its name in a token's header: the RFC 7638 thumbprint"),
                           field<&Jwk::x>("The public key, 32 bytes in base64url"),
                       });
  }
};

struct JwkSet {
  std::vector<Jwk> keys;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<JwkSet>(
        "A JWK Set (RFC 7517 section 5)",
        {
            field<&JwkSet::keys>("Every key whose tokens are good now or will be soon, youngest first"),
        });
  }
};

JwkSet jwk_set(const KeyRing& ring, Time now);

}  // namespace bedplate::auth
