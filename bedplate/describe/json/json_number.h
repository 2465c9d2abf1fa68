// SPDX-License-Identifier: Apache-2.0
// Numbers of JSON text as integers and doubles, exactly. Not for callers.
#pragma once

#include <cstdint>
#include <string_view>

namespace bedplate::detail {

enum class WholeNumber : std::uint8_t {
  fits,        ///< `magnitude` holds it
  too_large,   ///< whole, but its magnitude needs more than 64 bits
  fractional,  ///< not a whole number
};

/// The magnitude of a number that may be written with a point or an exponent (1.0, 1e3, 25e-1 is fractional).
/// `text` is a JSON number; its sign is not looked at. Exact for every length of text.
WholeNumber parse_whole(std::string_view text, std::uint64_t& magnitude);

/// Eight decimal digits at once; false when the eight bytes at `from` are not all digits.
bool parse_eight_digits(const char* from, std::uint64_t& value);

/// The nearest double of a JSON number. False when it is beyond the largest double; what is too small becomes
/// zero.
bool parse_real(std::string_view text, double& value);

}  // namespace bedplate::detail
