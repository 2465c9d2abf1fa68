// SPDX-License-Identifier: Apache-2.0
// Request targets, queries, and the values of list fields: any bytes.
#include <cstdlib>
#include <string>
#include <string_view>

#include "bedplate/base/text.h"
#include "bedplate/http/address.h"
#include "bedplate/http/compression.h"
#include "bedplate/http/message/content.h"
#include "bedplate/http/message/date.h"
#include "bedplate/http/message/etag.h"
#include "bedplate/http/message/url.h"

using namespace bedplate::http;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string storage;
  Target target;
  if (parse_target(bytes, false, storage, target) == TargetError::none &&
      target.form != TargetForm::asterisk) {
    const std::string path = std::string(target.path) + "/";
    if (!path.starts_with('/') || path.find("/../") != std::string::npos ||
        path.find('\0') != std::string::npos || !bedplate::is_valid_utf8(path))
      std::abort();
  }
  std::string scratch;
  QueryReader reader(bytes, scratch);
  while (reader.next())
    if (!bedplate::is_valid_utf8(reader.name()) || !bedplate::is_valid_utf8(reader.value())) std::abort();
  if (!reader.ok() && reader.offset() >= bytes.size()) std::abort();

  if (const auto media = parse_media_type(bytes)) static_cast<void>(media->parameter("charset"));
  if (const int quality = accept_quality(bytes, "application/json"); quality < 0 || quality > 1000)
    std::abort();
  static_cast<void>(choose_coding(bytes));
  static_cast<void>(if_match(bytes, "\"7\""));
  static_cast<void>(if_none_match(bytes, "\"7\""));
  static_cast<void>(if_match_version(bytes));
  static_cast<void>(parse_http_date(bytes));
  static const std::vector<std::string> networks = {"10.0.0.0/8"};
  static const TrustedProxies proxies = *TrustedProxies::parse(networks, "forwarded");
  static_cast<void>(proxies.client_of("10.0.0.1", bytes));
  return 0;
}
