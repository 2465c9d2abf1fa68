// SPDX-License-Identifier: Apache-2.0
// The operations of a running server, as its OpenAPI document (/openapi.json) lists them: for tests that ask something
// of each.
//
//   for (const ApiOperation& operation : ApiDocument(url).operations())
//     http.request(operation.method, operation.path_of_nothing());
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/testing/json.h"

namespace bedplate::testing {

struct ApiOperation {
  std::string name;    ///< "tasks.create"
  std::string method;  ///< "POST"
  std::string path;    ///< "/v1/tasks/{id}"
  std::vector<std::string> scopes;
  std::set<int> statuses;         ///< those that the document lists
  std::set<std::string> headers;  ///< of a request: "If-Match", "Idempotency-Key"
  bool needs_token = false;
  bool has_body = false;
  bool has_path_parameters = false;
  std::string body;  ///< one that fits its schema; empty when the operation takes none

  /// The path with well-formed ids that name nothing.
  std::string path_of_nothing() const;
  /// The path with `text` in place of each parameter.
  std::string path_with(std::string_view text) const;
};

class ApiDocument {
 public:
  /// Reads it from the server at `url`. Aborts when it serves none.
  explicit ApiDocument(const std::string& url);

  const std::vector<ApiOperation>& operations() const { return operations_; }
  /// The methods of a path, upper-case.
  std::set<std::string> methods(std::string_view path) const;

 private:
  const Json& resolve(const Json& schema) const;
  /// JSON text that fits the schema: the required members, each as small as may be.
  std::string value_of(const Json& schema, int depth = 0) const;

  Json document_;
  std::vector<ApiOperation> operations_;
};

}  // namespace bedplate::testing
