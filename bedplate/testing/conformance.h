// SPDX-License-Identifier: Apache-2.0
// What holds for every operation of every application, asked over REST of each that a server's OpenAPI document lists:
//
//   TestApp app(build);
//   EXPECT_THAT(testing::conformance(app.url(), {.token = ada, .powerless_token = eve}), IsEmpty());
//
// For each operation:
// - 401 without a token or with a forged one, 403 without its scope;
// - 405 for a method that its path does not have, with Allow naming those that it has;
// - 422 with a pointer for a malformed id, an unknown query parameter, an unknown field;
// - 400 for a body that is not JSON, 415 for one of another type;
// - the documented answer for a request that fits its schema, and the same one again for the same Idempotency-Key.
// Every answer has a status that the document lists, and a failure is problem details with a code (RFC 9457).
//
// So an application's own tests say only what is its own. Calls change data: give it a server of its own, and callers
// that nothing else needs.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace bedplate::testing {

struct ConformanceOptions {
  std::string token;            ///< of a caller with every scope that the operations need; not left signed in
  std::string powerless_token;  ///< of a caller without any scope; empty: 403 is not asked for
  std::set<std::string>
      skip;  ///< operations that end the caller's session or account: only refusals are asked of them
};

/// A sentence for each thing that does not hold; empty: the server conforms.
std::vector<std::string> conformance(const std::string& url, const ConformanceOptions& options);

}  // namespace bedplate::testing
