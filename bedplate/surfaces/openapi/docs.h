// SPDX-License-Identifier: Apache-2.0
// /docs: the reference that people read and try, drawn by Swagger UI from /openapi.json. Everything comes from the
// binary; the page asks nobody else for anything.
//
// The UI's files are npm's swagger-ui-dist, embedded when web/node_modules was installed at build time (./dev does).
// Without them /docs says so and links the document.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "bedplate/base/embedded.h"
#include "bedplate/http/handler.h"
#include "bedplate/surfaces/rest/route.h"

namespace bedplate::api {

/// Scripts, styles and requests of this origin only; images may be inline (the UI's icons are data: URLs).
inline constexpr std::string_view kDocsContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct DocsPage {
  Route route;
  std::unique_ptr<http::Handler> handler;
};

/// The UI's files in this binary; none when it was built without them.
std::span<const EmbeddedFile> docs_ui();

/// The page and its files, of which those of the UI are given; without any, a page that says so.
std::vector<DocsPage> docs_pages(std::span<const EmbeddedFile> ui);

}  // namespace bedplate::api
