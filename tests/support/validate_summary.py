#!/usr/bin/python3
"""Check summaries against their JSON Schema, and the sums that a schema cannot state.

usage: validate_summary.py SCHEMA SUMMARY...

Prints one line for each fault and exits 1 if there is any. Needs Debian's python3-jsonschema.
"""
import json
import sys

import jsonschema

STATES = ("stored", "warned", "failed", "skipped", "in_doubt", "pending")


def refuse_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"duplicate key among {keys}")
    return dict(pairs)


def sum_faults(summary):
    totals = summary["totals"]
    if totals["files"] != sum(totals[state] for state in STATES):
        yield "totals.files is not the sum of the states"
    for state in STATES[1:]:
        listed = totals[state] if summary["all_listed"][state] else summary["listed_max"]
        if len(summary[state]) != listed:
            yield f"{len(summary[state])} files listed as {state}, totals.{state} is {totals[state]}"
    now = totals["stored"] + totals["warned"] - totals["earlier"]["stored"] - totals["earlier"]["warned"]
    conversions = summary["conversions"]
    if sum(conversion["files"] for conversion in conversions) > now:
        yield "more were converted than stored"
    if sum(conversion["bytes"] for conversion in conversions) > totals["bytes"]:
        yield "more bytes were converted than stored"
    if [conversion["files"] for conversion in conversions] != sorted((c["files"] for c in conversions), reverse=True):
        yield "the commonest conversion is not the first"
    if any(conversion["from"] == conversion["to"] for conversion in conversions):
        yield "a conversion to the same syntax"
    if not summary["all_listed"]["studies"]:
        if len(summary["studies"]) != summary["listed_max"]:
            yield "not all studies are listed, and not as many as there could be"
        return
    for state in ("stored", "warned"):
        if sum(study[state] for study in summary["studies"]) != totals[state]:
            yield f"the studies' {state} do not add up to totals.{state}"
    if sum(study["bytes"] for study in summary["studies"]) != totals["bytes"]:
        yield "the studies' bytes do not add up to totals.bytes"
    # An association may have more: what was acknowledged and then found to have changed on disk counts as failed.
    if sum(association["bytes"] for association in summary["associations"]) < totals["bytes"]:
        yield "the associations' bytes are less than totals.bytes"
    if sum(association["stored"] for association in summary["associations"]) < now:
        yield "the associations' stored are less than totals.stored + totals.warned without the earlier ones"
    for study in summary["studies"]:
        if study["instances"] != sum(study[state] for state in STATES):
            yield f"study {study['uid']}: instances is not the sum of the states"
    if not summary["sums_match"]:
        yield "sums_match is false"
    if not summary["complete"]:
        yield "complete is false"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    faults = 0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            summary = json.load(file, object_pairs_hook=refuse_duplicates)
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(summary)]
        for fault in errors or sum_faults(summary):
            print(f"{path}: {fault}")
            faults += 1
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
