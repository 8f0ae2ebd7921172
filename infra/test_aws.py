"""Whether aws.sh asks AWS for what it should. It is run with an `aws` that writes down what it is asked for.

    python infra/test_aws.py
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).with_name("aws.sh")

# It gives the first answer all of whose words are asked for, or fails as AWS does of a stack that is not there.
AWS = f"""#!{sys.executable}
import json, os, sys
asked = sys.argv[1:]
open(os.environ["ASKED"], "a").write(json.dumps(asked) + "\\n")
for words, answer in json.loads(os.environ["ANSWERS"]):
    if set(words) <= set(asked):
        print(answer)
        sys.exit()
sys.exit("Stack is not there: it does not exist")
"""

BUCKET = "aws-sam-cli-managed-default"


class Aws(unittest.TestCase):
    def run_script(self, *arguments, answers):
        """What was asked for by the script, which has to succeed."""
        with tempfile.TemporaryDirectory() as folder:
            program, asked = pathlib.Path(folder, "aws"), pathlib.Path(folder, "asked")
            program.write_text(AWS)
            program.chmod(0o755)
            environment = os.environ | {
                "PATH": f"{folder}:{os.environ['PATH']}", "ASKED": str(asked), "ANSWERS": json.dumps(answers),
                "AWS_REGION": "us-east-1", "PARAMETERS": "",
            }
            run = subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stderr)
            return [json.loads(line) for line in asked.read_text().splitlines()]

    def test_a_template_goes_by_the_bucket_once_there_is_one(self):
        deploys = [["cloudformation", "deploy"], ""]
        asked = self.run_script("observability", "dev", answers=[deploys])
        self.assertNotIn("--s3-bucket", asked[-1])
        bucket = [[["describe-stacks", BUCKET, "Stacks[0].StackStatus"], "CREATE_COMPLETE"],
                  [["describe-stacks", BUCKET], "artefacts"]]
        deploy = self.run_script("observability", "dev", answers=[deploys, *bucket])[-1]
        given = deploy.index("--s3-bucket")
        self.assertEqual(deploy[given:given + 4],
                         ["--s3-bucket", "artefacts", "--s3-prefix", "simplebank-dev-observability"])
        self.assertIn("Stage=dev", deploy)

    def test_old_versions_go_that_no_alias_names(self):
        asked = self.run_script("prune", "dev", answers=[
            [["list-aliases", "simplebank-dev-login"], "2\t11"],
            [["list-aliases"], "1"],
            [["list-versions-by-function", "simplebank-dev-login"], "1\t2\t3\t9\n10\t11\t12\t13"],
            [["list-versions-by-function"], "1\t2\t3\t4\t5"],
            [["delete-function", "--qualifier"], ""],
        ])
        deleted = [words for words in asked if "delete-function" in words]
        self.assertEqual(deleted, [
            ["lambda", "delete-function", "--function-name", "simplebank-dev-login", "--qualifier", version]
            for version in ["3", "1"]])


if __name__ == "__main__":
    unittest.main()
