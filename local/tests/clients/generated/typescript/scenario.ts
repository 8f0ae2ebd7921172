// Two customers' life by the client that is generated from the published document. What the types promise is what tsc
// checks, so nothing here is cast.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "bank";

type Problem = components["schemas"]["Problem"];

const [url, alice, bob, password] = process.argv.slice(2);
assert(url && alice && bob && password, "usage: scenario.js URL NAME NAME PASSWORD");
const api = createClient<paths>({ baseUrl: url });

// What was answered, or an error that names the problem.
function ok<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function signUp(username: string) {
  const body = { username, password: password!, full_name: "Generated Client", email: `${username}@example.com` };
  const user = ok(await api.POST("/users", { body }));
  assert.equal(user.is_email_verified, false);
  return user.email;
}

// The link's fields, from the mail.
async function mailed(email: string) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const mails = await fetch(`${url}/_local/mail?to=${email}`, { headers: { Accept: "application/json" } });
    const found = /email_id=(\d+)&(?:amp;)?secret_code=([0-9a-f]+)/.exec(await mails.text());
    if (found) return { email_id: Number(found[1]), secret_code: found[2]! };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no mail came to ${email}`);
}

async function customer(username: string) {
  const email = await signUp(username);
  ok(await api.POST("/verify_email", { body: await mailed(email), headers: { Accept: "application/json" } }));
  const session = ok(await api.POST("/users/login", { body: { username, password: password! } }));
  assert(session.user.is_email_verified);
  const headers = { Authorization: `Bearer ${session.access_token}` };
  const account = ok(await api.POST("/accounts", { headers, body: { currency: "USD" } }));
  return { headers, account };
}

const payer = await customer(alice);
const recipient = await customer(bob);

const key = randomUUID();
const deposit = () =>
  api.POST("/accounts/{id}/deposits", {
    headers: payer.headers,
    params: { path: { id: payer.account.id }, header: { "Idempotency-Key": key } },
    body: { amount: 10_000 },
  });
assert.equal(ok(await deposit()).account.balance, 10_000);
const again = await deposit();
assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
assert.equal(ok(again).account.balance, 10_000);

const transfer = (amount: number) =>
  api.POST("/transfers", {
    headers: payer.headers,
    params: { header: { "Idempotency-Key": randomUUID() } },
    body: { from_account_id: payer.account.id, to_account_id: recipient.account.id, amount, currency: "USD" },
  });
const { from_account, from_entry } = ok(await transfer(2_500));
assert.equal(from_account.balance, 7_500);

const history = ok(
  await api.GET("/accounts/{id}/entries", {
    headers: recipient.headers,
    params: { path: { id: recipient.account.id }, query: { limit: 10 } },
  }),
);
assert.deepEqual(history.entries.map(({ kind, amount }) => ({ kind, amount })), [{ kind: "transfer", amount: 2_500 }]);
assert.equal(history.entries[0]?.transfer_id, from_entry.transfer_id);
assert.equal(history.next_cursor, null);

const refused = await transfer(7_501);
const problem: Problem | undefined = refused.error;
assert.equal(refused.response.status, 422);
assert.equal(problem?.code, "insufficient_funds");
console.log("done");
