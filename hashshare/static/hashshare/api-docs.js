"use strict";

// Requests are not sent from this page: changes need a signature, and keys do not belong in a browser.
const place = document.getElementById("api-docs");

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  supportedSubmitMethods: [],
  validatorUrl: null,
});
