// SPDX-License-Identifier: Apache-2.0
// Starts Swagger UI on this server's own document, and adds to it:
//
//   - the answers that many operations share are told once, above; each operation shows its own and leads to the others;
//   - a log-in form where a token is asked for, if the document names the operation (`x-log-in`).
"use strict";

// What an operation shows at once: success, what its input and its rules may meet, and the errors of its own.
const isShown = (status, own) => status.startsWith("2") || status === "409" || status === "422" || own.has(status);

const ownErrors = (operation) => {
  const own = operation.get("x-own-errors");
  return own ? own.map((codes) => new Set(codes)) : new Map();
};

const followed = (document, value) => {
  const reference = value && value.get("$ref");
  return reference ? document.getIn(reference.replace(/^#\//, "").split("/")) : value;
};

// Status to lines such as "- `rate_limited`: Too many requests": what operations answer and do not call their own.
const commonAnswers = (document) => {
  const lines = new Map();
  document.get("paths").forEach((methods) => methods.forEach((operation) => {
    const own = ownErrors(operation);
    operation.get("responses").forEach((reference, status) => {
      if (/^[23]/.test(status)) return;
      const known = lines.get(status) || new Set();
      for (const line of followed(document, reference).get("description").split("\n").slice(1)) {
        const code = /^- `(.*?)`/.exec(line);
        if (!code || !own.has(status) || !own.get(status).has(code[1])) known.add(line);
      }
      lines.set(status, known);
    });
  }));
  return [...lines].filter(([, known]) => known.size).sort(([a], [b]) => a - b);
};

const findOperation = (document, id) => {
  for (const [path, methods] of document.get("paths").entries())
    for (const [method, operation] of methods.entries())
      if (operation.get("operationId") === id) return { path, method, operation };
  return null;
};

// The fields of the log-in's body that must be given.
const logInFields = (document, operation) => {
  const schema = followed(document, operation.getIn(["requestBody", "content", "application/json", "schema"]));
  return [...schema.get("required", [])].map((name) => {
    const secret = Boolean(followed(document, schema.getIn(["properties", name])).get("writeOnly"));
    return { name, label: name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " "), secret };
  });
};

// Colours of examples: Swagger UI writes them into the elements, so that no style sheet could set them.
const syntaxColours = {
  hljs: { background: "var(--field)", color: "var(--text)" },
  "hljs-attr": { color: "var(--link)" },
  "hljs-string": { color: "var(--good)" },
  "hljs-number": { color: "var(--code)" },
  "hljs-literal": { color: "var(--bad)" },
  "hljs-keyword": { color: "var(--bad)" },
};

const reference = ({ React, specSelectors, authActions, getComponent }) => {
  const element = React.createElement;

  function CommonAnswers() {
    const document = specSelectors.specJson();
    if (!document.get("paths")) return null;
    const Markdown = getComponent("Markdown", true);
    const headers = document.getIn(["components", "headers"]);
    return element("details", { className: "common-answers wrapper", id: "common-answers" },
      element("summary", null, "Answers that many operations share"),
      element("dl", null, commonAnswers(document).map(([status, lines]) => element(React.Fragment, { key: status },
        element("dt", null, status), element("dd", null, element(Markdown, { source: [...lines].join("\n") }))))),
      headers && element("dl", null, headers.entrySeq().map(([name, header]) => element(React.Fragment, { key: name },
        element("dt", null, name), element("dd", null, header.get("description")))).toArray()));
  }

  function OperationAnswers({ Original, ...props }) {
    const [unfolded, setUnfolded] = React.useState(false);
    const own = ownErrors(specSelectors.specJson().getIn(["paths", props.path, props.method]));
    const others = props.responses.filterNot((_, status) => isShown(status, own)).keySeq().toArray();
    const responses = unfolded ? props.responses : props.responses.filter((_, status) => isShown(status, own));
    return element(React.Fragment, null, element(Original, { ...props, responses }),
      others.length > 0 && element("p", { className: "other-answers" },
        element("button", { type: "button", "aria-expanded": unfolded, onClick: () => setUnfolded(!unfolded) },
          unfolded ? "Hide the other answers" : `Show ${others.length} other answers`),
        ` ${others.join(", ")}: most are `, element("a", { href: "#common-answers", onClick: showCommonAnswers },
          "those that operations share"), "."));
  }

  function showCommonAnswers(event) {
    event.preventDefault(); // The address names the operation.
    const answers = window.document.getElementById("common-answers");
    answers.open = true;
    answers.scrollIntoView();
    answers.querySelector("summary").focus();
  }

  function FoldedHeaders({ Original, ...props }) {
    const names = props.headers ? props.headers.keySeq().toArray() : [];
    if (names.length === 0) return null;
    return element("details", { className: "headers-folded" },
      element("summary", null, `Headers: ${names.join(", ")}`), element(Original, props));
  }

  function LogIn({ name, schema, path, method, fields, token }) {
    const [values, setValues] = React.useState({});
    const [problem, setProblem] = React.useState("");
    const [busy, setBusy] = React.useState(false);
    const first = React.useRef(null);
    React.useEffect(() => first.current.focus(), []);

    const logIn = async () => {
      setBusy(true);
      setProblem("");
      try {
        const answer = await fetch(path, { method: method.toUpperCase(), body: JSON.stringify(values),
          headers: { "Content-Type": "application/json" }, credentials: "omit" });
        const body = await answer.json();
        if (answer.ok) authActions.authorizeWithPersistOption({ [name]: { name, schema, value: body[token] } });
        else setProblem((body.errors || []).map((one) => `${one.pointer.slice(1)} ${one.message}`).join("; ") ||
          body.detail);
      } catch {
        setProblem("The server does not answer.");
      }
      setBusy(false);
    };
    // It stands inside Swagger UI's own form, which Enter would send.
    const onKeyDown = (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
      event.preventDefault();
      if (!busy) logIn();
    };

    return element("div", { className: "log-in-form", role: "group", "aria-label": "Log in", onKeyDown },
      fields.map(({ name: field, label, secret }, place) => element("label", { key: field }, label,
        element("input", { type: secret ? "password" : "text", autoComplete: secret ? "current-password" : "username",
          ref: place === 0 ? first : null, value: values[field] || "", autoCapitalize: "none", spellCheck: false,
          onChange: (event) => setValues({ ...values, [field]: event.target.value }) }))),
      problem && element("p", { role: "alert" }, problem),
      element("button", { type: "button", className: "btn log-in", disabled: busy, onClick: logIn }, "Log in"));
  }

  function TokenOrLogIn({ Original, ...props }) {
    const document = specSelectors.specJson();
    const logIn = props.schema.get("x-log-in");
    const found = logIn && findOperation(document, logIn.get("operationId"));
    const authorized = props.authorized && props.authorized.get(props.name);
    return element(React.Fragment, null,
      found && !authorized && element(LogIn, { name: props.name, schema: props.schema, path: found.path,
        method: found.method, fields: logInFields(document, found.operation), token: logIn.get("token") }),
      element(Original, props));
  }

  const around = (Component) => (Original) => (props) => element(Component, { ...props, Original });
  return {
    rootInjects: { syntaxHighlighting: { styles: { ours: syntaxColours } } },
    wrapComponents: {
      InfoContainer: (Original) => (props) =>
        element(React.Fragment, null, element(Original, props), element(CommonAnswers)),
      responses: around(OperationAnswers),
      headers: around(FoldedHeaders),
      HttpAuth: around(TokenOrLogIn),
    },
  };
};

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
    plugins: [reference],
    syntaxHighlight: { theme: "ours" },
    onComplete: () => {
      const title = document.querySelector("#reference .info .title");
      if (title) document.title = title.firstChild.textContent.trim() + " · API reference";
    },
  });
});
