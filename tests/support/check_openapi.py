#!/usr/bin/python3
"""Runs tests and judges every answer they log against the OpenAPI files:

check_openapi.py --api NAME=FILE.yaml... [--every-operation] [NAME:]TEST...

A test is a GoogleTest program or a Python script. Each logs the answers it gets as JSON lines to the file that
DUHUI_RESPONSE_LOG names; those that do not say which program answered are taken for answers of NAME. An answer that does
not fit its schema fails, also one of the HTTP layer. With --every-operation, so does an operation that no test got a
successful answer from.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml


def pattern_of(path):
    return re.compile("^" + re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path)) + "$")


def resolved(document, node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].lstrip("#/").split("/"):
            target = target[part.replace("~1", "/")]
        node = target
    return node


# A test's exit code where the machine lacks what it needs (as for automake); it has said what.
CANNOT_RUN_HERE = 77


class Api:
    """One OpenAPI file and what was asked of it."""

    def __init__(self, name, file):
        self.name = name
        with open(file, encoding="utf-8") as text:
            self.document = yaml.safe_load(text)
        self.paths = [(pattern_of(path), path, methods) for path, methods in self.document["paths"].items()]
        for _, _, methods in self.paths:
            methods.pop("parameters", None)  # of all its operations, not one of them
        self.resolver = jsonschema.RefResolver.from_schema(self.document)
        self.validators = {}
        self.succeeded = set()
        self.refused = {}

    def operation_of(self, method, target):
        path = target.split("?")[0].removeprefix("/api/v1")
        for pattern, template, methods in self.paths:
            if pattern.match(path) and method.lower() in methods:
                return template, methods[method.lower()]
        return None, None

    def validator_of(self, schema):
        if id(schema) not in self.validators:
            self.validators[id(schema)] = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        return self.validators[id(schema)]

    def judge(self, answer):
        """What is wrong with the answer; None: nothing."""
        status, kind = answer["status"], answer.get("content_type", "application/json")
        template, operation = self.operation_of(answer["method"], answer["target"])
        if operation is None:
            # No such address, no such method, or refused before either was looked at.
            if status < 400:
                return "the API has no such operation"
            response = self.document["components"]["responses"]["Error"]
        else:
            responses = operation["responses"]
            response = responses.get(str(status))
            if response is None:
                if status < 400 or "default" not in responses:
                    return f"status {status} is not described"
                response = responses["default"]
        content = resolved(self.document, response)["content"].get(kind)
        if content is None:
            return f"{kind} is not described"
        if status not in content.get("x-statuses", [status]):
            return f"status {status} is not described for {kind}"
        if status >= 400:
            self.refused[status] = self.refused.get(status, 0) + 1
        elif operation is not None:
            self.succeeded.add((template, answer["method"].lower()))
        errors = list(self.validator_of(content["schema"]).iter_errors(answer["body"]))
        if not errors:
            return None
        worst = jsonschema.exceptions.best_match(errors)
        return "/".join(map(str, worst.absolute_path)) + ": " + worst.message[:300]

    def never_asked(self):
        for _, template, methods in self.paths:
            for method in methods:
                if (template, method) not in self.succeeded:
                    yield f"{self.name}: {method.upper()} {template}: no test got a successful answer"


def answers_of(tests, words):
    """(name of the API or None, answer), each different answer once."""
    with tempfile.TemporaryDirectory() as folder:
        for number, test in enumerate(tests):
            log = os.path.join(folder, f"{number}.jsonl")
            name, _, program = test.rpartition(":")
            command = [sys.executable, program, *words] if program.endswith(".py") else [program, "--gtest_brief=1"]
            done = subprocess.run(command, env={**os.environ, "DUHUI_RESPONSE_LOG": log})
            if done.returncode == CANNOT_RUN_HERE:
                sys.exit(CANNOT_RUN_HERE)
            if done.returncode != 0:
                sys.exit(f"{program} failed")
            if not os.path.exists(log):
                sys.exit(f"{program} got no answer")
            with open(log, encoding="utf-8") as lines:
                for line in dict.fromkeys(lines):
                    answer = json.loads(line)
                    yield answer.get("program", name), answer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", action="append", required=True)
    parser.add_argument("--every-operation", action="store_true")
    parser.add_argument("--word", action="append", default=[], help="for the scripts")
    parser.add_argument("tests", nargs="+")
    arguments = parser.parse_args()
    apis = {name: Api(name, file) for name, file in (api.split("=", 1) for api in arguments.api)}
    problems, count = [], 0
    for name, answer in answers_of(arguments.tests, arguments.word):
        count += 1
        wrong = apis[name].judge(answer)
        if wrong:
            problems.append(f"{name}: {answer['method']} {answer['target']} -> {answer['status']}: {wrong}")
    if arguments.every_operation:
        for api in apis.values():
            problems += api.never_asked()
    for problem in problems[:100]:
        print(problem)
    for api in apis.values():
        print(f"{api.name}: refusals by status {dict(sorted(api.refused.items()))}")
    print(f"check_openapi: {count} different answers, {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
