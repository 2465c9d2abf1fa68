// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/declaration.h"

#include <algorithm>
#include <cmath>

namespace bedplate::jobs {

// In floating point, so that no number of attempts overflows.
milliseconds backoff_after(const Declaration& job, std::int64_t number, double random) {
  const double grown = static_cast<double>(job.backoff_base.count()) *
                       std::exp2(static_cast<double>(std::max<std::int64_t>(number, 1) - 1));
  const double capped = std::min(grown, static_cast<double>(job.backoff_max.count()));
  return milliseconds(static_cast<std::int64_t>(capped * (0.5 + 0.5 * random)));
}

}  // namespace bedplate::jobs
