"use strict";

// In a file of its own, because the page's Content-Security-Policy allows no script inside it.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // The default asks a third party's server to judge the document.
  validatorUrl: null,
});
