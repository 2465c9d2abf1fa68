// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.1 document of a program's operations: what rest.h serves, in the form that tools read.
//
//   std::string document = openapi_document({.title = "Tasks", .version = "1.0.0"}, apis);
//
// Everything in it follows from the operations and their types: parameters and bodies with their rules, examples,
// every answer with its headers, every error with all its codes, the security scheme with the scopes that operations
// name, links between operations. Schemas of types are under components/schemas by the type's name; of a type whose
// input and output differ, the input is "<Name>Input". Components that nothing refers to are left out.
//
// Extensions: an operation's `x-required-scopes`; `x-own-errors`, the codes that are the operation's own, by status;
// and at the security scheme `x-log-in`, the operation that gives a token (logs_in<>) and the field of its answer that
// holds it: {"operationId": "identity.log_in", "token": "access_token"}.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bedplate/base/result.h"

namespace bedplate::api {

class Api;

struct DocumentInfo {
  std::string title = "API";
  std::string version = "0.0.0";
  std::string description;  ///< CommonMark; empty: the title
  std::string contact = "The operators of this server";
  std::string
      license;  ///< of the API, an SPDX identifier such as "Apache-2.0"; empty: the document names none
  /// Queries may be answered by replicas of the database: commands and procedures answer Bedplate-Commit, queries
  /// take it (sql::CommitPosition).
  bool read_replicas = false;
  /// What commit hooks add to every command (CommitHook::errors); Rest::make() fills it.
  std::vector<ErrorCode> commit_errors = {};
};

/// The operations were accepted by Rest::make(). Deterministic: the same program gives the same bytes.
std::string openapi_document(const DocumentInfo& info, std::span<const Api> apis);

}  // namespace bedplate::api
