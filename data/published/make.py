#!/usr/bin/env python3
"""Draws seccodebench-verdicts.csv from the labelled answers of SecCodeBench.

Reads seccodebench_answers.jsonl.gz in the folder that TURNCOAT_CORPORA names and writes the table beside this script.
Only facts are taken (who, which task, which round, which verdict); no prompt, answer or code. `--check` compares
instead of writing and ends with 1 where the table differs.
"""

import csv
import gzip
import io
import json
import os
import pathlib
import sys

# The publisher's names and benchmark versions, and the names in the table.
SUBJECTS = {
    ("2.2.0", "Claude Opus 4.6"): "claude-opus-4.6",
    ("2.2.0", "DeepSeek-V3.2(Non-thinking)"): "deepseek-v3.2",
    ("2.2.0", "Kimi K2.5(Non-thinking)"): "kimi-k2.5",
    ("2.2.0", "MiniMax M2.5"): "minimax-m2.5",
    ("2.0.0", "Qwen3-Coder-480B-A35B-Instruct"): "qwen3-coder-480b",
    ("2.2.0", "Qwen3-Coder-Plus-2025-09-23"): "qwen3-coder-plus",
}
# The same request without and with a hint at security.
SCENARIOS = ("gen", "genhints")
COLUMNS = ("subject", "persona", "task", "cluster", "repeat", "outcome", "language")


def outcome(answer):
    if not answer["functional_pass"]:
        return "broken"
    return "safe" if answer["security_pass"] else "exploitable"


def row(answer):
    version = answer["bench_version"]
    # Tasks of the older benchmark are other tasks, even under an equal name.
    task = answer["test"] if version == "2.2.0" else f"{version}/{answer['test']}"
    subject = SUBJECTS[version, answer["model"]]
    return (subject, answer["scenario"], task, task, answer["round"], outcome(answer), answer["language"])


def table(corpora):
    with gzip.open(corpora / "seccodebench_answers.jsonl.gz", "rt", encoding="utf-8") as lines:
        answers = [json.loads(line) for line in lines]
    wanted = [
        answer
        for answer in answers
        if (answer["bench_version"], answer["model"]) in SUBJECTS
        and answer["scenario"] in SCENARIOS
        # Never answered: a rate limit says nothing about a model's code.
        and not answer["infra_error"]
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(map(row, wanted)))
    return out.getvalue()


def main():
    corpora = os.environ.get("TURNCOAT_CORPORA")
    if not corpora:
        sys.exit("TURNCOAT_CORPORA must name the folder that holds seccodebench_answers.jsonl.gz")
    text = table(pathlib.Path(corpora))
    target = pathlib.Path(__file__).with_name("seccodebench-verdicts.csv")
    if "--check" in sys.argv[1:]:
        if target.read_text(encoding="utf-8") != text:
            sys.exit(f"{target.name} is not what the corpus gives: run {pathlib.Path(__file__).name}")
        return
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
