// SPDX-License-Identifier: Apache-2.0
// Finding what has no form on the wire. Not for callers.
#pragma once

#include "bedplate/describe/faults.h"
#include "bedplate/describe/table.h"

namespace bedplate::detail {

/// Reports every part of a value that no format can write: NaN and infinities, times outside the years 1 to
/// 9999, enum values that are not listed. Without applying rules.
void report_unrepresentable(const TypeInfo& type, const void* value, Faults& faults);

}  // namespace bedplate::detail
