// SPDX-License-Identifier: Apache-2.0
// Which database engine a session, a database or a text is of.
#pragma once

#include <cstdint>

namespace bedplate::sql {

enum class Dialect : std::uint8_t { sqlite, postgresql };

}  // namespace bedplate::sql
