// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/principal.h"

#include <algorithm>

namespace bedplate::auth {

std::string_view kind_name(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::user:
      return "user";
    case PrincipalKind::service_account:
      return "service_account";
    case PrincipalKind::api_key:
      return "api_key";
    case PrincipalKind::client:
      return "client";
    case PrincipalKind::system:
      return "system";
  }
  return "";
}

bool Principal::has_scope(std::string_view scope) const {
  return kind == PrincipalKind::system || std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

bool Principal::has_role(std::string_view role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

Principal system_principal(std::optional<UserId> act) {
  Principal principal;
  principal.kind = PrincipalKind::system;
  principal.act = act;
  return principal;
}

}  // namespace bedplate::auth
