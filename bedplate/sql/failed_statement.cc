// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/failed_statement.h"

#include "bedplate/base/log.h"

namespace bedplate::sql {

void FailedStatement::note(const Error& error, std::string_view text) {
  if (!code_.empty()) return;
  code_ = error.code();
  subject_ = error.subject();
  text_ = text;
}

void FailedStatement::log_ignored() const {
  log_error("an operation ignored the failure of a statement; its transaction was rolled back",
            {{"code", code_}, {"subject", subject_}, {"sql", text_}});
}

}  // namespace bedplate::sql
