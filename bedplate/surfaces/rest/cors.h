// SPDX-License-Identifier: Apache-2.0
// Cross-origin requests (the CORS protocol of the WHATWG Fetch standard): which pages of other origins may call.
//
// Only tokens in the Authorization header identify callers, never cookies, so credentials mode is not offered, and a
// page that is not listed can make a browser send nothing that this server would act on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bedplate/http/message/message.h"
#include "bedplate/surfaces/rest/settings.h"

namespace bedplate::api {

/// Immutable; thread-safe.
class Cors {
 public:
  explicit Cors(const CorsSettings& settings);

  bool enabled() const { return any_ || !origins_.empty(); }
  /// Adds what a browser wants to see on an answer to `origin` (the Origin field; empty: no browser asks).
  void add_fields(std::string_view origin, http::Response& response) const;
  /// Adds what goes with an answer that is given before there is an Origin to look at (a head too long to read): any
  /// page may see it, since it tells nothing of anybody.
  void add_early_fields(http::FieldBlock& fields) const;
  /// Adds the answer to a preflight: OPTIONS with Origin and Access-Control-Request-Method. `allow` is the value of
  /// the Allow field.
  void add_preflight_fields(http::Request& request, std::string_view allow, http::Response& response) const;

 private:
  bool allows(std::string_view origin) const;

  bool any_ = false;
  std::vector<std::string> origins_;
  std::string max_age_;
};

}  // namespace bedplate::api
