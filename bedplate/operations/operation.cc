// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/operation.h"

namespace bedplate::api {

std::string_view kind_name(OperationKind kind) {
  switch (kind) {
    case OperationKind::pure:
      return "pure";
    case OperationKind::query:
      return "query";
    case OperationKind::command:
      return "command";
    case OperationKind::procedure:
      return "procedure";
  }
  return "";
}

}  // namespace bedplate::api
