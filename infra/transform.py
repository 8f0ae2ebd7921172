"""Prints what CloudFormation makes of a SAM template, as JSON, without network, credentials or an account.

    python infra/transform.py template.yaml [Name=Value ...]

It is the translator that AWS runs. Parameters have their defaults unless they are given; those that have none
and are not given stay references. Paths of code become addresses in a bucket of no meaning, as `sam package` would
make them. Exits 1 and says why if the template is not valid.
"""

import json
import logging
import os
import sys
from pathlib import Path

# The translator asks boto3 for a region, to know the partition. Nothing is ever sent there.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# It warns of switches that only AWS's own copy has.
logging.getLogger("samtranslator").setLevel(logging.ERROR)

# Where SAM's resource types name files of the machine that deploys.
PATHS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::Api": "DefinitionUri",
    "AWS::Serverless::Application": "Location",
}


class BundledPolicies:
    """The ARNs of AWS's managed policies, as the translator brings them along."""

    def load(self):
        return get_bundled_managed_policy_map("aws")


def read(path):
    template = yaml_parse(Path(path).read_text(encoding="utf-8"))
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise ValueError("it has no Resources")
    return template


def given_parameters(arguments, declared):
    values = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"{argument!r} is not of the form Name=Value")
        if name not in declared:
            raise ValueError(f"it has no parameter {name}")
        values[name] = value
    return values


def upload(template):
    """Gives local paths the form of uploaded ones, which is all that the translator takes."""
    for resource in template["Resources"].values():
        name = PATHS.get(resource.get("Type"))
        properties = resource.get("Properties", {})
        path = properties.get(name)
        if isinstance(path, str) and not path.startswith(("s3://", "https://")):
            properties[name] = f"s3://artefacts/{path.strip('./')}"


def main(path, *arguments):
    try:
        template = read(path)
        parameters = given_parameters(arguments, template.get("Parameters", {}))
        upload(template)
        result = transform(template, parameters, BundledPolicies(), passthrough_metadata=True)
    except InvalidDocumentException as error:
        causes = "\n".join(f"  {cause.message}" for cause in error.causes)
        sys.exit(f"{path} is not a valid SAM template:\n{causes or error.message}")
    except Exception as error:  # A parser's error, or one of the translator's that it has no words for.
        sys.exit(f"{path} cannot be transformed: {error}")
    # A date without quotes in YAML is a date.
    print(json.dumps(result, indent=2, default=str))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
