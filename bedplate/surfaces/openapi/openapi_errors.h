// SPDX-License-Identifier: Apache-2.0
// Which errors an operation may answer: those it declares, and those that the HTTP server, the chain and the database
// add. The documents list them, and debug builds refuse to answer any other (rest.cc). Private header.
#pragma once

#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "bedplate/operations/operation.h"
#include "bedplate/surfaces/rest/binding.h"

namespace bedplate::api {

/// By status, each code once.
using PossibleErrors = std::map<int, std::vector<ErrorCode>>;

/// `of_commits`: what commit hooks add to every command.
PossibleErrors possible_errors(const Operation& operation, const Binding& binding,
                               std::span<const ErrorCode> of_commits);

/// What the HTTP server answers before it knows of an operation: to what cannot be read, is too large or too slow.
const PossibleErrors& server_errors();

bool contains(const PossibleErrors& errors, int status, std::string_view code);

}  // namespace bedplate::api
