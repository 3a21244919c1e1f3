#!/usr/bin/python3
"""Sums up a JUnit report of ctest: count_tests.py REPORT.xml

A GoogleTest or Python unittest program counts with the cases inside it, anything else as one. The last line printed is
"N passed, N failed"; the exit code is 0 only if something passed and nothing failed.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

PASSED = re.compile(r"^(?:\[  PASSED  \] (\d+) tests?\.|Ran (\d+) tests? in )", re.MULTILINE)
FAILED = re.compile(r"^\[  FAILED  \] (\d+) tests?, listed below", re.MULTILINE)


def count(testcase):
    """(passed, failed) of one ctest test."""
    output = testcase.findtext("system-out") or ""
    cases_passed = sum(int(google or python) for google, python in PASSED.findall(output))
    cases_failed = sum(int(n) for n in FAILED.findall(output))
    if testcase.get("status") == "run":
        return max(cases_passed, 1), 0
    # A program that crashed or timed out printed no summary: it failed at least once.
    # (unittest counts its failures among those it ran: then only the failure is certain.)
    return cases_passed if cases_failed else 0, max(cases_failed, 1)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    passed = failed = 0
    try:
        cases = ElementTree.parse(sys.argv[1]).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError) as error:
        print(f"no report: {error}", file=sys.stderr)
        cases = []
    for testcase in cases:
        if testcase.get("status") == "disabled":
            continue
        case_passed, case_failed = count(testcase)
        passed += case_passed
        failed += case_failed
        if case_failed:
            print(f"失败 / failed: {testcase.get('name')}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
