#!/usr/bin/python3
"""Runs test programs and judges every answer they log against an OpenAPI file:

check_openapi.py --api FILE.yaml [--never PATH]... PROGRAM...

Each program logs its answers as JSON lines to the file that DUHUI_RESPONSE_LOG names. An answer that
does not fit its schema fails, and so does an operation that no program ever asked for, unless --never
names its path.
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


def operation_of(document, method, target):
    path = target.split("?")[0].removeprefix("/api/v1")
    for template, methods in document["paths"].items():
        if pattern_of(template).match(path) and method.lower() in methods:
            return template, methods[method.lower()]
    return None, None


def judge(document, answer):
    """The operation's path and what is wrong with the answer; None: nothing."""
    template, operation = operation_of(document, answer["method"], answer["target"])
    if operation is None:
        return None, None if answer["status"] in (404, 405) else "the API has no such operation"
    responses = operation["responses"]
    response = responses.get(str(answer["status"]))
    if response is None:
        if answer["status"] < 400 or "default" not in responses:
            return template, f"status {answer['status']} is not described"
        response = responses["default"]
    schema = resolved(document, response)["content"]["application/json"]["schema"]
    resolver = jsonschema.RefResolver.from_schema(document)
    errors = list(jsonschema.Draft202012Validator(schema, resolver=resolver).iter_errors(answer["body"]))
    if not errors:
        return template, None
    worst = jsonschema.exceptions.best_match(errors)
    return template, "/".join(map(str, worst.absolute_path)) + ": " + worst.message[:300]


def answers_of(programs):
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "answers.jsonl")
        for program in programs:
            done = subprocess.run([program, "--gtest_brief=1"], env={**os.environ, "DUHUI_RESPONSE_LOG": log})
            if done.returncode != 0:
                sys.exit(f"{program} failed")
        if not os.path.exists(log):
            return []
        with open(log, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument("--never", action="append", default=[])
    parser.add_argument("programs", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.api, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    problems, asked = [], set()
    answers = answers_of(arguments.programs)
    for answer in answers:
        template, wrong = judge(document, answer)
        if wrong:
            problems.append(f"{answer['method']} {answer['target']} -> {answer['status']}: {wrong}")
        if template and answer["status"] < 300:
            asked.add((template, answer["method"].lower()))
    for template, methods in document["paths"].items():
        for method in methods:
            if (template, method) not in asked and template not in arguments.never:
                problems.append(f"{method.upper()} {template}: no test got a successful answer")
    for problem in problems:
        print(problem)
    print(f"check_openapi: {len(answers)} answers, {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
