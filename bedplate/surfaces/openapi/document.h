// SPDX-License-Identifier: Apache-2.0
// A document that does not change while the program runs, with an ETag and kept in compressed form.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <string_view>

#include "bedplate/http/compression.h"
#include "bedplate/http/handler.h"

namespace bedplate::api {

/// Thread-safe. Each coding is made when it is first asked for (a large one keeps its loop busy for some tens of
/// milliseconds, once) and kept.
class Document final : public http::Handler {
 public:
  /// `bytes` outlives it. `cache_control` empty: "no-cache", which with the ETag costs one short answer a visit.
  Document(std::string_view content_type, std::string_view bytes,
           std::string_view cache_control = "no-cache");

  Async<void> handle(http::Request& request, http::Response& response) override;

 private:
  struct Variant {
    std::once_flag made;
    std::string bytes;
    std::string etag;
  };
  /// Hashing megabytes is not for the start of the program.
  void make_tag();
  /// Null: this coding saves nothing.
  const Variant* variant(http::Coding coding);

  std::string content_type_;
  std::string_view bytes_;
  std::string cache_control_;
  std::once_flag tag_made_;
  std::string tag_;   // without quotes
  std::string etag_;  // of the bytes as they are
  std::array<Variant, http::kCodingCount> variants_;
};

}  // namespace bedplate::api
