// SPDX-License-Identifier: Apache-2.0
// Reads small files that an operator names.
#pragma once

#include <cstddef>
#include <string>

#include "bedplate/base/result.h"

namespace bedplate::config {

/// The whole file, without the byte order mark that editors on Windows put before UTF-8. Category::invalid,
/// `config_unreadable`, with the reason when it cannot be read or is larger.
Result<std::string> read_bounded_file(const std::string& path, std::size_t size_max);

}  // namespace bedplate::config
