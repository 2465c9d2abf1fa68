// SPDX-License-Identifier: Apache-2.0
// Which errors an operation may answer: those it declares, and those that the chain and the database add. Internal to
// this room.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "bedplate/api/operation.h"
#include "bedplate/api/rest/binding.h"

namespace bedplate::api {

/// By status, each code once.
std::map<int, std::vector<ErrorCode>> possible_errors(const Operation& operation, const Binding& binding);

/// Whether the codes of a status are all there are. Of the others the HTTP server and the database add some that no
/// operation knows.
bool is_closed(int status);

}  // namespace bedplate::api
