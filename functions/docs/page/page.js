// Shows openapi.json by Swagger UI, and adds what the bank needs besides: access tokens that are used by a
// button, keys that are fresh, answers in sight, a guide's links, and what each problem means. Nothing is kept
// when the page is left.
"use strict";

// Its name in the document.
const SCHEME = "bearerAuth";
const NO_TOKEN = document.getElementById("token").textContent;
// The access token that the last request had, if any.
let sent;
// How many answers have come.
let answers = 0;

const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  plugins: [withFreshKeys, withAnswersInSight],
  // It would take the address of a problem for one of its own, which begins with #/.
  deepLinking: /^(#\/|$)/.test(location.hash),
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  // Otherwise it would show the document to a server of its maker's.
  validatorUrl: null,
  requestInterceptor: noteToken,
  responseInterceptor: learn,
  onComplete: () => {
    ui.getStore().subscribe(showTokens);
    showProblems(ui.specSelectors.specJson().get("x-problems")?.toJS() ?? []);
  },
});

// ---- Access tokens ----

// By session, in the order of their arrival: { name, token }.
const sessions = new Map();
// Tokens that have expired, or whose session has ended.
const spent = new Set();

function noteToken(request) {
  sent = request.headers?.Authorization?.replace("Bearer ", "");
  return request;
}

// Every answer passes here. One that has an access token is a log-in or a renewal.
function learn(response) {
  const { session_id: id, access_token: token, user, code } = response.body ?? {};
  if (response.ok && id && token) {
    const name = user?.username ?? sessions.get(id)?.name ?? "renewed session";
    for (const [other, session] of sessions) {
      if (session.name === name) sessions.delete(other);
    }
    sessions.set(id, { name, token });
    showTokens();
  }
  // A renewal has none, and speaks of the token in its body.
  if (sent && isEnd(response, code)) {
    spent.add(sent);
    showTokens();
  }
  // Swagger UI keeps this, and may show an answer anew, which is not another one.
  response.number = ++answers;
  return response;
}

// Whether the request's token is accepted no longer.
function isEnd({ ok, url }, code) {
  return code === "token_expired" || code === "session_ended" || (ok && url.endsWith("/users/logout"));
}

function tokenInUse() {
  return ui.authSelectors.authorized()?.getIn([SCHEME, "value"]);
}

// What the bar says follows from what Swagger UI has, since a token can also come and go by Authorize.
let shown = "";
function showTokens() {
  const inUse = tokenInUse();
  const state = JSON.stringify([inUse, [...spent], ...sessions]);
  if (state === shown) return;
  shown = state;

  const used = [...sessions.values()].find(({ token }) => token === inUse);
  document.getElementById("token").textContent = sentence(used, inUse);
  const others = [...sessions.values()].filter((session) => session !== used && !spent.has(session.token));
  document.getElementById("tokens").replaceChildren(...others.map(useButton));
}

function sentence(used, inUse) {
  if (spent.has(inUse)) return `${used ? `${used.name}’s` : "The"} access token is no longer accepted.`;
  if (used) return `${used.name}’s access token is in use.`;
  if (inUse) return "An access token is in use that was set by Authorize or is of an earlier log-in.";
  return sessions.size ? "No access token is in use." : NO_TOKEN;
}

function useButton({ name, token }) {
  const button = element("button", `Act as ${name}`);
  button.type = "button";
  button.addEventListener("click", () => ui.preauthorizeApiKey(SCHEME, token));
  return button;
}

// ---- Idempotency keys ----

// A plugin: the field for a key has a fresh one from the start and a button for the next. It can be edited
// like any other.
function withFreshKeys() {
  const wrap = (Field, { React }) => function KeyField(props) {
    const isKey = props.description?.toLowerCase() === "idempotency-key" && !props.disabled;
    const renew = () => props.onChange(freshKey());
    React.useEffect(() => { if (isKey) renew(); }, [isKey]);

    const field = React.createElement(Field, props);
    if (!isKey) return field;
    const button = React.createElement(
      "button",
      { type: "button", className: "btn new-key", onClick: renew },
      "New key",
    );
    return React.createElement("div", { className: "key-field" }, field, button);
  };
  return { wrapComponents: { JsonSchemaForm: wrap } };
}

// randomUUID would want HTTPS.
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- Answers ----

// A plugin: an answer that has come below what is seen is brought into sight, once.
function withAnswersInSight() {
  let seen = 0;
  const wrap = (Answer, { React }) => function SeenAnswer(props) {
    const place = React.useRef(null);
    const number = props.response?.get("number");
    React.useLayoutEffect(() => {
      if (!(number > seen)) return;
      seen = number;
      place.current.querySelector(".live-responses-table")?.scrollIntoView({ block: "nearest" });
    }, [number]);

    return React.createElement("div", { ref: place }, React.createElement(Answer, props));
  };
  return { wrapComponents: { liveResponse: wrap } };
}

// ---- The guide ----

// A step's link leads to its endpoint and opens it. Swagger UI understands such an address, but looks at it
// only when the page is loaded.
for (const link of document.querySelectorAll("#first-transfer a[href^='#/']")) {
  const [, tag, operation] = link.hash.split("/");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const { layoutActions, layoutSelectors } = ui;
    if (!layoutSelectors.isShown(["operations-tag", tag], true)) layoutActions.show(["operations-tag", tag], true);
    layoutActions.show(["operations", tag, operation], true);
    requestAnimationFrame(() => document.getElementById(`operations-${tag}-${operation}`).scrollIntoView());
  });
}

// ---- Problems ----

// Each has an anchor: /docs#problem-not_found.
function showProblems(problems) {
  const list = document.getElementById("problem-list");
  list.replaceChildren(...problems.map(({ code, status, title, detail }) => {
    const article = element("article");
    article.id = `problem-${code}`;
    const link = element("a", code);
    link.href = `#${article.id}`;
    const heading = element("h3");
    heading.append(link, ` ${status}`);
    article.append(heading, element("p", title), element("p", detail));
    return article;
  }));
  // The browser has looked for it before it was there.
  if (location.hash.startsWith("#problem-")) location.replace(location.hash);
}

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
