// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/openapi/docs.h"

#include <string>

#include "api_docs_pages.h"
#include "bedplate/surfaces/openapi/document.h"
#ifdef BEDPLATE_HAS_DOCS_UI
#include "api_docs_ui.h"
#endif

namespace bedplate::api {
namespace {

struct Asset {
  Route route;
  std::string_view file;
  std::string_view content_type;
};

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kStyle = "text/css; charset=utf-8";

constexpr Asset kPage{get("/docs"), "index.html", kHtml};
constexpr Asset kMissingPage{get("/docs"), "missing.html", kHtml};
constexpr Asset kAssets[] = {
    {get("/docs/reference.js"), "reference.js", kScript},
    {get("/docs/reference.css"), "reference.css", kStyle},
    {get("/docs/favicon.svg"), "favicon.svg", "image/svg+xml"},
    {get("/docs/swagger-ui.css"), "swagger-ui.css", kStyle},
    {get("/docs/swagger-ui-bundle.js"), "swagger-ui-bundle.js", kScript},
};

void add(std::vector<DocsPage>& pages, const Asset& asset, std::span<const EmbeddedFile> files) {
  for (const EmbeddedFile& file : files)
    if (file.name == asset.file)
      pages.push_back({asset.route, std::make_unique<Document>(asset.content_type, file.bytes)});
}

}  // namespace

std::span<const EmbeddedFile> docs_ui() {
#ifdef BEDPLATE_HAS_DOCS_UI
  return api_docs_ui();
#else
  return {};
#endif
}

std::vector<DocsPage> docs_pages(std::span<const EmbeddedFile> ui) {
  std::vector<DocsPage> pages;
  add(pages, ui.empty() ? kMissingPage : kPage, api_docs_pages());
  if (ui.empty()) return pages;
  for (const Asset& asset : kAssets) {
    add(pages, asset, api_docs_pages());
    add(pages, asset, ui);
  }
  return pages;
}

}  // namespace bedplate::api
