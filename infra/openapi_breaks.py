"""Names what a client of the older document would trip over in the newer one, and fails if there is anything.

    python infra/openapi_breaks.py OLDER.json NEWER.json

Breaks are: a route, a response or a member of one that is gone or may be absent now; a parameter, a member or a token
that is asked for now; a value that was taken and is not any more, or that is answered and was not before. What is added
is no break: routes, optional parameters and members, statuses of refusals.

Schemas are compared keyword by keyword, so what is not understood has to stay as it was: a pattern that is another one
counts as a break, also where it allows more.

Of the tools for this, none that npm or PyPI hold is kept and reads OpenAPI 3.1: optic is archived, openapi-diff reads
3.0, drift says of itself that it does (it was not tried), and openapi-changes fetches a program from elsewhere when it
is installed.
"""

import json
import sys

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Nothing that a client has to keep to.
WORDS = {"title", "description", "examples", "example", "default", "deprecated", "$comment", "externalDocs"}
# Which way a bound gets narrower.
LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
ALTERNATIVES = ("anyOf", "oneOf")


class Comparison:
    def __init__(self, older, newer):
        self.older, self.newer, self.breaks = older, newer, []
        # Pairs of references that are being compared: a schema may hold itself.
        self.within = set()

    def broken(self, at, what):
        if (at, what) not in self.breaks:
            self.breaks.append((at, what))

    def document(self):
        for path, older in self.older["paths"].items():
            newer = self.newer["paths"].get(path, {})
            for method in METHODS:
                if method in older:
                    at = f"{method.upper()} {path}"
                    if method not in newer:
                        self.broken(at, "is gone")
                    else:
                        self.operation(at, older[method], newer[method])

    def operation(self, at, older, newer):
        if older.get("operationId") != newer.get("operationId"):
            self.broken(at, "has another operationId, by which generated clients call it")
        self.security(at, older.get("security", []), newer.get("security", []))
        self.parameters(at, older, newer)
        self.body(at, older.get("requestBody"), newer.get("requestBody"))
        for status, answer in older["responses"].items():
            # How it says no may change: clients have to live with any status of refusal.
            if status not in newer["responses"]:
                if status.startswith("2"):
                    self.broken(at, f"is not answered by {status} any more")
            else:
                self.answer(f"{at} {status}", self.resolved(self.older, answer),
                            self.resolved(self.newer, newer["responses"][status]))
        for status in newer["responses"]:
            if status.startswith("2") and status not in older["responses"]:
                self.broken(at, f"may be answered by {status}")

    def security(self, at, older, newer):
        """Every way in that was enough has to be enough."""
        for way in older or [{}]:
            if not any(all(name in way for name in other) for other in newer or [{}]):
                self.broken(at, "asks for a token where it did not")

    def parameters(self, at, older, newer):
        def named(document, operation):
            resolved = [self.resolved(document, parameter) for parameter in operation.get("parameters", [])]
            return {(parameter["in"], parameter["name"]): parameter for parameter in resolved}

        before, now = named(self.older, older), named(self.newer, newer)
        for key, parameter in before.items():
            # A parameter that is gone would be refused as unknown.
            if key not in now:
                self.broken(at, f"does not take the {key[0]} parameter {key[1]} any more")
                continue
            self.taken(f"{at} {key[1]}", parameter["schema"], now[key]["schema"])
        for key, parameter in now.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                self.broken(at, f"asks for the {key[0]} parameter {key[1]}")

    def body(self, at, older, newer):
        older, newer = self.resolved(self.older, older or {}), self.resolved(self.newer, newer or {})
        if newer.get("required") and not older.get("required"):
            self.broken(at, "asks for a body")
        for media, content in older.get("content", {}).items():
            if media not in newer.get("content", {}):
                self.broken(at, f"does not take {media} any more")
            else:
                self.taken(f"{at} body", content.get("schema", {}), newer["content"][media].get("schema", {}))

    def answer(self, at, older, newer):
        for name in older.get("headers", {}):
            if name not in newer.get("headers", {}):
                self.broken(at, f"has no header {name} any more")
        for media, content in older.get("content", {}).items():
            if media not in newer.get("content", {}):
                self.broken(at, f"is not in {media} any more")
            else:
                self.given(at, content.get("schema", {}), newer["content"][media].get("schema", {}))

    def taken(self, at, older, newer):
        """What was sent has to be taken still."""
        self.contains(at, (self.newer, newer), (self.older, older), "is taken", is_taken=True)

    def given(self, at, older, newer):
        """What is answered has to be something that was answered before."""
        self.contains(at, (self.older, older), (self.newer, newer), "is answered", is_taken=False)

    def contains(self, at, wide, narrow, verb, is_taken):
        """Whether all that the narrow schema allows, the wide one allows. Each comes with its document."""
        references = (wide[1].get("$ref"), narrow[1].get("$ref"), is_taken)
        if references in self.within and references[0]:
            return
        self.within.add(references)
        wide = wide[0], self.resolved(*wide)
        narrow = narrow[0], self.resolved(*narrow)
        self.members(at, wide, narrow, verb, is_taken)
        self.values(at, wide, narrow, verb, is_taken)
        self.within.discard(references)

    def members(self, at, wide, narrow, verb, is_taken):
        """An object's. An answer may have more than before, since clients pass over what they do not know."""
        (_, wider), (_, narrower) = wide, narrow
        for name in wider.get("required", []):
            if name not in narrower.get("required", []):
                self.broken(at, f"asks for {name}" if is_taken else f"may be without {name}")
        for name, needed in wider.get("dependentRequired", {}).items():
            if is_taken and not set(needed) <= set(narrower.get("dependentRequired", {}).get(name, [])):
                self.broken(at, f"asks for {', '.join(needed)} beside {name}")
        wides, narrows = wider.get("properties", {}), narrower.get("properties", {})
        if is_taken:
            for name in narrows.keys() - wides.keys() if wider.get("additionalProperties") is False else ():
                self.broken(at, f"does not take {name} any more")
            if wider.get("additionalProperties") is False and narrower.get("additionalProperties") is not False and (
                    narrows or narrower.get("type") == "object"):
                self.broken(at, "does not take unknown members any more")
        else:
            for name in wides.keys() - narrows.keys():
                self.broken(at, f"has no {name} any more")
        for name in wides.keys() & narrows.keys():
            self.contains(f"{at}.{name}", (wide[0], wides[name]), (narrow[0], narrows[name]), verb, is_taken)
        if "items" in wider:
            self.contains(f"{at}[]", (wide[0], wider["items"]), (narrow[0], narrower.get("items", {})), verb, is_taken)

    def values(self, at, wide, narrow, verb, is_taken):
        (_, wider), (_, narrower) = wide, narrow
        change = "less" if is_taken else "more"
        for name in LEAST:
            if name in wider and narrower.get(name, float("-inf")) < wider[name]:
                self.broken(at, f"{change} {verb}: {name}")
        for name in MOST:
            if name in wider and narrower.get(name, float("inf")) > wider[name]:
                self.broken(at, f"{change} {verb}: {name}")
        wides, narrows = kinds(wider), kinds(narrower)
        if wides is not None and (narrows is None or not narrows <= wides):
            self.broken(at, f"{change} {verb}: type")
        wides, narrows = choices(wider), choices(narrower)
        if wides is not None and (narrows is None or not narrows <= wides):
            self.broken(at, f"{change} {verb}: {', '.join(sorted((narrows or set()) - wides)) or 'enum'}")
        if any(name in schema for name in ALTERNATIVES for schema in (wider, narrower)):
            self.alternatives(at, wide, narrow, verb, is_taken)
        for name in wider.keys() - UNDERSTOOD:
            if wider[name] != narrower.get(name):
                self.broken(at, f"{change} {verb}, as far as can be told: {name}")

    def alternatives(self, at, wide, narrow, verb, is_taken):
        """Each one of the narrow has to fit into one of the wide."""
        for one in options(narrow):
            trials = [Comparison(self.older, self.newer) for _ in options(wide)]
            for trial, other in zip(trials, options(wide)):
                trial.within = set(self.within)
                trial.contains(at, other, one, verb, is_taken)
            if all(trial.breaks for trial in trials):
                self.breaks += min((trial.breaks for trial in trials), key=len)

    @staticmethod
    def resolved(document, value):
        while "$ref" in value:
            target = document
            for name in value["$ref"].removeprefix("#/").split("/"):
                target = target[name.replace("~1", "/").replace("~0", "~")]
            value = target | {name: other for name, other in value.items() if name != "$ref"}
        return value


UNDERSTOOD = WORDS | set(LEAST) | set(MOST) | set(ALTERNATIVES) | {
    "type", "enum", "const", "properties", "required", "additionalProperties", "dependentRequired", "items"}


def kinds(schema):
    kind = schema.get("type")
    return None if kind is None else {kind} if isinstance(kind, str) else set(kind)


def choices(schema):
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else {json.dumps(value) for value in values}


def options(side):
    document, schema = side
    for name in ALTERNATIVES:
        if name in schema:
            return [(document, option) for option in schema[name]]
    return [side]


def main(older, newer):
    documents = [json.load(open(path)) for path in (older, newer)]
    comparison = Comparison(*documents)
    comparison.document()
    for at, what in comparison.breaks:
        print(f"{at}: {what}")
    sys.exit(1 if comparison.breaks else 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
