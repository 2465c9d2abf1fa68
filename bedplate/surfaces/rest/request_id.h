// SPDX-License-Identifier: Apache-2.0
// Request ids: what ties an answer, its log lines and a support call together.
//
//   RequestId id;
//   id.take(request.field(FieldId::x_request_id));    // the client's when it is fit to be logged, else a new one
//
// Taken from outside: 8 to 64 letters, digits, '-', '_', '.', so that it cannot forge a log line or a header. Made
// here: 24 hexadecimal digits, unique to this process's life: a random number of the thread, then a counter. It is
// a name, not a secret.
#pragma once

#include <cstddef>
#include <string_view>

namespace bedplate::api {

class RequestId {
 public:
  static constexpr std::size_t kSizeMax = 64;

  void take(std::string_view from_outside) {
    if (!fit(from_outside))
      make();
    else
      copy(from_outside);
  }
  void make();
  std::string_view view() const { return {text_, size_}; }

  static bool fit(std::string_view text);

 private:
  void copy(std::string_view text);

  unsigned char size_ = 0;
  char text_[kSizeMax];
};

}  // namespace bedplate::api
