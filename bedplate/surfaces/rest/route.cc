// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/route.h"

namespace bedplate::api {

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

int success_status(const Operation& operation) {
  const int status = route_of(operation).status;
  if (status != 0) return status;
  return operation.output ? 200 : 204;
}

}  // namespace bedplate::api
