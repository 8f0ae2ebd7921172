"""What schemathesis cannot know from the document: how some values are made, and which refusals are right."""

import atexit
import collections
import json
import os
import pathlib
import secrets
import string
import urllib.request

import schemathesis
from hypothesis import strategies as st

# gRPC's, which the original's gateway answers by 400: the request is valid, and the bank in no state for it.
FAILED_PRECONDITION = 9
# What stands in the document as examples, and means nothing until something true is put in its place.
KEY = "f3b1c2d4-0b5e-4c58-9d2e-2f6a1f0c7a11"
REFRESH_TOKEN = "dGhpcyBpcyBub3QgYSByZWFsIHJlZnJlc2ggdG9rZW4"
EMAIL_ID = 2482649261713517
ALICE = ("alice", "alice@example.com")
SIGN_UPS = ("/users", "/v1/create_user")
KEYED = ("CreateTransfer", "Deposit", "Withdraw")
# What alice and bob know.
PASSWORD = "seven tall cranes"

# Values that a route refuses though they have the right shape, since no schema can say what is wrong with them.
RIGHTLY_REFUSED = {
    # The document says so of `PATCH /users/{username}`; of the original's route it cannot, where null counts as absent.
    ("current_password", "is required"),
    # Only the bank can make one.
    ("cursor", "must be a next_cursor of the same list"),
    # No pattern holds the list of them, nor what the other fields say.
    ("password", "must not be a well-known password"),
    ("password", "the password must not be the username or the e-mail"),
    # OpenAPI does not know of parameters that exclude each other.
    ("limit", "does not go together with a numbered page"),
}

# How often each route was answered by which status.
answered = collections.defaultdict(collections.Counter)
atexit.register(lambda: pathlib.Path(os.environ["ANSWERED"]).write_text(json.dumps(answered)))

words = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
schemathesis.openapi.format("email", st.builds("{}@{}.example.com".format, words, words))
visible = st.characters(codec="utf-8", exclude_categories=["C", "Z"])
schemathesis.openapi.format("password", st.text(visible, min_size=12, max_size=60))


@schemathesis.deserializer("text/css", "text/javascript")
def as_text(context, response):
    return response.text


@schemathesis.hook
def map_body(context, body):
    return whole(body)


def whole(value):
    """Numbers without a point where the point says nothing: to a schema 310.0 is an integer, to the bank it is not,
    which counts money."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts something true where the document's examples stand."""
    if case.headers and case.headers.get("Idempotency-Key") == KEY:
        case.headers["Idempotency-Key"] = secrets.token_hex(16)
    if isinstance(case.body, dict):
        if case.body.get("refresh_token") == REFRESH_TOKEN:
            case.body = case.body | {"refresh_token": log_in("bob")["refresh_token"]}
        # Either of them alone is taken, and to be refused.
        if case.operation.path in SIGN_UPS and (case.body.get("username"), case.body.get("email")) == ALICE:
            name = f"user_{secrets.token_hex(8)}"
            case.body = case.body | {"username": name, "email": f"{name}@example.com"}
        if case.body.get("email_id") == EMAIL_ID:
            case.body = case.body | json.loads(os.environ["MAILED"])[case.operation.path]


@schemathesis.hook
def after_call(context, case, response):
    """Counts, and gives alice her password back, should she have changed it."""
    answered[case.operation.label][response.status_code] += 1
    body = case.body
    if case.method.upper() != "PATCH" or response.status_code != 200 or not isinstance(body, dict):
        return
    if body.get("current_password") == PASSWORD and body.get("password") not in (None, PASSWORD):
        token = response.request.headers["Authorization"]
        send("PATCH", "/users/alice", {"current_password": body["password"], "password": PASSWORD}, token)


def log_in(name):
    return send("POST", "/users/login", {"username": name, "password": PASSWORD})


def send(method, path, body, token=""):
    headers = {"Content-Type": "application/json", "Authorization": token}
    request = urllib.request.Request(os.environ["BANK"] + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    match type(failure).__name__:
        case "RejectedPositiveData":
            return not is_rightly_refused(response)
        # The document has one route for all methods, of which these alone look at the key.
        case "AcceptedNegativeData" if case.operation.path == "/simplebank.v1.SimpleBank/{method}":
            is_of_the_key = "`Idempotency-Key` in header" in f"{failure.message} {failure}"
            return case.path_parameters["method"] in KEYED or not is_of_the_key
    return True


def is_rightly_refused(response):
    """Whether every field that is complained of is one of those above. The original's gateway has another shape."""
    problem = response.json()
    if problem.get("code") == FAILED_PRECONDITION:
        return True
    details = problem.get("details") or [problem]
    violations = details[0].get("violations") or details[0].get("field_violations") or []
    told = {(violation["field"], violation["description"]) for violation in violations}
    return bool(told) and told <= RIGHTLY_REFUSED
