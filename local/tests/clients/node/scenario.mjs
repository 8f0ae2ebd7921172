// A customer's life at the bank by the clients that browsers use: the gateway's address, a file with the
// contract's descriptors, the protocol and the format, the name of a customer who is verified, their
// password, a wrong one, and the account that is to be paid. Says which tokens there were.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

const [baseUrl, file, protocol, format, username, password, wrongPassword, toAccount] =
  process.argv.slice(2);
const transports = { connect: createConnectTransport, "grpc-web": createGrpcWebTransport };
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
const service = registry.getService("simplebank.v1.SimpleBank");
const client = createClient(
  service,
  transports[protocol]({ baseUrl, useBinaryFormat: format === "proto" }),
);
let token;

// Where a client says that it comes from is nobody's business.
const lies = { "x-forwarded-for": "203.0.113.7", forwarded: "for=203.0.113.7" };

/** Calls a method; the reply, and the headers that came with it. */
async function call(method, fields = {}, key = undefined) {
  const headers = new Headers({ ...lies, "user-agent": "a-browser/1" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (key !== undefined) headers.set("idempotency-key", key);
  let received;
  const reply = await client[method](fields, {
    headers,
    onHeader: (headers) => (received = headers),
  });
  assert.equal(received.get("cache-control"), "no-store", method);
  assert.equal(received.get("x-content-type-options"), "nosniff", method);
  assert.ok(received.get("x-request-id"), method);
  return { reply, replayed: received.get("idempotent-replayed") };
}

/** Calls a method that has to be refused; the bank's code, and what else is known. */
async function refusal(code, method, fields = {}, key = undefined) {
  const error = await call(method, fields, key).then(
    () => assert.fail(`${method} was not refused`),
    (error) => error,
  );
  assert.ok(error instanceof ConnectError, `${method}: ${error.stack}`);
  assert.equal(Code[error.code], Code[code], `${method}: ${error}`);
  const details = (name) => error.findDetails(registry.getMessage(`google.rpc.${name}`));
  const [info] = details("ErrorInfo");
  assert.equal(info.domain, "simplebank.dev");
  return {
    reason: info.reason,
    message: error.rawMessage,
    fields: details("BadRequest").flatMap((it) => it.fieldViolations.map((it) => it.field)).sort(),
    retrySeconds: details("RetryInfo").map((it) => Number(it.retryDelay.seconds)),
    metadata: error.metadata,
  };
}

async function logIn(username) {
  token = undefined;
  const { reply } = await call("loginUser", { username, password });
  console.log(`${reply.accessToken}\n${reply.refreshToken}`);
  token = reply.accessToken;
  return reply;
}

// Signing up: every field that is wrong is named.
const wrong = await refusal(Code.InvalidArgument, "createUser", { username: "A!" });
assert.equal(wrong.message, "invalid parameters");
assert.deepEqual(wrong.fields, ["email", "full_name", "password", "username"]);
const name = `user_${randomUUID().replaceAll("-", "")}`;
const newcomer = { username: name, password, fullName: "Zoë Łukasz 李", email: `${name}@example.com` };
const { reply: signedUp } = await call("createUser", newcomer);
assert.equal(signedUp.user.fullName, newcomer.fullName);
assert.equal(signedUp.user.isEmailVerified, false);
assert.ok(signedUp.user.createdAt.seconds > 1_700_000_000n);
assert.equal((await refusal(Code.AlreadyExists, "createUser", newcomer)).reason, "USERNAME_TAKEN");

// Nobody acts without a session.
for (const [bad, reason] of [[undefined, "UNAUTHENTICATED"], ["v4.public.forged", "INVALID_TOKEN"]]) {
  token = bad;
  const refused = await refusal(Code.Unauthenticated, "listAccounts");
  assert.equal(refused.reason, reason);
  assert.ok(refused.metadata.get("www-authenticate").startsWith("Bearer"));
}

// The session that is shown is where the call came from.
const begun = await logIn(username);
assert.equal(begun.user.username, username);
const { reply: listed } = await call("listSessions");
const mine = listed.sessions.filter((it) => it.current);
assert.deepEqual(mine.map((it) => it.id), [begun.sessionId]);
assert.equal(mine[0].clientIp, "127.0.0.1");
assert.equal(mine[0].userAgent, "a-browser/1");

// Money comes in, and moves once, however often that is sent.
const { reply: opened } = await call("createAccount", { currency: "USD" });
const { id } = opened.account;
assert.equal(typeof id, "bigint");
for (const amount of [1_000n, 200n, 34n]) {
  const { reply, replayed } = await call("deposit", { accountId: id, amount }, randomUUID());
  assert.equal(reply.entry.amount, amount);
  assert.equal(replayed, null);
}
const transfer = { fromAccountId: id, toAccountId: BigInt(toAccount), amount: 234n, currency: "USD" };
const key = randomUUID();
const first = await call("createTransfer", transfer, key);
assert.equal(first.reply.fromAccount.balance, 1_000n);
assert.equal(first.reply.fromEntry.amount, -234n);
assert.equal(first.replayed, null);
const second = await call("createTransfer", transfer, key);
assert.deepEqual(second.reply, first.reply);
assert.equal(second.replayed, "true");
const tooMuch = { ...transfer, amount: 1_000_000n };
assert.equal(
  (await refusal(Code.FailedPrecondition, "createTransfer", tooMuch, key)).reason,
  "IDEMPOTENCY_KEY_REUSED",
);
const refusedKey = randomUUID();
for (const replayed of [null, "true"]) {
  const refused = await refusal(Code.FailedPrecondition, "createTransfer", tooMuch, refusedKey);
  assert.equal(refused.reason, "INSUFFICIENT_FUNDS");
  assert.equal(refused.metadata.get("idempotent-replayed"), replayed);
}
assert.equal(
  (await refusal(Code.InvalidArgument, "createTransfer", transfer)).reason,
  "IDEMPOTENCY_KEY_MISSING",
);
assert.deepEqual(
  (await refusal(Code.InvalidArgument, "createTransfer", {}, randomUUID())).fields,
  ["amount", "currency", "from_account_id", "to_account_id"],
);
const others = await refusal(Code.NotFound, "getAccount", { id: BigInt(toAccount) });
assert.equal(others.reason, "NOT_FOUND");
const { reply: shown } = await call("getTransfer", { id: first.reply.transfer.id });
assert.deepEqual(shown.transfer, first.reply.transfer);

// Lists, newest first, page after page.
async function pages(method, items, fields) {
  const found = [];
  let cursor = "";
  do {
    const { reply } = await call(method, { ...fields, limit: 3, cursor });
    found.push(reply[items].map((it) => Number(it.amount)));
    cursor = reply.nextCursor;
  } while (cursor !== "");
  return found;
}
for (const amount of [1n, 2n, 3n]) {
  await call("createTransfer", { ...transfer, amount }, randomUUID());
}
assert.deepEqual(await pages("listEntries", "entries", { accountId: id }), [
  [-3, -2, -1],
  [-234, 34, 200],
  [1_000],
]);
assert.deepEqual(await pages("listTransfers", "transfers", {}), [[3, 2, 1], [234]]);

// A session goes on under a new token.
const { reply: renewed } = await call("renewAccess", { refreshToken: begun.refreshToken });
console.log(`${renewed.accessToken}\n${renewed.refreshToken}`);
token = renewed.accessToken;
assert.equal((await call("getAccount", { id })).reply.account.balance, 994n);

// Five wrong passwords, and the sixth has to wait.
const guess = { username: name, password: wrongPassword };
for (let n = 0; n < 5; n++) {
  const refused = await refusal(Code.Unauthenticated, "loginUser", guess);
  assert.equal(refused.reason, "INVALID_CREDENTIALS");
}
const locked = await refusal(Code.ResourceExhausted, "loginUser", guess);
assert.equal(locked.reason, "TOO_MANY_REQUESTS");
const [seconds] = locked.retrySeconds;
assert.ok(seconds >= 1 && seconds <= 30, `${seconds}`);
assert.equal(locked.metadata.get("retry-after"), `${seconds}`);

// A session that ends, ends at once.
await call("logout");
assert.equal(
  (await refusal(Code.Unauthenticated, "getAccount", { id })).reason,
  "SESSION_ENDED",
);
