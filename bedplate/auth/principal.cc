// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/principal.h"

#include <algorithm>

namespace bedplate::auth {

bool Principal::has_scope(std::string_view scope) const {
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

bool Principal::has_role(std::string_view role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

}  // namespace bedplate::auth
