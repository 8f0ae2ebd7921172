"""Whether openapi_breaks.py sees a break, and nothing in an addition: each is planted in the published document.

    python infra/test_openapi_breaks.py
"""

import copy
import json
import pathlib
import unittest

from openapi_breaks import Comparison

DOCUMENT = json.loads((pathlib.Path(__file__).parents[1] / "functions/docs/openapi.json").read_text())


def schema(document, name):
    return document["components"]["schemas"][name]


def operation(document, method, path):
    return document["paths"][path][method]


def limit(document):
    return next(parameter for parameter in operation(document, "get", "/transfers")["parameters"]
                if parameter["name"] == "limit")


# What is done to a copy of the document, and how the break is told of.
BREAKS = {
    "a route is removed": (lambda d: d["paths"].pop("/sessions"), "GET /sessions: is gone"),
    "a method is removed": (lambda d: d["paths"]["/users/{username}"].pop("patch"), "PATCH /users/{username}: is gone"),
    "clients call it otherwise": (
        lambda d: operation(d, "post", "/accounts").update(operationId="createAccount"),
        "POST /accounts: has another operationId, by which generated clients call it"),
    "an answer loses a member": (
        lambda d: schema(d, "Account")["properties"].pop("balance"), "GET /accounts/{id} 200: has no balance any more"),
    "a member of an answer may be absent": (
        lambda d: schema(d, "Account")["required"].remove("balance"), "GET /accounts/{id} 200: may be without balance"),
    "an answer may hold another value": (
        lambda d: schema(d, "EntryKind")["enum"].append("fee"),
        'GET /accounts/{id}/entries 200.entries[].kind: more is answered: "fee"'),
    "an answer may be null": (
        lambda d: schema(d, "User")["properties"].update(email={"type": ["string", "null"]}),
        "GET /users/{username} 200.email: more is answered: type"),
    "another answer than before": (
        lambda d: operation(d, "post", "/accounts")["responses"].update({
            "200": operation(d, "post", "/accounts")["responses"].pop("201")}),
        "POST /accounts: may be answered by 200"),
    "a new member is asked for": (
        lambda d: schema(d, "TransferRequest")["required"].append("memo"), "POST /transfers body: asks for memo"),
    "a member is taken no more": (
        lambda d: schema(d, "UpdateUserRequest")["properties"].pop("full_name"),
        "PATCH /users/{username} body: does not take full_name any more"),
    "fewer values are taken": (
        lambda d: schema(d, "TransferRequest")["properties"].update(currency={"type": "string", "enum": ["USD"]}),
        'POST /transfers body.currency: less is taken: "CAD", "EUR"'),
    "a bound is lower": (
        lambda d: schema(d, "Amount").update(maximum=1000), "POST /transfers body.amount: less is taken: maximum"),
    "a pattern is another one": (
        lambda d: schema(d, "Username").update(pattern="^[a-z]+$"),
        "POST /users body.username: less is taken, as far as can be told: pattern"),
    "a parameter is asked for": (
        lambda d: limit(d).update(required=True), "GET /transfers: asks for the query parameter limit"),
    "a parameter is taken no more": (
        lambda d: operation(d, "get", "/transfers")["parameters"].remove(limit(d)),
        "GET /transfers: does not take the query parameter limit any more"),
    "a token is asked for": (
        lambda d: operation(d, "post", "/users").update(security=[{"bearerAuth": []}]),
        "POST /users: asks for a token where it did not"),
    "JSON is taken no more": (
        lambda d: operation(d, "post", "/verify_email")["requestBody"]["content"].pop("application/json"),
        "POST /verify_email: does not take application/json any more"),
}

ADDITIONS = {
    "nothing": lambda d: None,
    "a route": lambda d: d["paths"].update({"/statements": d["paths"]["/accounts"]}),
    "a member of an answer": lambda d: schema(d, "Account")["properties"].update(name={"type": "string"}),
    "a member of a request": lambda d: schema(d, "TransferRequest")["properties"].update(memo={"type": "string"}),
    "a parameter": lambda d: operation(d, "get", "/sessions").setdefault("parameters", []).append(
        {"in": "query", "name": "limit", "required": False, "schema": {"type": "integer"}}),
    "a refusal": lambda d: operation(d, "get", "/sessions")["responses"].update({"418": {"description": "Teapot"}}),
    "words": lambda d: schema(d, "Account").update(description="Where money is."),
    "a token is not needed": lambda d: operation(d, "get", "/sessions").update(security=[{}, {"bearerAuth": []}]),
    "more is taken": lambda d: schema(d, "TransferRequest")["properties"]["amount"].clear(),
}


def breaks(change):
    newer = copy.deepcopy(DOCUMENT)
    change(newer)
    comparison = Comparison(DOCUMENT, newer)
    comparison.document()
    return [f"{at}: {what}" for at, what in comparison.breaks]


class Test(unittest.TestCase):
    def test_breaks_are_named(self):
        for name, (change, told) in BREAKS.items():
            with self.subTest(name):
                self.assertIn(told, breaks(change))

    def test_additions_are_none(self):
        for name, change in ADDITIONS.items():
            with self.subTest(name):
                self.assertEqual(breaks(change), [])


if __name__ == "__main__":
    unittest.main()
