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

std::string_view verb_name(Verb verb) {
  switch (verb) {
    case Verb::get:
      return "GET";
    case Verb::post:
      return "POST";
    case Verb::put:
      return "PUT";
    case Verb::patch:
      return "PATCH";
    case Verb::del:
      return "DELETE";
  }
  return "";
}

}  // namespace bedplate::api
