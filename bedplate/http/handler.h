// SPDX-License-Identifier: Apache-2.0
// What answers requests. api/ implements it; a test or a bench can with ten lines:
//
//   class Hello final : public http::Handler {
//     Async<void> handle(http::Request&, http::Response& response) override {
//       response.set_field(http::FieldId::content_type, "text/plain");
//       response.body().append("Hello\n");
//       co_return;
//     }
//   };
//
// One Handler serves every connection of every loop: it is immutable or locks what it changes. The coroutine
// runs on the connection's loop. Request and Response live until it has ended and the answer is written.
//
// - A handler turns its own failures into answers. If the coroutine still ends in an error, the server answers
//   with the error's status and code through the ProblemWriter; Category::cancelled (the client went away)
//   closes the connection without an answer.
// - When the client goes away, the scope of the request is cancelled with Category::cancelled; when the request
//   deadline passes, with Category::timeout (504). Whatever the handler waits for ends with that error. A client
//   that has closed only its own direction may still be listening: it counts as gone when the handler has waited
//   for about a second.
#pragma once

#include <string_view>

#include "bedplate/async/async.h"
#include "bedplate/http/message/message.h"

namespace bedplate::http {

class Handler {
 public:
  virtual ~Handler() = default;
  virtual Async<void> handle(Request& request, Response& response) = 0;
};

/// Writes the answers that the server gives by itself (bad framing, limits, time-outs): one error shape for
/// the whole server. Called on any loop; adds status, fields and body to an empty response.
class ProblemWriter {
 public:
  virtual ~ProblemWriter() = default;
  /// `code` is stable and snake_case; `detail` one sentence.
  virtual void write_problem(Response& response, int status, std::string_view code, std::string_view detail);
};

}  // namespace bedplate::http
