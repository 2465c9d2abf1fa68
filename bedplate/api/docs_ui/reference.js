// SPDX-License-Identifier: Apache-2.0
// Starts Swagger UI on this server's own document.
"use strict";
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    filter: true,
    persistAuthorization: false, // tokens stay in this page
    tryItOutEnabled: true,
    validatorUrl: null, // asks nobody outside
    presets: [SwaggerUIBundle.presets.apis],
    onComplete: () => {
      const title = document.querySelector("#reference .info .title");
      if (title) document.title = title.firstChild.textContent.trim() + " · API reference";
    },
  });
});
