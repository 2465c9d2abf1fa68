// SPDX-License-Identifier: Apache-2.0
// Problem details (RFC 9457): the one shape of every error answer.
//
//   {"type":"about:blank","title":"Not Found","status":404,"detail":"There is no such task.",
//    "instance":"/v1/tasks/42","code":"task_not_found","request_id":"0192..."}
//
// `code` is what programs look at; `errors` names the fields at fault ({pointer, code, message}), and `more` says
// that there are further ones. An internal error is logged with its text and answered without it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/describe.h"
#include "bedplate/http/handler.h"
#include "bedplate/surfaces/rest/settings.h"

namespace bedplate::api {

struct ProblemFault {
  std::string pointer;
  std::string code;
  std::string message;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ProblemFault>(
        "One value at fault",
        {
            field<&ProblemFault::pointer>(
                "A JSON Pointer into the body, `?name` for a query parameter, `{name}` for a path parameter",
                example("/title")),
            field<&ProblemFault::code>("What is wrong, for programs", example("too_long")),
            field<&ProblemFault::message>("What is wrong, for people",
                                          example("must have at most 200 characters")),
        });
  }
};

struct Problem {
  std::string type = "about:blank";
  std::string title;
  std::int64_t status = 500;
  std::optional<std::string> detail;
  std::optional<std::string> instance;
  std::string code;
  std::optional<std::string> request_id;
  std::optional<std::vector<ProblemFault>> errors;
  std::optional<bool> more;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Problem>(
        "Why a request failed (RFC 9457)",
        {
            field<&Problem::type>("Always `about:blank`: `code` tells problems apart",
                                  example("about:blank")),
            field<&Problem::title>("The status, in words", example("Unprocessable Content")),
            field<&Problem::status>(range{400, 599}, "The status", example("422")),
            field<&Problem::detail>(omit_null, "One sentence for a person"),
            field<&Problem::instance>(omit_null, "The path that was asked for", example("/v1/things")),
            field<&Problem::code>("Which failure it is, for programs; stable", example("validation_failed")),
            field<&Problem::request_id>(omit_null, "What to quote when asking for help"),
            field<&Problem::errors>(omit_null, "The values at fault, all of them up to 100"),
            field<&Problem::more>(omit_null, "There are more faults than `errors` lists"),
        });
  }
};

/// Sets status, Content-Type, Cache-Control, Retry-After and body of `response`; other fields stay. A failed
/// precondition has the version it is about as its subject, which becomes the ETag.
/// `instance` is the path that was asked for, `request_id` what the client can quote; both may be empty.
void write_problem(http::Response& response, const Error& error, std::string_view instance,
                   std::string_view request_id);

/// Gives the HTTP server's own errors (bad framing, limits, time-outs) the same shape, and the fields for security and
/// for CORS that every answer has. Immutable; thread-safe.
class ServerProblems final : public http::ProblemWriter {
 public:
  /// Without fields for CORS, and with those for security that go without settings.
  ServerProblems() : ServerProblems(RestSettings(), CorsSettings()) {}
  ServerProblems(const RestSettings& rest, const CorsSettings& cors);

  void write_problem(http::Response& response, int status, std::string_view code,
                     std::string_view detail) override;

 private:
  http::FieldBlock fields_;
};

}  // namespace bedplate::api
