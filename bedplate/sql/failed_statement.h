// SPDX-License-Identifier: Apache-2.0
// Which statement of a transaction failed first. Drivers log it when the operation goes on all the same: nothing else
// would name the cause. Private header of the drivers.
#pragma once

#include <string>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate::sql {

class FailedStatement {
 public:
  void reset() { code_.clear(); }
  /// Keeps the first. `text`: of the statement, without the values of its parameters.
  void note(const Error& error, std::string_view text);
  /// To the log, as an error: the operation has ignored the failure, and its transaction was rolled back.
  void log_ignored() const;

 private:
  std::string code_;
  std::string subject_;
  std::string text_;
};

}  // namespace bedplate::sql
