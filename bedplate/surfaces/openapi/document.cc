// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/openapi/document.h"

#include <sodium.h>

#include "bedplate/base/text.h"
#include "bedplate/http/message/etag.h"
#include "bedplate/surfaces/rest/problem.h"

namespace bedplate::api {
namespace {

/// A name for these bytes that another build with the same bytes shares.
std::string content_tag(std::string_view bytes) {
  unsigned char hash[16];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                     nullptr, 0);
  std::string hex(2 * sizeof hash, '\0');
  write_hex(hex.data(), hash, sizeof hash);
  return hex;
}

}  // namespace

Document::Document(std::string_view content_type, std::string_view bytes, std::string_view cache_control)
    : content_type_(content_type), bytes_(bytes), cache_control_(cache_control) {}

void Document::make_tag() {
  std::call_once(tag_made_, [this] {
    tag_ = content_tag(bytes_);
    etag_ = '"' + tag_ + '"';
  });
}

const Document::Variant* Document::variant(http::Coding coding) {
  if (coding == http::Coding::identity || !http::is_compressible(content_type_)) return nullptr;
  Variant& variant = variants_[static_cast<std::size_t>(coding)];
  std::call_once(variant.made, [&] {
    Buffer out;
    std::unique_ptr<http::Encoder> encoder = http::Encoder::make(coding);
    if (!encoder || !encoder->encode(bytes_, http::Encoder::Flush::end, out) || out.size() >= bytes_.size())
      return;
    variant.bytes = out.to_string();
    variant.etag = '"' + tag_ + '-' + std::string(http::coding_name(coding)) + '"';
  });
  return variant.bytes.empty() ? nullptr : &variant;
}

Async<void> Document::handle(http::Request& request, http::Response& response) {
  make_tag();
  const http::CodingChoice choice = http::choose_coding(request.field_list(http::FieldId::accept_encoding));
  const Variant* variant = this->variant(choice.coding);
  response.forbid_compression();  // it is compressed already, or not worth it
  response.set_field(http::FieldId::etag, variant ? variant->etag : etag_);
  response.set_field(http::FieldId::cache_control, cache_control_);
  response.add_field(http::FieldId::vary, "Accept-Encoding");  // beside the Origin of CORS
  if (request.has_field(http::FieldId::if_match) &&
      !http::if_match(request.field_list(http::FieldId::if_match), etag_).matches) {
    Error error(Category::precondition_failed, "version_mismatch",
                "The version is none of those that If-Match names.");
    write_problem(response, std::move(error).with_subject(tag_), request.path(),
                  response.field(http::FieldId::x_request_id));
    co_return;
  }
  if (http::if_none_match(request.field_list(http::FieldId::if_none_match), etag_)) {
    response.set_status(304);
    co_return;
  }
  response.set_field(http::FieldId::content_type, content_type_);
  if (variant) response.set_field(http::FieldId::content_encoding, http::coding_name(choice.coding));
  response.set_static_body(variant ? std::string_view(variant->bytes) : bytes_);
}

}  // namespace bedplate::api
